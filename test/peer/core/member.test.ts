import { describe, expect, it } from 'vitest';
import type { Question } from '../../../services/peer/core/messages.js';
import { namesOf, peer, peers, placeText } from '../ring-text.js';
import { alive, neighbors } from './lone-machine.js';
import { joinedMember, LoneMember } from './lone-member.js';

const WALK = 'asks p10.any find-successor 20 without [p20]';
const letter = { messageId: 'm1', fromRingId: 40, payload: Buffer.of(1), path: [] };
const DELIVER: Question = { kind: 'deliver', letter };
const find = (position: number, ...avoided: readonly number[]): Question => ({
  kind: 'find-successor',
  position,
  avoided: peers(...avoided),
});

function asked(lone: LoneMember, question: Question, expected = 0): readonly string[] {
  lone.member.asked(1, peer(40), expected, question);
  return lone.take();
}

describe('RingMember.asked', () => {
  it.each([
    { title: 'any life', expected: 0, answer: 'answers 1 alive p20 member predecessor=p10' },
    { title: 'its own life', expected: 1, answer: 'answers 1 alive p20 member predecessor=p10' },
    { title: 'another life', expected: 2, answer: 'answers 1 stale' },
  ])('answers a question to $title', ({ expected, answer }) => {
    expect(asked(joinedMember(), { kind: 'ping' }, expected)).toEqual([answer]);
  });

  it.each([
    { title: 'what it owns', question: find(15), answer: 'answers 1 owner p20' },
    { title: 'what its successor owns', question: find(25), answer: 'answers 1 owner p30' },
    { title: 'what lies further away', question: find(50), answer: 'answers 1 next-hop p40' },
    {
      title: 'what its second successor owns then',
      question: find(25, 30),
      answer: 'answers 1 owner p40',
    },
    { title: 'that it knows no way', question: find(25, 10, 30, 40), answer: 'answers 1 busy' },
  ])('says $title', ({ question, answer }) => {
    expect(asked(joinedMember(), question)).toEqual([answer]);
  });

  it('shows the way while its own question is in flight', () => {
    const lone = joinedMember();
    expect(asked(lone, { kind: 'nudge' })).toEqual(['answers 1 noted', 'asks p30 neighbors']);
    expect(asked(lone, find(25))).toEqual(['answers 1 owner p30']);
    expect(asked(lone, { kind: 'neighbors' })).toEqual([]);
  });

  it('takes a letter, and says when it can not', () => {
    const lone = joinedMember();
    expect(asked(lone, DELIVER)).toEqual(['answers 1 delivered']);
    lone.inboxSays = 'inbox-full';
    expect(asked(lone, DELIVER)).toEqual(['answers 1 inbox-full']);
    expect(lone.letters).toEqual([letter, letter]);
  });

  it.each([find(25), DELIVER])('refuses $kind before it is a member', (question) => {
    const lone = new LoneMember();
    expect(asked(lone, question)).toEqual(['answers 1 not-member']);
    expect(lone.letters).toEqual([]);
  });
});

describe('RingMember.join', () => {
  it('walks to its place in any life of a contact, and joins there', () => {
    const lone = new LoneMember();
    lone.member.join([peer(10, 9)]);
    expect(lone.take()).toEqual([WALK]);
    expect(lone.answer(WALK, { kind: 'owner', peer: peer(30) })).toEqual(['asks p30 ping']);
    expect(lone.answer('asks p30 ping', alive(peer(30), peer(10)))).toEqual([
      'asks p10.any neighbors',
    ]);
    const place = neighbors(peer(10), peer(40), ...peers(30, 40));
    expect(lone.answer('asks p10.any neighbors', place)).toEqual([
      'joined',
      'asks p30 notify p20',
      'asks p30 neighbors',
    ]);
    expect(placeText(lone.member.state)).toBe('successors=[p30 p40] predecessor=p10');
  });

  it('tries again some ticks after a walk that led nowhere', () => {
    const lone = new LoneMember({ joinRetryTicks: 3 });
    lone.member.join([peer(10)]);
    lone.take();
    expect(lone.silence(WALK)).toEqual(['join-failed 1']);
    expect(lone.ticks(2)).toEqual([]);
    expect(lone.ticks(1)).toEqual([WALK]);
    expect(lone.silence(WALK)).toEqual(['join-failed 2']);
  });

  it('tries again when the peer before it refuses', () => {
    const lone = new LoneMember({ joinRetryTicks: 1 });
    lone.member.join([peer(10)]);
    lone.answer(WALK, { kind: 'owner', peer: peer(30) });
    lone.answer('asks p30 ping', alive(peer(30), peer(10)));
    expect(lone.answer('asks p10.any neighbors', { kind: 'busy' })).toEqual(['join-failed 1']);
    expect(lone.ticks(1)).toEqual([WALK]);
  });

  it('walks once at a time', () => {
    const lone = new LoneMember();
    lone.member.join([peer(10)]);
    expect(lone.ticks(50)).toEqual([WALK]);
  });

  it('goes on with the contacts it was given last', () => {
    const lone = new LoneMember();
    lone.member.join([peer(10)]);
    lone.member.join([peer(50)]);
    expect(lone.answer(WALK, { kind: 'owner', peer: peer(10) })).toEqual([
      WALK,
      'asks p50.any find-successor 20 without [p20]',
      'asks p10.any ping',
    ]);
    expect(lone.answer('asks p10.any ping', alive(peer(10)))).toEqual([]);
    expect(lone.member.state.stage).toBe('outside');
  });

  it('is a ring of its own after as many tries as it has, and asks after its contacts', () => {
    const lone = new LoneMember({ joinRetryTicks: 1, seekLostTicks: 1 });
    lone.member.join([peer(10)], 2);
    expect(lone.silence(WALK)).toEqual([WALK, 'join-failed 1']);
    expect(lone.ticks(1)).toEqual([WALK]);
    expect(lone.silence(WALK)).toEqual(['founded']);
    expect(lone.ticks(1)).toEqual(['asks p10.any ping']);
  });

  it('gives up when it leaves', () => {
    const lone = new LoneMember({ joinRetryTicks: 1 });
    lone.member.join([peer(10)]);
    lone.member.leave();
    expect(lone.silence(WALK)).toEqual([WALK]);
    expect(lone.ticks(10)).toEqual([]);
  });
});

describe('RingMember.found', () => {
  it('ends every try to join', () => {
    const lone = new LoneMember();
    lone.member.join([peer(10)]);
    lone.member.found();
    expect(lone.take()).toEqual([WALK, 'founded']);
    expect(lone.answer(WALK, { kind: 'owner', peer: peer(10) })).toEqual(['asks p10.any ping']);
    expect(lone.answer('asks p10.any ping', alive(peer(10)))).toEqual([]);
    expect(placeText(lone.member.state)).toBe('successors=[] predecessor=nobody');
  });
});

describe('RingMember.leave', () => {
  it('says so to its neighbours, and is gone', () => {
    const lone = joinedMember();
    lone.member.leave();
    expect(lone.take().slice(-3)).toEqual([
      'asks p10 departure p20',
      'asks p30 departure p20',
      'asks p40 departure p20',
    ]);
    expect(asked(lone, { kind: 'neighbors' })).toEqual(['answers 1 not-member']);
  });
});

describe('RingMember.lookup', () => {
  it('finds an owner by asking its way', () => {
    const lone = joinedMember();
    const found: unknown[] = [];
    lone.member.lookup(50, (result) => found.push(result));
    lone.answer('asks p40 find-successor 50', { kind: 'owner', peer: peer(60) });
    lone.answer('asks p60 ping', alive(peer(60), peer(40)));
    expect(found).toMatchObject([{ owner: peer(60), predecessor: peer(40), timeouts: 0 }]);
  });

  it('needs nobody for what it owns itself', () => {
    const found: unknown[] = [];
    joinedMember().member.lookup(15, (result) => found.push(result));
    expect(found).toMatchObject([{ owner: peer(20), hops: [] }]);
  });

  it('finds nothing while it is outside', () => {
    const found: unknown[] = [];
    new LoneMember().member.lookup(20, (result) => found.push(result));
    expect(found).toMatchObject([{ owner: undefined }]);
  });
});

describe('RingMember.send', () => {
  it('puts what is for itself into its own inbox', () => {
    const lone = joinedMember();
    const results: unknown[] = [];
    lone.member.send(20, { messageId: 'm2', payload: Buffer.of(7) }, (it) => results.push(it));
    expect(results).toEqual([{ kind: 'delivered', path: [peer(20)] }]);
    expect(lone.letters).toMatchObject([{ messageId: 'm2', fromRingId: 20 }]);
  });
});

describe('RingMember.survey', () => {
  it('begins with itself', () => {
    const lone = joinedMember();
    const surveys: { readonly views: readonly { readonly self: unknown }[] }[] = [];
    lone.member.survey((it) => surveys.push(it));
    lone.answer('asks p30 neighbors', neighbors(peer(30), peer(20), peer(20)));
    expect(surveys[0]?.views.map(({ self }) => self)).toEqual([peer(20), peer(30)]);
  });
});

describe('RingMember.acquaintances', () => {
  it('are its neighbours, its fingers and whom it has known, each once and as it is now', () => {
    const lone = joinedMember();
    lone.member.seek([peer(7), peer(30, 0)]);
    lone.ticks(1);
    lone.answer('asks p40 find-successor 52', { kind: 'owner', peer: peer(60) });
    lone.answer('asks p60 ping', alive(peer(60), peer(40)));
    const byPosition = [...lone.member.acquaintances].sort(
      (one, other) => one.ringId - other.ringId,
    );
    expect(namesOf(byPosition)).toBe('[p7 p10 p30 p40 p60]');
  });

  it('begin with the neighbours when these are known as such only', () => {
    const lone = joinedMember();
    lone.member.seek([peer(7)]);
    expect(namesOf(lone.member.acquaintances.slice(0, 2))).toBe('[p30 p40]');
  });
});
