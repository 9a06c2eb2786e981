import { describe, expect, it } from 'vitest';
import { findPlace } from '../../../services/peer/core/place.js';
import type { Answer } from '../../../services/peer/core/messages.js';
import type { PeerRef } from '../../../services/peer/core/ring-space.js';
import { nameOf, peer, peers } from '../ring-text.js';
import { alive } from './lone-machine.js';
import { talk, type Voices } from './talk.js';

const hop = (ringId: number): Answer => ({ kind: 'next-hop', peer: peer(ringId) });
const owner = (ringId: number): Answer => ({ kind: 'owner', peer: peer(ringId) });

/** p20 looks for its place. */
function seekPlace(voices: Voices, contacts: readonly PeerRef[] = peers(40), asksMax = 10) {
  const { result, asks } = talk(findPlace({ self: peer(20), contacts, asksMax }), voices);
  return { place: result === undefined ? 'none' : nameOf(result), asks };
}

describe('findPlace', () => {
  it('is behind the peer that names the owner of our position', () => {
    const { place, asks } = seekPlace({
      'p40 find-successor': hop(10),
      'p10 find-successor': owner(30),
      'p30 ping': alive(peer(30), peer(10)),
    });
    expect(place).toBe('p10');
    expect(asks).toEqual([
      'p40 find-successor 20 without [p20]',
      'p10 find-successor 20 without [p20]',
      'p30 ping',
    ]);
  });

  it('is behind the predecessor of a contact that owns our position itself', () => {
    const { place, asks } = seekPlace({
      'p40 find-successor': owner(40),
      'p40 ping': alive(peer(40), peer(10)),
    });
    expect(place).toBe('p10');
    expect(asks).toEqual(['p40 find-successor 20 without [p20]', 'p40 ping']);
  });

  it('is behind a contact that is alone', () => {
    const voices = { 'p40 find-successor': owner(40), 'p40 ping': alive(peer(40)) };
    expect(seekPlace(voices).place).toBe('p40');
  });

  it('is behind a closer peer when one joined before the owner', () => {
    const { place } = seekPlace({
      'p40 find-successor': owner(30),
      'p30 ping': alive(peer(30), peer(25)),
      'p25 ping': alive(peer(25), peer(15)),
    });
    expect(place).toBe('p15');
  });

  it('is found through the next contact when one is silent', () => {
    const voices = { 'p50 find-successor': owner(50), 'p50 ping': alive(peer(50), peer(10)) };
    const { place, asks } = seekPlace(voices, peers(40, 50));
    expect(place).toBe('p10');
    expect(asks.slice(0, 2)).toEqual([
      'p40 find-successor 20 without [p20]',
      'p50 find-successor 20 without [p20]',
    ]);
  });

  it('is found through the next contact when the owner falls silent, or leaves', () => {
    const left: Answer = { kind: 'not-member' };
    const voices = {
      'p40 find-successor': owner(40),
      'p45 find-successor': owner(45),
      'p45 ping': left,
      'p50 find-successor': owner(50),
      'p50 ping': alive(peer(50), peer(10)),
    };
    expect(seekPlace(voices, peers(40, 45, 50)).place).toBe('p10');
  });

  it('is not sought through ourselves', () => {
    expect(seekPlace({}, [peer(20, 7)])).toEqual({ place: 'none', asks: [] });
  });

  it('is not behind our own former life', () => {
    const voices = { 'p40 find-successor': owner(40), 'p40 ping': alive(peer(40), peer(20, 0)) };
    expect(seekPlace(voices).place).toBe('none');
  });

  it('is nowhere when no contact answers, and nobody is asked twice', () => {
    const { place, asks } = seekPlace({}, peers(40, 50));
    expect(place).toBe('none');
    expect(asks).toHaveLength(2);
  });

  it('is nowhere when the way is longer than may be asked', () => {
    const voices = { 'p40 find-successor': hop(5), 'p5 find-successor': hop(10) };
    expect(seekPlace(voices, peers(40), 2).place).toBe('none');
  });
});
