import { describe, expect, it } from 'vitest';
import type { Answer, Question } from '../../../services/peer/core/messages.js';
import type { RouteStep } from '../../../services/peer/core/routing.js';
import { sendLetter } from '../../../services/peer/core/send.js';
import { peer, peers } from '../ring-text.js';
import { alive } from './lone-machine.js';
import { talk, type Voices } from './talk.js';

const DELIVERED: Answer = { kind: 'delivered' };
const payload = Buffer.from('hello');

/** p20 sends to 65 by way of p40. */
function send(voices: Voices, here: RouteStep = { kind: 'next-hop', peer: peer(40) }, to = 65) {
  const options = {
    self: peer(20),
    position: to,
    here: () => here,
    predecessor: () => peer(10),
    asksMax: 10,
  };
  return talk(sendLetter({ messageId: 'm1', payload }, options), voices);
}

const letterOf = (questions: readonly Question[]) => {
  const last = questions.at(-1);
  return last?.kind === 'deliver' ? last.letter : undefined;
};

const WAY: Voices = {
  'p40 find-successor': { kind: 'next-hop', peer: peer(60) },
  'p60 find-successor': { kind: 'owner', peer: peer(65) },
  'p65 deliver': DELIVERED,
};

describe('sendLetter', () => {
  it('hands the letter to the peer that has the ring ID, and names the way', () => {
    const { result, asks, questions } = send(WAY);
    const path = peers(20, 40, 60, 65);
    expect(result).toEqual({ kind: 'delivered', path });
    expect(asks.slice(2)).toEqual(['p65 deliver m1']);
    expect(letterOf(questions)).toEqual({ messageId: 'm1', fromRingId: 20, payload, path });
  });

  it('hands itself what is for itself', () => {
    const { result, asks } = send({ 'p20 deliver': DELIVERED }, { kind: 'self' }, 20);
    expect(result).toEqual({ kind: 'delivered', path: peers(20) });
    expect(asks).toEqual(['p20 deliver m1']);
  });

  it('reaches a peer that only the next one knows', () => {
    const voices: Voices = {
      ...WAY,
      'p60 find-successor': { kind: 'owner', peer: peer(70) },
      'p70 ping': alive(peer(70), peer(65)),
    };
    expect(send(voices).result).toEqual({ kind: 'delivered', path: peers(20, 40, 60, 70, 65) });
  });

  it('names the way of a peer that says itself that it has the ring ID', () => {
    const voices: Voices = { ...WAY, 'p65 find-successor': { kind: 'owner', peer: peer(65) } };
    const { result } = send(voices, { kind: 'next-hop', peer: peer(65) });
    expect(result).toEqual({ kind: 'delivered', path: peers(20, 65) });
  });

  it('knows that nobody has the ring ID when its owner has another', () => {
    const voices: Voices = {
      ...WAY,
      'p60 find-successor': { kind: 'owner', peer: peer(70) },
      'p70 ping': alive(peer(70), peer(60)),
    };
    const { result, asks } = send(voices);
    expect(result).toEqual({ kind: 'nobody', owner: peer(70) });
    expect(asks.at(-1)).toBe('p70 ping');
  });

  it('says that the inbox of the receiver is full', () => {
    const { result } = send({ ...WAY, 'p65 deliver': { kind: 'inbox-full' } });
    expect(result).toEqual({ kind: 'inbox-full', receiver: peer(65) });
  });

  it.each<{ title: string; answer: Answer | readonly Answer[] }>([
    { title: 'is silent', answer: [] },
    { title: 'is busy', answer: { kind: 'busy' } },
    { title: 'is in another life', answer: { kind: 'stale' } },
    { title: 'has left', answer: { kind: 'not-member' } },
  ])('does not offer the letter twice when the receiver $title', ({ answer }) => {
    const { result, asks } = send({ ...WAY, 'p65 deliver': answer });
    expect(result).toEqual({ kind: 'unreachable', receiver: peer(65) });
    expect(asks.filter((ask) => ask.includes('deliver'))).toHaveLength(1);
  });

  it('fails when no way is found, and offers the letter to nobody', () => {
    const { result, asks } = send({}, { kind: 'nowhere' });
    expect({ result, asks }).toEqual({
      result: { kind: 'lookup-failed', timeouts: 0 },
      asks: [],
    });
  });
});
