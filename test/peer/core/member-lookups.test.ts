import { describe, expect, it } from 'vitest';
import { USUAL_MANNER } from '../../../services/peer/core/find-owner.js';
import type { LookupResult } from '../../../services/peer/core/lookup.js';
import type { Question } from '../../../services/peer/core/messages.js';
import { nameOf, namesOf, peer, peers } from '../ring-text.js';
import { alive } from './lone-machine.js';
import { joinedMember, LoneMember } from './lone-member.js';

/** Finds the owner of a position for p40. */
const forward = (position: number, hopsMax = 4): Question => ({
  kind: 'forward-lookup',
  position,
  avoided: [],
  hopsMax,
  budgetMs: 1_000,
});

function asked(lone: LoneMember, question: Question, from = peer(40)): readonly string[] {
  lone.member.asked(1, from, 0, question);
  return lone.take();
}

describe('RingMember.asked to find an owner for another peer', () => {
  it('answers at once what it owns itself', () => {
    expect(asked(joinedMember(), forward(15))).toEqual(['answers 1 found']);
  });

  it('makes sure that its successor lives before it answers', () => {
    const lone = joinedMember();
    expect(asked(lone, forward(25))).toEqual(['asks p30 ping']);
    const answered = lone.answer('asks p30 ping', alive(peer(30), peer(20)));
    expect(answered).toEqual(['answers 1 found']);
  });

  it('passes on what lies further away, and reports a failure', () => {
    const lone = joinedMember();
    expect(asked(lone, forward(50))).toEqual(['asks p40 forward-lookup']);
    const answered = lone.answer('asks p40 forward-lookup', { kind: 'not-found' });
    expect(answered).toEqual(['answers 1 not-found']);
    expect(asked(joinedMember(), forward(50, 0))).toEqual(['answers 1 not-found']);
  });

  it('does so for a bounded number of peers at once', () => {
    const lone = joinedMember({ forwardsMax: 1 });
    asked(lone, forward(50));
    expect(asked(lone, forward(50))).toEqual(['answers 1 busy']);
    lone.answer('asks p40 forward-lookup', { kind: 'not-found' });
    expect(asked(lone, forward(15))).toEqual(['answers 1 found']);
  });

  it('refuses before it is a member', () => {
    expect(asked(new LoneMember(), forward(15))).toEqual(['answers 1 not-member']);
  });
});

describe('RingMember.routes', () => {
  const remembered = (lone: LoneMember): string => namesOf(lone.member.routes.peers());

  it('are learned while it joins', () => {
    expect(remembered(joinedMember({ routesMax: 8 }))).toBe('[p10 p30 p40]');
  });

  it('are learned from members that ask, and not from joiners', () => {
    const lone = joinedMember({ routesMax: 8 });
    asked(lone, { kind: 'nudge' }, peer(50));
    asked(lone, { kind: 'find-successor', position: 60, avoided: peers(60) }, peer(60));
    asked(lone, { kind: 'ping' }, peer(61));
    expect(remembered(lone)).toBe('[p10 p30 p40 p50]');
  });

  it('are forgotten when a peer says that it leaves', () => {
    const lone = joinedMember({ routesMax: 8 });
    asked(lone, { kind: 'departure', peer: peer(40) });
    expect(remembered(lone)).toBe('[p10 p30]');
  });

  it('lead a lookup to the owner, and are forgotten when that is silent', () => {
    const lone = joinedMember({ routesMax: 8 });
    lone.member.routes.learn(peer(60));
    const results: LookupResult[] = [];
    lone.member.lookup(50, (result) => results.push(result));
    expect(lone.take()).toEqual(['asks p60.any ping']);
    expect(lone.silence('asks p60.any ping')).toEqual(['asks p40 find-successor 50']);
    expect(remembered(lone)).toBe('[p10 p30 p40]');
    lone.answer('asks p40 find-successor 50', { kind: 'owner', peer: peer(62) });
    lone.answer('asks p62 ping', alive(peer(62), peer(40)));
    expect(results.map(({ owner }) => owner && nameOf(owner))).toEqual(['p62']);
    lone.member.lookup(50, (result) => results.push(result));
    expect(lone.take()).toEqual(['asks p62.any ping']);
  });

  it('are not asked by who shall not use them', () => {
    const lone = joinedMember({ routesMax: 8 });
    lone.member.routes.learn(peer(60));
    lone.member.lookup(50, () => undefined, { ...USUAL_MANNER, usesCache: false });
    expect(lone.take()).toEqual(['asks p40 find-successor 50']);
  });

  it('are not asked by fingers', () => {
    const lone = joinedMember({ routesMax: 8, fingerTicks: 1 });
    lone.member.routes.learn(peer(60));
    expect(lone.ticks(3).filter((line) => line.includes('.any'))).toEqual([]);
  });
});
