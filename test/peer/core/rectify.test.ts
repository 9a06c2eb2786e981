import { describe, expect, it } from 'vitest';
import type { PeerRef } from '../../../services/peer/core/ring-space.js';
import type { RingState } from '../../../services/peer/core/state.js';
import { peer, peers } from '../ring-text.js';
import { alive, LoneMachine, neighbors } from './lone-machine.js';

const NOTED = 'answers 1 noted';

/** p20 after p10 that is notified of a candidate; returns it and what it wants done. */
function notified(candidate: PeerRef, changes: Partial<RingState> = {}) {
  const machine = new LoneMachine(changes);
  const wanted = machine.asked(1, { kind: 'notify', candidate }, candidate);
  return { machine, wanted };
}

/** Notified of these, one after the other, while a question is in flight. */
function notifiedMeanwhile(...candidates: readonly PeerRef[]): LoneMachine {
  const machine = new LoneMachine();
  machine.stabilize();
  for (const candidate of candidates) {
    expect(machine.asked(1, { kind: 'notify', candidate })).toEqual([NOTED]);
  }
  return machine;
}

const successorAnswers = (machine: LoneMachine) =>
  machine.answered(neighbors(peer(30), peer(20), ...peers(40, 50)));

// Zave, Rectify: if between(x.prdc, n, x): x.prdc := n without probing the old one. Ours: n is probed,
// for anyone may send us a name.
describe('step, notified by a peer between the predecessor and us', () => {
  it('does not adopt it before it has answered', () => {
    const { machine, wanted } = notified(peer(15));
    expect(wanted).toEqual([NOTED, 'asks p15 ping']);
    expect(machine.state.predecessor).toEqual(peer(10));
  });

  it('adopts it when it answers, and nudges the one before', () => {
    const { machine } = notified(peer(15));
    expect(machine.answered(alive(peer(15)))).toEqual(['asks p10 nudge']);
    expect(machine.state).toMatchObject({ predecessor: peer(15), rectifyWith: undefined });
  });

  it('drops it when it is silent', () => {
    const { machine } = notified(peer(15));
    expect(machine.unanswered()).toEqual([]);
    expect(machine.state).toMatchObject({ predecessor: peer(10), rectifyWith: undefined });
  });

  it('drops it when it is not a member', () => {
    const { machine } = notified(peer(15));
    const answer = {
      kind: 'alive',
      self: peer(15),
      predecessor: undefined,
      stage: 'joining',
    } as const;
    expect(machine.answered(answer)).toEqual([]);
    expect(machine.state).toMatchObject({ predecessor: peer(10), rectifyWith: undefined });
  });

  it('lets it go when it is busy, and asks nobody again at once', () => {
    const { machine } = notified(peer(15));
    expect(machine.answered({ kind: 'busy' })).toEqual([]);
    expect(machine.state).toMatchObject({ predecessor: peer(10), rectifyWith: undefined });
  });

  it('takes any peer while it has no predecessor', () => {
    const { machine, wanted } = notified(peer(40), { predecessor: undefined });
    expect(wanted).toEqual([NOTED, 'asks p40 ping']);
    expect(machine.answered(alive(peer(40)))).toEqual([]);
    expect(machine.state.predecessor).toEqual(peer(40));
  });

  it('takes a later life of its predecessor', () => {
    const machine = new LoneMachine();
    const question = { kind: 'notify', candidate: peer(10, 2) } as const;
    expect(machine.asked(1, question, peer(15))).toEqual([NOTED, 'asks p10.2 ping']);
    expect(machine.answered(alive(peer(10, 2)))).toEqual(['asks p10 nudge']);
    expect(machine.state.predecessor).toEqual(peer(10, 2));
  });

  it('makes a founder that is alone look for its successor at once', () => {
    const { machine } = notified(peer(40), { predecessor: undefined, successors: [] });
    expect(machine.answered(alive(peer(40)))).toEqual(['asks p40 neighbors']);
  });
});

// Zave, Rectify: else probe x.prdc: live: no change; dead: x.prdc := n.
describe('step, notified by a peer behind the predecessor', () => {
  it('keeps a predecessor that answers, and drops the peer', () => {
    const { machine, wanted } = notified(peer(5));
    expect(wanted).toEqual([NOTED, 'asks p10 ping']);
    expect(machine.answered(alive(peer(10)))).toEqual([]);
    expect(machine.state).toMatchObject({ predecessor: peer(10), rectifyWith: undefined });
  });

  it('replaces a predecessor that is silent, once the peer has answered', () => {
    const { machine } = notified(peer(5));
    expect(machine.unanswered()).toEqual(['lost p10', 'asks p5 ping']);
    expect(machine.state.predecessor).toBeUndefined();
    expect(machine.answered(alive(peer(5)))).toEqual([]);
    expect(machine.state).toMatchObject({ predecessor: peer(5), rectifyWith: undefined });
  });

  it('replaces a predecessor that has left', () => {
    const { machine } = notified(peer(5));
    const answer = {
      kind: 'alive',
      self: peer(10),
      predecessor: undefined,
      stage: 'left',
    } as const;
    expect(machine.answered(answer)).toEqual(['lost p10', 'asks p5 ping']);
  });

  it('replaces a predecessor that is in another life', () => {
    const { machine } = notified(peer(5));
    expect(machine.answered(alive(peer(10, 2)))).toEqual(['lost p10', 'asks p5 ping']);
  });

  it('keeps a predecessor that is busy', () => {
    const { machine } = notified(peer(5));
    expect(machine.answered({ kind: 'busy' })).toEqual([]);
    expect(machine.state).toMatchObject({ predecessor: peer(10), rectifyWith: undefined });
  });
});

describe('step, notified of what it need not look at', () => {
  it.each([
    { title: 'its predecessor', candidate: peer(10) },
    { title: 'itself', candidate: peer(20) },
    { title: 'another life of itself', candidate: peer(20, 2) },
  ])('takes note of $title and asks nobody', ({ candidate }) => {
    const { machine, wanted } = notified(candidate);
    expect(wanted).toEqual([NOTED]);
    expect(machine.state.rectifyWith).toBeUndefined();
  });
});

// verdi-chord: a pending rectify is replaced only by a better notifier: between(saved, src, me).
describe('step, notified while a question is in flight', () => {
  it.each([
    { title: 'the only one', candidates: peers(15), best: peer(15) },
    { title: 'the nearest, come last', candidates: peers(12, 15), best: peer(15) },
    { title: 'the nearest, come first', candidates: peers(15, 12), best: peer(15) },
    { title: 'the nearest across 0', candidates: peers(60, 5), best: peer(5) },
    { title: 'a later life', candidates: [peer(15), peer(15, 2)], best: peer(15, 2) },
    { title: 'no former life', candidates: [peer(15, 2), peer(15)], best: peer(15, 2) },
  ])('keeps $title', ({ candidates, best }) => {
    const machine = notifiedMeanwhile(...candidates);
    expect(machine.state.rectifyWith).toEqual(best);
  });

  it('looks at the candidate before it looks at its successor again', () => {
    const machine = notifiedMeanwhile(peer(15));
    machine.asked(2, { kind: 'nudge' });
    expect(successorAnswers(machine)).toEqual(['asks p15 ping']);
    expect(machine.answered(alive(peer(15)))).toEqual(['asks p10 nudge', 'asks p30 neighbors']);
  });

  it('looks at a better one next when it comes while another is probed', () => {
    const { machine } = notified(peer(12));
    machine.asked(2, { kind: 'notify', candidate: peer(15) });
    expect(machine.answered(alive(peer(12)))).toEqual(['asks p10 nudge', 'asks p15 ping']);
    expect(machine.answered(alive(peer(15)))).toEqual(['asks p12 nudge']);
    expect(machine.state.predecessor).toEqual(peer(15));
  });
});
