/**
 * Many peers die at once, and the others look up before anything is repaired (section V-D, Table II).
 */
import type { LookupResult } from '../../services/peer/core/lookup.js';
import type { RingMember } from '../../services/peer/core/member.js';
import { below, oneOf, type Chance } from '../../services/system/chance.js';
import { FrozenRing } from './frozen-ring.js';
import { growRing, ownerAmong, RING_SIZE } from '../grown-ring.js';
import { summarize, type Summary } from './statistics.js';

export type FailureOptions = {
  readonly nodes: number;
  readonly successorsMax: number;
  /** At each fraction, spread evenly over the draws. */
  readonly lookups: number;
  /** How often the dead are drawn anew: who they are matters much. */
  readonly draws: number;
  readonly fractions: readonly number[];
};

export type FailureRow = {
  readonly fraction: number;
  /** Distinct peers that answered, the owner counted. */
  readonly pathLength: Summary;
  /** Questions that were answered: a peer that named a dead one is asked again. */
  readonly answers: Summary;
  readonly timeouts: Summary;
  readonly failed: number;
};

type Outcome = { readonly result: LookupResult; readonly isRight: boolean };

export function measureFailures(options: FailureOptions): readonly FailureRow[] {
  const { nodes, successorsMax, lookups, draws, fractions } = options;
  const { world, chance } = growRing({ nodes, successorsMax, seed: 1 });
  const members = world.members.flatMap(({ member }) => member ?? []);
  return fractions.map((fraction) => {
    const outcomes = Array.from({ length: draws }, () => {
      const living = survivors(members, Math.round(fraction * members.length), chance);
      return lookUpAmong(living, Math.ceil(lookups / draws), chance);
    });
    return rowOf(fraction, outcomes.flat());
  });
}

/** All but so many, who are picked at random; in ring order. */
function survivors(members: readonly RingMember[], dead: number, chance: Chance): RingMember[] {
  const living = [...members];
  for (let index = 0; index < dead; index += 1) living.splice(below(chance, living.length), 1);
  return living.sort((one, other) => one.state.self.ringId - other.state.self.ringId);
}

function lookUpAmong(
  living: readonly RingMember[],
  lookups: number,
  chance: Chance,
): readonly Outcome[] {
  const frozen = new FrozenRing(living);
  const peers = living.map(({ state }) => state.self);
  return Array.from({ length: lookups }, () => {
    const asker = oneOf(chance, living);
    if (asker === undefined) throw new Error('nobody is left to look up');
    const position = below(chance, RING_SIZE);
    const result = frozen.lookup(asker, position);
    return { result, isRight: result.owner?.ringId === ownerAmong(peers, position).ringId };
  });
}

function rowOf(fraction: number, outcomes: readonly Outcome[]): FailureRow {
  const results = outcomes.map(({ result }) => result);
  return {
    fraction,
    pathLength: summarize(results.map(distinctPeers)),
    answers: summarize(results.map(({ hops }) => hops.length)),
    timeouts: summarize(results.map(({ timeouts }) => timeouts)),
    failed: outcomes.filter(({ isRight }) => !isRight).length,
  };
}

/** Peers that answered during a lookup, each counted once. */
export function distinctPeers({ hops }: LookupResult): number {
  return new Set(hops.map(({ peer }) => peer.ringId)).size;
}
