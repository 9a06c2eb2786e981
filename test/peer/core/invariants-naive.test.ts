import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { judge } from '../../../services/peer/core/invariants.js';
import type { Neighbors } from '../../../services/peer/core/messages.js';
import type { PeerRef } from '../../../services/peer/core/ring-space.js';
import { peer } from '../ring-text.js';
import { judgeNaively } from './naive-judge.js';

const RING_SIZE = 9;

const anyPeer = fc
  .tuple(fc.nat(RING_SIZE - 1), fc.constantFrom(1, 1, 1, 2))
  .map(([ringId, incarnation]) => peer(ringId, incarnation));

/** A ring whose pointers are what they should be. */
const idealRing = fc
  .uniqueArray(fc.nat(RING_SIZE - 1), { minLength: 1, maxLength: RING_SIZE })
  .map((ringIds) => [...ringIds].sort((one, other) => one - other));

function idealViews(ringIds: readonly number[], successorsMax: number): readonly Neighbors[] {
  return ringIds.map((ringId, index) => {
    const others = [...ringIds.slice(index + 1), ...ringIds.slice(0, index)].map((it) => peer(it));
    const successors = others.slice(0, successorsMax);
    return { self: peer(ringId), predecessor: others.at(-1), successors };
  });
}

type Change = {
  readonly at: number;
  readonly kind: 'dies' | 'restarts' | 'list' | 'entry' | 'shorter' | 'predecessor';
  readonly peers: readonly PeerRef[];
};

const anyChange: fc.Arbitrary<Change> = fc.record({
  at: fc.nat(RING_SIZE - 1),
  kind: fc.constantFrom('dies', 'dies', 'restarts', 'list', 'entry', 'shorter', 'predecessor'),
  peers: fc.array(anyPeer, { maxLength: 4 }),
});

function apply(views: readonly Neighbors[], change: Change): readonly Neighbors[] {
  const index = change.at % Math.max(1, views.length);
  const view = views[index];
  if (view === undefined) return views;
  const changed = changedView(view, change);
  return views.flatMap((it, place) => (place === index ? changed : [it]));
}

function changedView(view: Neighbors, { at, kind, peers }: Change): readonly Neighbors[] {
  const [first] = peers;
  switch (kind) {
    case 'dies':
      return [];
    case 'restarts':
      return [{ ...view, self: { ...view.self, incarnation: view.self.incarnation + 1 } }];
    case 'list':
      return [{ ...view, successors: peers }];
    case 'entry':
      return [{ ...view, successors: view.successors.toSpliced(at, 1, ...peers.slice(0, 1)) }];
    case 'shorter':
      return [{ ...view, successors: view.successors.slice(0, -1) }];
    case 'predecessor':
      return [{ ...view, predecessor: first }];
  }
}

/** A ring as it should be, with a few changes. */
const changedRing = fc
  .tuple(idealRing, fc.integer({ min: 1, max: 4 }), fc.array(anyChange, { maxLength: 5 }))
  .map(([ringIds, successorsMax, changes]) => ({
    successorsMax,
    views: changes.reduce(apply, idealViews(ringIds, successorsMax)),
  }));

/** Members that point at any others: several rings, and rings that go round several times. */
const tangledRing = fc
  .tuple(
    idealRing,
    fc.integer({ min: 1, max: 2 }),
    fc.array(fc.nat(), { minLength: 18, maxLength: 18 }),
  )
  .map(([ringIds, successorsMax, picks]) => ({
    successorsMax,
    views: ringIds.map((ringId, index) => ({
      self: peer(ringId),
      predecessor: undefined,
      successors: picks
        .slice(index * successorsMax, (index + 1) * successorsMax)
        .map((pick) => peer(ringIds[pick % ringIds.length] ?? 0)),
    })),
  }));

const anyRing = fc.oneof(changedRing, tangledRing);

/** Rules with whom they name, where the transcription says whom. */
function brokenBy(views: readonly Neighbors[], successorsMax: number): readonly string[] {
  return judge(views, successorsMax).violations.map(({ rule, peers }) => {
    const isOfOne = rule === 'ONE_LIVE_SUCCESSOR' || rule === 'ORDERED_SUCCESSOR_LISTS';
    return isOfOne ? `${rule} ${peers[0]?.ringId}` : rule;
  });
}

describe('judge', () => {
  it('agrees with the checker of the model, pair by pair, on any small ring', () => {
    fc.assert(
      fc.property(anyRing, ({ views, successorsMax }) => {
        const naive = judgeNaively(views, successorsMax);
        const { principals, isIdeal } = judge(views, successorsMax);
        expect(brokenBy(views, successorsMax)).toEqual(naive.broken);
        expect({ principalCount: principals.length, isIdeal }).toEqual({
          principalCount: naive.principals.length,
          isIdeal: naive.isIdeal,
        });
      }),
      { numRuns: 500 },
    );
  });

  it('is asked about rings that break every rule, and about ideal ones', () => {
    const seen = new Map<string, number>();
    for (const { views, successorsMax } of fc.sample(anyRing, { numRuns: 1_000, seed: 1 })) {
      const { violations, isIdeal } = judge(views, successorsMax);
      const words = [...violations.map(({ rule }) => rule), isIdeal ? 'ideal' : 'not ideal'];
      for (const word of new Set(words)) seen.set(word, (seen.get(word) ?? 0) + 1);
    }
    const rules = [
      'ONE_LIVE_SUCCESSOR',
      'SUFFICIENT_PRINCIPALS',
      'ORDERED_SUCCESSOR_LISTS',
      'ONE_ORDERED_RING',
    ];
    for (const word of [...rules, 'ideal', 'not ideal']) {
      expect(seen.get(word) ?? 0, word).toBeGreaterThan(10);
    }
    // Follows from the others: whoever stands beside one ring lies between two of its members, and
    // the list of the first passes over it.
    expect([...seen.keys()]).not.toContain('PRINCIPALS_ARE_RING_MEMBERS');
  });
});
