import { describe, expect, it } from 'vitest';
import { outsideState } from '../../../services/peer/core/state.js';
import { peer, peers } from '../ring-text.js';
import { IN_RING, LoneMachine, neighbors } from './lone-machine.js';

const LEAVE = { kind: 'leave-requested' } as const;

describe('step, leaving', () => {
  it('tells its predecessor and every successor', () => {
    const machine = new LoneMachine();
    expect(machine.feed(LEAVE)).toEqual([
      'asks p10 departure p20',
      'asks p30 departure p20',
      'asks p40 departure p20',
      'asks p50 departure p20',
    ]);
    expect(machine.state.stage).toBe('left');
  });

  it('tells a peer that is both once', () => {
    const machine = new LoneMachine({ predecessor: peer(40), successors: peers(30, 40) });
    expect(machine.feed(LEAVE)).toEqual(['asks p40 departure p20', 'asks p30 departure p20']);
  });

  it('tells its successors when it has no predecessor', () => {
    const machine = new LoneMachine({ predecessor: undefined, successors: peers(30) });
    expect(machine.feed(LEAVE)).toEqual(['asks p30 departure p20']);
  });

  it.each(['outside', 'joining', 'left'] as const)('tells nobody while %s', (stage) => {
    const machine = new LoneMachine({ stage });
    expect(machine.feed(LEAVE)).toEqual([]);
    expect(machine.state.stage).toBe('left');
  });

  it('refuses the questions that it held', () => {
    const machine = new LoneMachine({ predecessor: undefined, successors: peers(30) });
    machine.stabilize();
    machine.asked(1, { kind: 'neighbors' });
    expect(machine.feed(LEAVE)).toEqual(['asks p30 departure p20', 'answers 1 not-member']);
  });

  it('does nothing more, whatever comes', () => {
    const machine = new LoneMachine();
    machine.asked(1, { kind: 'notify', candidate: peer(15) });
    const requestId = machine.state.pending!.requestId;
    machine.feed(LEAVE);
    const answer = neighbors(peer(15), peer(10), ...peers(30));
    expect(machine.feed({ kind: 'answered', requestId, answer })).toEqual([]);
    for (let tick = 0; tick < 30; tick += 1) expect(machine.tick()).toEqual([]);
    expect(machine.asked(2, { kind: 'neighbors' })).toEqual(['answers 2 not-member']);
  });

  it('gives up joining', () => {
    const machine = new LoneMachine(outsideState(peer(20)));
    machine.feed({ kind: 'join-behind', peer: peer(10) });
    const requestId = machine.state.pending!.requestId;
    machine.feed(LEAVE);
    const answer = neighbors(peer(10), peer(50), ...peers(30));
    expect(machine.feed({ kind: 'answered', requestId, answer })).toEqual([]);
    expect(machine.state.stage).toBe('left');
  });
});

// Zave, Fail: a departure is a failure that says so; pointers to the peer are repaired as after any.
describe('step, told of a departure', () => {
  it('drops the successor that left and looks at the next one at once', () => {
    const machine = new LoneMachine();
    expect(machine.asked(1, { kind: 'departure', peer: peer(30) }, peer(30))).toEqual([
      'lost p30',
      'answers 1 noted',
      'asks p40 neighbors',
    ]);
    expect(machine.state.successors).toEqual(peers(40, 50));
  });

  it('drops a predecessor that left', () => {
    const machine = new LoneMachine();
    machine.asked(1, { kind: 'departure', peer: peer(10) }, peer(10));
    expect(machine.state.predecessor).toBeUndefined();
  });

  it.each([
    { title: 'a stranger', departed: peer(35, 2) },
    { title: 'a former life of a successor', departed: peer(30, 1) },
  ])('keeps everyone when $title left', ({ departed }) => {
    const successors = [peer(30, 2), peer(40)];
    const machine = new LoneMachine({ successors });
    expect(machine.asked(1, { kind: 'departure', peer: departed })).toEqual(['answers 1 noted']);
    expect(machine.state).toEqual({ ...IN_RING, successors });
  });

  it('drops every life of the peer up to the one that left', () => {
    const machine = new LoneMachine();
    machine.asked(1, { kind: 'departure', peer: peer(30, 2) });
    expect(machine.state.successors).toEqual(peers(40, 50));
  });
});
