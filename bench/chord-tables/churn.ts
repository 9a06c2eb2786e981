/**
 * Lookups while peers come and go without pause (section V-E, Table III).
 *
 * Joins, crashes and lookups are three Poisson processes. A leaving peer says nothing, as in the
 * paper. A lookup has failed when the owner it found is not the first living member at or after the
 * position at the moment the lookup ends; a member is whoever has joined, known to others or not.
 */
import type { LookupResult } from '../../services/peer/core/lookup.js';
import { below, oneOf } from '../../services/system/chance.js';
import { CALM, type NetworkFaults } from '../../services/simulator/plan.js';
import type { World } from '../../services/simulator/world.js';
import { growRing, ownerAmong, RING_SIZE, runFor, type GrownRing } from '../grown-ring.js';
import { distinctPeers } from './massive-failure.js';
import { summarize, type Summary } from './statistics.js';

/** Mean one-way delay 50 ms, as in the paper; evenly spread, where the paper's is exponential. */
const NETWORK: NetworkFaults = {
  ...CALM,
  delay: { distribution: 'uniform', min: 0, max: 100 },
};
/** 30 s, the middle of the paper's 15 to 45 s, for the successor and for the finger table. */
const STABILIZE_TICKS = 300;
/** Churn before the first lookup that counts: every pointer has been looked at under churn. */
const WARM_UP_MS = 120_000;
/** The paper has one. Lookups change nothing: more of them only see the same churn more often. */
export const LOOKUPS_PER_SECOND = 5;

export type ChurnOptions = {
  readonly nodes: number;
  readonly successorsMax: number;
  readonly lookups: number;
  /** Joins each second, and as many crashes. */
  readonly perSecond: number;
};

export type ChurnRow = {
  readonly perSecond: number;
  readonly lookups: number;
  /** Distinct peers that answered, the owner counted. */
  readonly pathLength: Summary;
  readonly timeouts: Summary;
  readonly failed: number;
  /** Members when the run ended. */
  readonly membersAtEnd: number;
};

export function measureChurn(options: ChurnOptions): ChurnRow {
  const { nodes, successorsMax, lookups, perSecond } = options;
  const limits = { stabilizeTicks: STABILIZE_TICKS, fingerTicks: STABILIZE_TICKS };
  const ring = growRing({ nodes, successorsMax, seed: 1, network: NETWORK, limits });
  const { world, chance, join } = ring;
  poisson(ring, perSecond, () => join(world.members));
  poisson(ring, perSecond, () => {
    const leaver = oneOf(chance, world.members);
    if (leaver !== undefined) world.crash(leaver);
  });
  runFor(world, WARM_UP_MS);
  const results: LookupResult[] = [];
  let failed = 0;
  poisson(ring, LOOKUPS_PER_SECOND, () =>
    lookUpOnce(ring, (result, isRight) => {
      results.push(result);
      if (!isRight) failed += 1;
    }),
  );
  while (results.length < lookups && world.timeline.runNext());
  return {
    perSecond,
    lookups: results.length,
    pathLength: summarize(results.map(distinctPeers)),
    timeouts: summarize(results.map(({ timeouts }) => timeouts)),
    failed,
    membersAtEnd: world.members.length,
  };
}

/** Lets something happen again and again, at exponentially spread intervals of whole ms. */
function poisson(ring: GrownRing, perSecond: number, act: () => void): void {
  const gapMs = Math.round((-Math.log(1 - ring.chance.unit()) / perSecond) * 1_000);
  ring.world.timeline.after(gapMs, () => {
    act();
    poisson(ring, perSecond, act);
  });
}

/** A lookup by a random member; one that crashes meanwhile never hears the result. */
function lookUpOnce(
  { world, chance }: GrownRing,
  done: (result: LookupResult, isRight: boolean) => void,
): void {
  const position = below(chance, RING_SIZE);
  oneOf(chance, world.members)?.member?.lookup(position, (result) =>
    done(result, result.owner?.ringId === currentOwner(world, position)),
  );
}

function currentOwner({ members }: World, position: number): number {
  const ring = members.flatMap(({ member }) => member?.state.self ?? []);
  return ownerAmong(
    ring.sort((one, other) => one.ringId - other.ringId),
    position,
  ).ringId;
}
