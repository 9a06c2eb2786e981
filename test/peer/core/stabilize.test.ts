import { describe, expect, it } from 'vitest';
import type { RingState } from '../../../services/peer/core/state.js';
import { peer, peers, placeText } from '../ring-text.js';
import { IN_RING, LIMITS, LoneMachine, neighbors } from './lone-machine.js';

/** p20 with a question to its successor in flight. */
function looking(changes: Partial<RingState> = {}): LoneMachine {
  const machine = new LoneMachine(changes);
  machine.stabilize();
  return machine;
}

/** p20 that has asked p25, the predecessor of its successor p30. */
function lookingAtCandidate(): LoneMachine {
  const machine = looking();
  expect(machine.answered(neighbors(peer(30), peer(25), ...peers(40, 50)))).toEqual([
    'asks p25 neighbors',
  ]);
  return machine;
}

const OURS = 'successors=[p30 p40 p50] predecessor=p10';

// Zave, StabilizeFromSuccessor: t.succ := s followed by the first r-1 entries of s.succ. Then if
// between(t, s.prdc, s): t.status := Stabilizing, t.saved := s.prdc; else notify s.
describe('step, looking at the successor', () => {
  it('asks it once in every interval', () => {
    const machine = new LoneMachine();
    const asked: number[] = [];
    for (let tick = 1; tick <= 3 * LIMITS.stabilizeTicks; tick += 1) {
      const wanted = machine.tick();
      if (wanted.length === 0) continue;
      expect(wanted).toEqual(['asks p30 neighbors']);
      asked.push(tick);
      machine.answered(neighbors(peer(30), peer(20), ...peers(40, 50, 60)));
    }
    expect(asked).toEqual([10, 20, 30]);
  });

  it('copies its list, without the end, and tells its predecessor that it did', () => {
    const machine = looking();
    expect(machine.answered(neighbors(peer(30), peer(20), ...peers(35, 40, 50)))).toEqual([
      'asks p10 nudge',
    ]);
    expect(placeText(machine.state)).toBe('successors=[p30 p35 p40] predecessor=p10');
  });

  it.each([
    { title: 'that has no predecessor', predecessor: undefined },
    { title: 'whose predecessor lies behind us', predecessor: peer(10) },
    { title: 'that knows a former life of us', predecessor: peer(20, 0) },
    { title: 'that takes itself for its predecessor', predecessor: peer(30) },
  ])('notifies a successor $title', ({ predecessor }) => {
    const machine = looking();
    const given = neighbors(peer(30), predecessor, ...peers(40, 50));
    expect(machine.answered(given)).toEqual(['asks p30 notify p20']);
    expect(placeText(machine.state)).toBe(OURS);
  });

  it('has nothing to say to a successor that knows us', () => {
    expect(looking().answered(neighbors(peer(30), peer(20), ...peers(40, 50)))).toEqual([]);
  });

  it('fills a list that was short', () => {
    const machine = looking({ successors: peers(30) });
    machine.answered(neighbors(peer(30), peer(20), ...peers(40, 50, 60)));
    expect(placeText(machine.state)).toBe(OURS);
  });
});

// Zave, StabilizeFromSuccessor, s dead: drop s, shift; notify the new succ[0].
describe('step, when the successor is silent', () => {
  it('drops it, notifies the next one and looks at that at once', () => {
    const machine = looking();
    expect(machine.unanswered()).toEqual(['lost p30', 'asks p40 notify p20', 'asks p40 neighbors']);
    expect(placeText(machine.state)).toBe('successors=[p40 p50] predecessor=p10');
  });

  it('goes through its whole list', () => {
    const machine = looking();
    machine.unanswered();
    machine.unanswered();
    machine.answered(neighbors(peer(50), peer(20), ...peers(60, 70, 80)));
    expect(placeText(machine.state)).toBe('successors=[p50 p60 p70] predecessor=p10');
  });

  it('turns to its predecessor when no successor is left', () => {
    const machine = looking({ successors: peers(30) });
    expect(machine.unanswered()).toEqual(['lost p30', 'asks p10 neighbors']);
    expect(machine.answered(neighbors(peer(10), peer(5), ...peers(20)))).toEqual([
      'asks p10 nudge',
      'asks p10 notify p20',
    ]);
    expect(placeText(machine.state)).toBe('successors=[p10] predecessor=p10');
  });

  it('is alone when neither is left, and asks nobody', () => {
    const machine = looking({ successors: peers(30), predecessor: peer(30) });
    expect(machine.unanswered()).toEqual(['lost p30']);
    expect(placeText(machine.state)).toBe('successors=[] predecessor=nobody');
    for (let tick = 0; tick < 30; tick += 1) expect(machine.tick()).toEqual([]);
  });
});

// Zave, StabilizeFromPredecessor: p live: t.succ := p followed by the first r-1 of p.succ; notify p.
// p dead: list unchanged; notify succ[0].
describe('step, looking at the predecessor of the successor', () => {
  // verdi-chord: never adopt a pointer without first contacting the node it names.
  it('does not adopt it before it has answered', () => {
    const machine = lookingAtCandidate();
    expect(placeText(machine.state)).toBe(OURS);
    for (let tick = 0; tick < 30; tick += 1) machine.tick();
    expect(placeText(machine.state)).toBe(OURS);
  });

  it('adopts it and its list when it answers', () => {
    const machine = lookingAtCandidate();
    expect(machine.answered(neighbors(peer(25), peer(10), ...peers(30, 40, 50)))).toEqual([
      'asks p10 nudge',
      'asks p25 notify p20',
    ]);
    expect(placeText(machine.state)).toBe('successors=[p25 p30 p40] predecessor=p10');
  });

  it('keeps its list when it is silent, and notifies the successor', () => {
    const machine = lookingAtCandidate();
    expect(machine.unanswered()).toEqual(['asks p30 notify p20']);
    expect(placeText(machine.state)).toBe(OURS);
  });

  it('keeps its list when it is not in the ring, and notifies the successor', () => {
    const machine = lookingAtCandidate();
    expect(machine.answered({ kind: 'not-member' })).toEqual(['asks p30 notify p20']);
    expect(placeText(machine.state)).toBe(OURS);
  });

  it('keeps its list when it is busy, and says nothing', () => {
    const machine = lookingAtCandidate();
    expect(machine.answered({ kind: 'busy' })).toEqual([]);
    expect(placeText(machine.state)).toBe(OURS);
  });

  it('adopts none that does not lie before the successor', () => {
    const pending = { requestId: 1, to: peer(35), purpose: 'stabilize-candidate' } as const;
    const machine = new LoneMachine({ pending });
    expect(machine.answered(neighbors(peer(35), peer(30), ...peers(40, 50)))).toEqual([
      'asks p30 notify p20',
    ]);
    expect(placeText(machine.state)).toBe(OURS);
  });

  it('takes an answer of the wrong kind for none', () => {
    const machine = lookingAtCandidate();
    const answer = {
      kind: 'alive',
      self: peer(25),
      predecessor: peer(10),
      stage: 'member',
    } as const;
    expect(machine.answered(answer)).toEqual([]);
    expect(machine.state.successors).toEqual(IN_RING.successors);
  });
});
