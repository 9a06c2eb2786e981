/**
 * Path length on a ring at rest (section V-C, Figure 10): lookups of random positions by random
 * peers, in the simulator.
 */
import type { LookupResult } from '../../services/peer/core/lookup.js';
import { below, oneOf } from '../../services/system/chance.js';
import { growRing, RING_SIZE, type GrownRing } from '../grown-ring.js';
import { summarize, type Summary } from './statistics.js';

export type PathOptions = {
  readonly nodes: number;
  readonly successorsMax: number;
  /** Spread evenly over the rings. */
  readonly lookups: number;
  /** Small rings differ much from each other; the mean is taken over so many. */
  readonly rings: number;
};

export type PathLengths = PathOptions & {
  /** Peers asked on the way; neither the one that looks up nor the owner counts. */
  readonly forwards: Summary;
  /** The same with the owner, and 0 where a peer owns the position itself. */
  readonly withOwner: Summary;
  readonly forwardsOfEach: readonly number[];
};

export function measurePathLength(options: PathOptions): PathLengths {
  const { nodes, successorsMax, lookups, rings } = options;
  const results = Array.from({ length: rings }, (_, index) => {
    const ring = growRing({ nodes, successorsMax, seed: index + 1 });
    return lookUpAll(ring, Math.ceil(lookups / rings));
  }).flat();
  const hops = results.map((result) => result.hops.length);
  const forwardsOfEach = hops.map((count) => Math.max(0, count - 1));
  return {
    ...options,
    forwards: summarize(forwardsOfEach),
    withOwner: summarize(hops),
    forwardsOfEach,
  };
}

/** So many lookups at once: they change nothing, so none sees another. */
function lookUpAll({ world, chance }: GrownRing, count: number): readonly LookupResult[] {
  const { members } = world;
  const results: LookupResult[] = [];
  for (let index = 0; index < count; index += 1) {
    oneOf(chance, members)?.member?.lookup(below(chance, RING_SIZE), (result) => {
      if (result.owner === undefined) throw new Error('a lookup failed on a ring at rest');
      results.push(result);
    });
  }
  while (results.length < count && world.timeline.runNext());
  return results;
}
