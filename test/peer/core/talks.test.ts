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

/** Asks these peers at once, and is content with two replies; returns whose they are. */
function* askAtOnce(all: readonly PeerRef[]): Conversation<readonly string[]> {
  const asks = all.map((to) => ({ to, question: { kind: 'ping' } }) as const);
  const first = yield asks;
  const second = yield [];
  return [nameOf(first.ask.to), nameOf(second.ask.to)];
}

/** Asks p30 and p40 at once, and after the first reply p60 alone; returns whose the last reply is. */
function* askOneAfterSeveral(): Conversation<string> {
  yield peers(30, 40).map((to) => ({ to, question: { kind: 'ping' } }) as const);
  const { ask } = yield { to: peer(60), question: { kind: 'ping' } };
  return nameOf(ask.to);
}

/** The conversations of p20; questions are numbered from 1. */
function create() {
  const asked: string[] = [];
  const talks = new Talks({
    self: () => peer(20),
    ask: (to) => asked.push(nameOf(to)),
    askMyself: (_question, reply) => reply({ kind: 'noted' }),
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

  it('asks several at once, and hears the first reply to any that is under way', () => {
    const { talks, asked } = create();
    const heard: string[] = [];
    talks.start(askAtOnce(peers(30, 40, 50)), (all) => heard.push(...all));
    expect(asked).toEqual(['p30', 'p40', 'p50']);
    talks.resume(3, answered('busy'));
    talks.resume(1, silence);
    expect(heard).toEqual(['p50', 'p30']);
    expect(talks.resume(2, silence)?.to).toEqual(peer(40));
    expect(heard).toHaveLength(2);
  });

  it('hears only the reply to a single question, whatever else is under way', () => {
    const { talks, ends } = create();
    const last: string[] = [];
    talks.start(askOneAfterSeveral(), (name) => last.push(name));
    talks.resume(1, silence);
    talks.resume(2, silence);
    expect(last).toEqual([]);
    talks.resume(3, silence);
    expect({ last, ends }).toEqual({ last: ['p60'], ends: [] });
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
