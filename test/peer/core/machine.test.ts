import { describe, expect, it } from 'vitest';
import { step } from '../../../services/peer/core/machine.js';
import type { Answer, Question, Stage } from '../../../services/peer/core/messages.js';
import { peer, peers } from '../ring-text.js';
import { IN_RING, LIMITS, LoneMachine, neighbors } from './lone-machine.js';

const NEIGHBORS: Question = { kind: 'neighbors' };
const PING: Question = { kind: 'ping' };

/** What p20 says of itself before anything has changed. */
const OURS = 'neighbors p20 successors=[p30 p40 p50] predecessor=p10';

/** p20 with a question to its successor in flight. */
function waiting(limits = LIMITS): LoneMachine {
  const machine = new LoneMachine({}, limits);
  expect(machine.stabilize()).toEqual(['asks p30 neighbors']);
  return machine;
}

const knowsUs = neighbors(peer(30), peer(20), ...peers(40, 50, 60));

describe('step', () => {
  it('leaves the state that it is given as it was', () => {
    const before = structuredClone(IN_RING);
    step(IN_RING, { kind: 'ticked' }, LIMITS);
    step(IN_RING, { kind: 'leave-requested' }, LIMITS);
    expect(IN_RING).toEqual(before);
  });

  it.each<Question>([
    { kind: 'find-successor', position: 3, avoided: [] },
    {
      kind: 'deliver',
      letter: { messageId: 'm', fromRingId: 1, payload: Buffer.of(), path: [] },
    },
  ])('takes no $kind, which is not about the ring', (question) => {
    expect(() => new LoneMachine().asked(1, question)).toThrow(question.kind);
  });
});

describe('step, asked when nothing is in flight', () => {
  it('says what its neighbours are', () => {
    expect(new LoneMachine().asked(1, NEIGHBORS, peer(10))).toEqual([`answers 1 ${OURS}`]);
  });

  it('says that it lives', () => {
    const answer = 'answers 1 alive p20 member predecessor=p10';
    expect(new LoneMachine().asked(1, PING)).toEqual([answer]);
  });

  it('looks at its successor at once when it is nudged', () => {
    const machine = new LoneMachine();
    expect(machine.asked(1, { kind: 'nudge' })).toEqual(['answers 1 noted', 'asks p30 neighbors']);
  });
});

describe('step, asked while not a member', () => {
  const stages: readonly Stage[] = ['outside', 'joining', 'left'];
  const questions: readonly Question[] = [
    NEIGHBORS,
    { kind: 'nudge' },
    { kind: 'notify', candidate: peer(15) },
    { kind: 'departure', peer: peer(30) },
  ];
  const table = stages.flatMap((stage) =>
    questions.map((question) => ({ stage, kind: question.kind, question })),
  );

  it.each(table)('refuses $kind while $stage', ({ stage, question }) => {
    const machine = new LoneMachine({ stage });
    expect(machine.asked(1, question)).toEqual(['answers 1 not-member']);
    expect(machine.state).toEqual({ ...IN_RING, stage });
  });

  it.each(stages)('still says that it lives while %s', (stage) => {
    const answer = `answers 1 alive p20 ${stage} predecessor=p10`;
    expect(new LoneMachine({ stage }).asked(1, PING)).toEqual([answer]);
  });
});

// verdi-chord, quoting Zave: a query's effect counts at the moment the queried node answers. From
// sending a state-changing query until its own update, a node must not answer state queries.
describe('step, asked while a question is in flight', () => {
  it('asks no second one, however long it takes', () => {
    const machine = waiting({ ...LIMITS, stabilizeTicks: 2 });
    expect(machine.asked(1, { kind: 'nudge' })).toEqual(['answers 1 noted']);
    expect(machine.asked(2, { kind: 'notify', candidate: peer(15) })).toEqual(['answers 2 noted']);
    for (let tick = 0; tick < 20; tick += 1) expect(machine.tick()).toEqual([]);
  });

  // verdi-chord: pure liveness probes may be answered at once, since they reveal no state.
  it('says at once that it lives', () => {
    const answer = 'answers 1 alive p20 member predecessor=p10';
    expect(waiting().asked(1, PING, peer(10))).toEqual([answer]);
  });

  it('holds questions about its neighbours, and answers them in order with what has become', () => {
    const machine = waiting();
    expect(machine.asked(1, NEIGHBORS, peer(10))).toEqual([]);
    expect(machine.asked(2, NEIGHBORS)).toEqual([]);
    const ours = 'neighbors p20 successors=[p30 p40 p60] predecessor=p10';
    const given = neighbors(peer(30), peer(20), ...peers(40, 60));
    expect(machine.answered(given)).toEqual([
      'asks p10 nudge',
      `answers 1 ${ours}`,
      `answers 2 ${ours}`,
    ]);
    expect(machine.state.held).toEqual([]);
  });

  it('answers what it held before it asks the next question', () => {
    const machine = waiting();
    machine.asked(1, NEIGHBORS, peer(10));
    expect(machine.unanswered()).toEqual([
      'lost p30',
      'asks p40 notify p20',
      'answers 1 neighbors p20 successors=[p40 p50] predecessor=p10',
      'asks p40 neighbors',
    ]);
  });

  it('goes on holding while it looks at a candidate', () => {
    const machine = waiting();
    machine.asked(1, NEIGHBORS, peer(10));
    expect(machine.answered(neighbors(peer(30), peer(25), ...peers(40, 50)))).toEqual([
      'asks p25 neighbors',
    ]);
    expect(machine.unanswered()).toEqual(['asks p30 notify p20', `answers 1 ${OURS}`]);
  });

  it('is busy when it holds as many as it may', () => {
    const machine = waiting();
    expect(machine.asked(1, NEIGHBORS)).toEqual([]);
    expect(machine.asked(2, NEIGHBORS)).toEqual([]);
    expect(machine.asked(3, NEIGHBORS)).toEqual(['answers 3 busy']);
    expect(machine.answered(knowsUs)).toHaveLength(2);
  });

  it('is busy to whom it has held for as long as it may, not before', () => {
    const machine = waiting();
    machine.asked(1, NEIGHBORS);
    machine.tick();
    machine.asked(2, NEIGHBORS);
    for (let tick = 2; tick < LIMITS.heldTicksMax; tick += 1) expect(machine.tick()).toEqual([]);
    expect(machine.tick()).toEqual(['answers 1 busy']);
    expect(machine.tick()).toEqual(['answers 2 busy']);
    expect(machine.answered(knowsUs)).toEqual([]);
  });

  it.each([
    {
      title: 'holds the question of whom it waits for, as the smaller',
      to: 30,
      from: 30,
      held: true,
    },
    { title: 'is busy to whom it waits for, as the larger', to: 10, from: 10, held: false },
    {
      title: 'holds the question of a smaller one that it does not wait for',
      to: 30,
      from: 10,
      held: true,
    },
    {
      title: 'holds the question of a larger one that it does not wait for',
      to: 10,
      from: 30,
      held: true,
    },
  ])('$title', ({ to, from, held }) => {
    const pending = { requestId: 9, to: peer(to), purpose: 'rectify-predecessor' } as const;
    const machine = new LoneMachine({ pending });
    expect(machine.asked(1, NEIGHBORS, peer(from))).toEqual(held ? [] : ['answers 1 busy']);
  });
});

// verdi-chord: a busy reply proves that the peer is alive; only silence is evidence of death. Ours:
// incarnations. A peer presumed dead that returns is a new joiner, never a silent survivor.
describe('step, when its question ends', () => {
  it('keeps a busy peer and asks it again within 4 ticks', () => {
    const machine = waiting();
    expect(machine.answered({ kind: 'busy' })).toEqual([]);
    expect(machine.state.successors).toEqual(IN_RING.successors);
    const later = Array.from({ length: 4 }, () => machine.tick());
    expect(later.flat()).toEqual(['asks p30 neighbors']);
  });

  it('does not make all busy peers of a ring ask again at one moment', () => {
    const dueAt = Array.from({ length: 32 }, (_, ringId) => {
      const machine = new LoneMachine({ self: peer(ringId), successors: peers(40) });
      machine.stabilize();
      machine.answered({ kind: 'busy' });
      return machine.state.stabilizeAtTick - machine.state.tick;
    });
    expect([...new Set(dueAt)].sort()).toEqual([1, 2, 3, 4]);
  });

  it.each<{ title: string; answer: Answer }>([
    { title: 'its life is over', answer: { kind: 'stale' } },
    { title: 'it is not in the ring', answer: { kind: 'not-member' } },
    { title: 'it is in another life', answer: neighbors(peer(30, 2), peer(20), peer(40)) },
    { title: 'it is another peer', answer: neighbors(peer(31), peer(20), peer(40)) },
  ])('drops a successor that shows that $title', ({ answer }) => {
    const machine = waiting();
    expect(machine.answered(answer)).toEqual([
      'lost p30',
      'asks p40 notify p20',
      'asks p40 neighbors',
    ]);
    expect(machine.state.successors).toEqual(peers(40, 50));
  });

  it.each<{ title: string; kind: 'answered' | 'unanswered' }>([
    { title: 'an answer', kind: 'answered' },
    { title: 'a silence', kind: 'unanswered' },
  ])('takes no notice of $title to another question than the one in flight', ({ kind }) => {
    const machine = waiting();
    const before = machine.state;
    const requestId = 999;
    const event =
      kind === 'answered' ? { kind, requestId, answer: knowsUs } : ({ kind, requestId } as const);
    expect(machine.feed(event)).toEqual([]);
    expect(machine.state).toEqual(before);
  });

  it('takes no notice of the same answer a second time', () => {
    const machine = waiting();
    const requestId = machine.state.pending!.requestId;
    machine.answered(knowsUs);
    const given = neighbors(peer(30), peer(20), ...peers(35));
    expect(machine.feed({ kind: 'answered', requestId, answer: given })).toEqual([]);
    expect(machine.state.successors).toEqual(peers(30, 40, 50));
  });
});

describe('step, when a later life of a neighbour asks', () => {
  it('forgets the life before and looks at the next successor', () => {
    const machine = new LoneMachine();
    expect(machine.asked(1, PING, peer(30, 2))).toEqual([
      'lost p30',
      'answers 1 alive p20 member predecessor=p10',
      'asks p40 neighbors',
    ]);
    expect(machine.state.successors).toEqual(peers(40, 50));
  });

  it('forgets it where it is predecessor and successor at once', () => {
    const machine = new LoneMachine({ predecessor: peer(30), successors: peers(30) });
    machine.asked(1, PING, peer(30, 2));
    expect(machine.state).toMatchObject({ predecessor: undefined, successors: [] });
  });

  it.each([
    { title: 'the same life', from: peer(30) },
    { title: 'a former life', from: peer(30, 0) },
    { title: 'a later life of a stranger', from: peer(31, 2) },
  ])('keeps its neighbours when $title asks', ({ from }) => {
    const machine = new LoneMachine();
    expect(machine.asked(1, PING, from)).toHaveLength(1);
    expect(machine.state).toEqual(IN_RING);
  });
});
