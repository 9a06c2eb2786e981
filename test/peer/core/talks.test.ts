import { describe, expect, it } from 'vitest';
import type { Conversation, Reply } from '../../../services/peer/core/conversation.js';
import type { PeerRef } from '../../../services/peer/core/ring-space.js';
import { Talks } from '../../../services/peer/core/talks.js';
import { nameOf, peer, peers } from '../ring-text.js';

const silence: Reply = { kind: 'unanswered', elapsedMs: 1 };
const answered = (kind: 'noted' | 'busy'): Reply => ({
  kind: 'answered',
  answer: { kind },
  elapsedMs: 1,
});

/** Asks these peers one after the other; returns how each question ended. */
function* askAll(all: readonly PeerRef[]): Conversation<readonly string[]> {
  const ends: string[] = [];
  for (const to of all) {
    const reply = yield { to, question: { kind: 'ping' } };
    ends.push(reply.kind === 'answered' ? reply.answer.kind : 'silence');
  }
  return ends;
}

/** The conversations of p20; questions are numbered from 1. */
function create() {
  const asked: string[] = [];
  const talks = new Talks({
    self: () => peer(20),
    ask: (to) => asked.push(nameOf(to)),
    askMyself: () => ({ kind: 'noted' }),
  });
  const ends: (readonly string[])[] = [];
  const start = (...ringIds: readonly number[]) =>
    talks.start(askAll(peers(...ringIds)), (result) => ends.push(result));
  return { talks, asked, ends, start };
}

describe('Talks', () => {
  it('asks the next question when the one before has ended', () => {
    const { talks, asked, ends, start } = create();
    start(30, 40);
    expect({ asked, ends }).toEqual({ asked: ['p30'], ends: [] });
    expect(talks.resume(1, answered('busy'))?.to).toEqual(peer(30));
    expect({ asked, ends }).toEqual({ asked: ['p30', 'p40'], ends: [] });
    talks.resume(2, silence);
    expect(ends).toEqual([['busy', 'silence']]);
  });

  it('has several at once, each with its own replies', () => {
    const { talks, ends, start } = create();
    start(30);
    start(40);
    talks.resume(2, silence);
    talks.resume(1, answered('busy'));
    expect(ends).toEqual([['silence'], ['busy']]);
  });

  it('answers itself at once', () => {
    const { asked, ends, start } = create();
    start(20, 20);
    expect({ asked, ends }).toEqual({ asked: [], ends: [['noted', 'noted']] });
  });

  it('has nobody to hand a reply to that none waits for, or waits for no more', () => {
    const { talks, ends, start } = create();
    start(30);
    expect(talks.resume(7, silence)).toBeUndefined();
    expect(talks.resume(1, silence)?.to).toEqual(peer(30));
    expect(talks.resume(1, answered('busy'))).toBeUndefined();
    expect(ends).toEqual([['silence']]);
  });
});
