import { describe, expect, it } from 'vitest';
import type { Answer } from '../../../services/peer/core/messages.js';
import type { PeerRef } from '../../../services/peer/core/ring-space.js';
import { outsideState } from '../../../services/peer/core/state.js';
import { peer, peers, placeText } from '../ring-text.js';
import { LoneMachine, neighbors } from './lone-machine.js';

/** p20, outside, that has been led to the peer before it. */
function joining(behind: PeerRef = peer(10)): LoneMachine {
  const machine = new LoneMachine({ ...outsideState(peer(20)), stabilizeAtTick: 50 });
  machine.feed({ kind: 'join-behind', peer: behind });
  return machine;
}

describe('outsideState', () => {
  it('is in no ring, knows nobody and does nothing by itself', () => {
    const machine = new LoneMachine(outsideState(peer(20)));
    expect(machine.state.stage).toBe('outside');
    expect(placeText(machine.state)).toBe('successors=[] predecessor=nobody');
    for (let tick = 0; tick < 30; tick += 1) expect(machine.tick()).toEqual([]);
  });
});

// Zave, Join: j.succ := m.succ in full; j.prdc := m; j is now a member. It copies m's list, which
// already has length r; it does not start with one pointer.
describe('step, joining behind a peer', () => {
  it('asks it for its list, and is no member before it answers', () => {
    const machine = new LoneMachine(outsideState(peer(20)));
    expect(machine.feed({ kind: 'join-behind', peer: peer(10) })).toEqual(['asks p10 neighbors']);
    expect(machine.state.stage).toBe('joining');
    expect(placeText(machine.state)).toBe('successors=[] predecessor=nobody');
  });

  it('copies its list in full, is a member, and looks at its successor at once', () => {
    const machine = joining();
    const wanted = machine.answered(neighbors(peer(10), peer(50), ...peers(30, 40, 50)));
    expect(wanted).toEqual(['joined', 'asks p30 notify p20', 'asks p30 neighbors']);
    expect(machine.state.stage).toBe('member');
    expect(placeText(machine.state)).toBe('successors=[p30 p40 p50] predecessor=p10');
  });

  it('has a founder that is alone before and behind it', () => {
    const machine = joining();
    const wanted = machine.answered(neighbors(peer(10), undefined));
    expect(wanted).toEqual(['joined', 'asks p10 notify p20', 'asks p10 neighbors']);
    expect(placeText(machine.state)).toBe('successors=[p10] predecessor=p10');
  });

  it('takes whatever life of the peer answers when any was asked', () => {
    const machine = joining(peer(10, 0));
    machine.answered(neighbors(peer(10, 7), undefined, ...peers(30)));
    expect(machine.state.predecessor).toEqual(peer(10, 7));
  });

  it('copies a list across the closing of the circle', () => {
    const machine = joining(peer(15));
    machine.answered(neighbors(peer(15), peer(12), ...peers(50, 5, 12)));
    expect(placeText(machine.state)).toBe('successors=[p50 p5 p12] predecessor=p15');
  });

  // Zave, Join, precondition: some live m with between(m, j, m.succ[0]).
  it.each<{ title: string; answer: Answer }>([
    { title: 'has somebody before us', answer: neighbors(peer(10), peer(5), ...peers(15, 30)) },
    {
      title: 'has us as its successor still',
      answer: neighbors(peer(10), peer(5), ...peers(20, 30)),
    },
    { title: 'is busy', answer: { kind: 'busy' } },
    { title: 'is not in the ring', answer: { kind: 'not-member' } },
    { title: 'is in another life', answer: { kind: 'stale' } },
  ])('is outside again when the peer $title', ({ answer }) => {
    const machine = joining();
    expect(machine.answered(answer)).toEqual(['join-failed']);
    expect(machine.state).toMatchObject({ stage: 'outside', pending: undefined });
    expect(placeText(machine.state)).toBe('successors=[] predecessor=nobody');
  });

  it('is outside again when the peer is silent', () => {
    const machine = joining();
    expect(machine.unanswered()).toEqual(['join-failed']);
    expect(machine.state).toMatchObject({ stage: 'outside', pending: undefined });
  });

  it('does not join behind a peer at its own position', () => {
    const machine = joining(peer(20, 0));
    expect(machine.answered(neighbors(peer(20, 7), undefined, ...peers(30)))).toEqual([
      'join-failed',
    ]);
  });
});

describe('step, founding', () => {
  it('is a ring of one', () => {
    const machine = new LoneMachine(outsideState(peer(20)));
    expect(machine.feed({ kind: 'founded' })).toEqual(['founded']);
    expect(machine.state.stage).toBe('member');
    expect(placeText(machine.state)).toBe('successors=[] predecessor=nobody');
    expect(machine.asked(1, { kind: 'neighbors' })).toEqual([
      'answers 1 neighbors p20 successors=[] predecessor=nobody',
    ]);
  });

  it('takes no notice any more of an answer that would have let it join', () => {
    const machine = joining();
    const requestId = machine.state.pending!.requestId;
    machine.feed({ kind: 'founded' });
    const answer = neighbors(peer(10), peer(50), ...peers(30, 40));
    expect(machine.feed({ kind: 'answered', requestId, answer })).toEqual([]);
    expect(placeText(machine.state)).toBe('successors=[] predecessor=nobody');
  });
});
