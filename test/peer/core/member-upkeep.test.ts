import { describe, expect, it } from 'vitest';
import type { Answer } from '../../../services/peer/core/messages.js';
import { namesOf, peer, peers, placeText } from '../ring-text.js';
import { alive, neighbors } from './lone-machine.js';
import { joinedMember, LoneMember } from './lone-member.js';

const FIND_52 = 'asks p40 find-successor 52';
const PING_60 = 'asks p60 ping';
const owner60: Answer = { kind: 'owner', peer: peer(60) };

describe('RingMember.tick, filling the finger table', () => {
  it('looks up one finger a tick after joining, until the table is full', () => {
    const lone = joinedMember({ fingerTicks: 5 });
    lone.take();
    expect(lone.ticks(3)).toEqual([FIND_52]);
    expect(lone.answer(FIND_52, owner60)).toEqual([PING_60]);
    lone.answer(PING_60, alive(peer(60), peer(40)));
    expect(namesOf([...lone.member.fingers.peers()])).toBe('[p60]');
    expect(lone.ticks(1)).toEqual([]);
  });

  it('begins the next round when it is time', () => {
    const lone = joinedMember({ fingerTicks: 5 });
    lone.ticks(1);
    lone.answer(FIND_52, owner60);
    lone.answer(PING_60, alive(peer(60), peer(40)));
    expect(lone.ticks(5)).toEqual([]);
    expect(lone.ticks(1)).toEqual([FIND_52]);
  });

  it('goes without a finger when nobody was found', () => {
    const lone = joinedMember();
    lone.ticks(1);
    const failed = lone.silence(FIND_52);
    expect(failed).toEqual(['asks p30 find-successor 52 without [p40]']);
    lone.silence('asks p30 find-successor 52 without [p40]');
    lone.silence('asks p10 find-successor 52 without [p40 p30]');
    expect([...lone.member.fingers.peers()]).toEqual([]);
    expect(lone.ticks(3)).toEqual([]);
  });

  it('forgets a finger whose peer was lost', () => {
    const lone = joinedMember();
    lone.ticks(1);
    lone.answer(FIND_52, { kind: 'owner', peer: peer(10) });
    lone.answer('asks p10 ping', alive(peer(10), peer(40)));
    expect(namesOf([...lone.member.fingers.peers()])).toBe('[p10]');
    lone.member.asked(1, undefined, 0, { kind: 'departure', peer: peer(10) });
    expect([...lone.member.fingers.peers()]).toEqual([]);
  });
});

const OURS = neighbors(peer(30), peer(20), peer(20));

/** p20 in a ring with p30 alone, asking after p40, which was lost. */
function cutOff(): LoneMember {
  const lone = new LoneMember({ seekLostTicks: 2, rejoinTriesMax: 2, joinRetryTicks: 1 });
  lone.member.found();
  lone.member.asked(1, peer(30), 0, { kind: 'notify', candidate: peer(30) });
  lone.answer('asks p30 ping', alive(peer(30)));
  lone.answer('asks p30 neighbors', OURS);
  expect(placeText(lone.member.state)).toBe('successors=[p30] predecessor=p30');
  lone.member.seek([peer(40)]);
  expect(lone.ticks(3)).toEqual(['asks p40.any ping']);
  return lone;
}

/** The other ring: p40 p50 p60. */
function tellOfOtherRing(lone: LoneMember): void {
  lone.answer('asks p40.any ping', alive(peer(40), peer(60)));
  lone.answer('asks p30 neighbors', OURS);
  lone.answer('asks p30 neighbors', OURS);
  lone.answer('asks p40 neighbors', neighbors(peer(40), peer(60), ...peers(50, 60)));
  lone.answer('asks p50 neighbors', neighbors(peer(50), peer(40), ...peers(60, 40)));
}

const lastView = neighbors(peer(60), peer(50), ...peers(40, 50));

describe('RingMember.tick, seeking the lost', () => {
  it('asks after one that was lost, in whatever life it is', () => {
    const lone = joinedMember({ seekLostTicks: 4 });
    lone.take();
    lone.member.asked(1, undefined, 0, { kind: 'departure', peer: peer(40) });
    expect(lone.take()).toContain('lost p40');
    expect(lone.ticks(4)).not.toContain('asks p40.any ping');
    expect(lone.ticks(1)).toContain('asks p40.any ping');
  });

  it('asks after one at a time', () => {
    const lone = joinedMember({ seekLostTicks: 1 });
    lone.member.seek(peers(50, 60));
    const pings = lone.ticks(20).filter((line) => line.endsWith('ping'));
    expect(pings).toEqual(['asks p50.any ping']);
    lone.silence('asks p50.any ping');
    expect(lone.ticks(20).filter((line) => line.endsWith('ping'))).toEqual(['asks p60.any ping']);
  });

  it('asks no neighbour whether it is still there', () => {
    const lone = joinedMember({ seekLostTicks: 1 });
    lone.member.seek(peers(10, 30, 40));
    expect(lone.ticks(20).filter((line) => line.endsWith('ping'))).toEqual([]);
  });

  it('moves to the larger ring as a new life, and asks after those it leaves', () => {
    const lone = cutOff();
    tellOfOtherRing(lone);
    expect(lone.answer('asks p60 neighbors', lastView)).toEqual([
      'asks p30 departure p20',
      'rejoining [p60 p40 p50]',
      'asks p60.any find-successor 20 without [p20.2]',
    ]);
    expect(lone.member.state).toMatchObject({ stage: 'outside', self: peer(20, 2) });
    expect(namesOf(lone.member.acquaintances)).toContain('p30');
  });

  it('takes no answer to a question of its life before for its own', () => {
    const lone = cutOff();
    tellOfOtherRing(lone);
    lone.member.asked(9, peer(30), 0, { kind: 'nudge' });
    const before = lone.member.state.pending!.requestId;
    lone.answer('asks p60 neighbors', lastView);
    lone.member.answered(before, OURS, 1);
    expect(lone.member.state).toMatchObject({ stage: 'outside', successors: [] });
    lone.member.asked(1, peer(30), 1, { kind: 'ping' });
    expect(lone.take()).toEqual(['answers 1 stale']);
  });

  it('is a ring of its own again when the other one can not be joined', () => {
    const lone = cutOff();
    tellOfOtherRing(lone);
    lone.answer('asks p60 neighbors', lastView);
    for (const contact of [60, 40, 50]) {
      lone.silence(`asks p${contact}.any find-successor 20 without [p20.2]`);
    }
    lone.ticks(1);
    for (const contact of [60, 40]) {
      lone.silence(`asks p${contact}.any find-successor 20 without [p20.2]`);
    }
    expect(lone.silence('asks p50.any find-successor 20 without [p20.2]')).toEqual(['founded']);
    expect(placeText(lone.member.state)).toBe('successors=[] predecessor=nobody');
  });

  it('does not move when it has left meanwhile', () => {
    const lone = cutOff();
    tellOfOtherRing(lone);
    lone.member.leave();
    lone.take();
    expect(lone.answer('asks p60 neighbors', lastView)).toEqual([]);
    expect(lone.member.state).toMatchObject({ stage: 'left', self: peer(20) });
  });
});
