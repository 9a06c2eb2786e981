/**
 * A lookup in the way its caller wishes: through the route cache or not, iterative or recursive, with
 * one question at a time or several.
 */
import { askCached, cachedClaimant, type CachedOptions } from './cached-owner.js';
import type { Conversation } from './conversation.js';
import { FORWARD_HOPS_MAX, FORWARD_MS_MAX, forwardLookup } from './forward.js';
import { lookupAbreast } from './lookup-abreast.js';
import { lookup, type LookupOptions, type LookupResult } from './lookup.js';

/** Most questions of one lookup that may be under way at once. */
export const PARALLELISM_MAX = 3;

export type LookupManner = {
  readonly mode: 'iterative' | 'recursive';
  /**
   * Questions under way at once, 1 to `PARALLELISM_MAX`. Of a recursive lookup: of the iterative one
   * that follows when it failed.
   */
  readonly parallelism: number;
  readonly usesCache: boolean;
  /** How long the caller waits; a recursive lookup that failed later is not tried again. */
  readonly patienceMs: number;
};

export const USUAL_MANNER: LookupManner = {
  mode: 'iterative',
  parallelism: 1,
  usesCache: true,
  patienceMs: Number.POSITIVE_INFINITY,
};

export type FindOptions = Omit<LookupOptions, 'avoided'> & Pick<CachedOptions, 'cached'>;

/** Finds the first live peer at or after the position. */
export function* findOwner(options: FindOptions, manner: LookupManner): Conversation<LookupResult> {
  const { mode, parallelism, usesCache } = manner;
  if (mode === 'iterative' && parallelism > 1) {
    const claimant = usesCache ? cachedClaimant(options) : undefined;
    return yield* lookupAbreast({ ...options, parallelism, claimant });
  }
  if (!usesCache) return yield* walk(options, manner);
  const opening = yield* askCached(options);
  if (opening.owner !== undefined) return opening;
  return joined(opening, yield* walk(options, manner));
}

function* walk(options: FindOptions, manner: LookupManner): Conversation<LookupResult> {
  if (manner.mode === 'iterative') return yield* lookup(options);
  const { parallelism, patienceMs } = manner;
  const forwarded = yield* forwardLookup({
    ...options,
    avoided: [],
    hopsMax: FORWARD_HOPS_MAX,
    budgetMs: Math.min(FORWARD_MS_MAX, patienceMs),
  });
  if (forwarded.owner !== undefined || forwarded.elapsedMs >= patienceMs) return forwarded;
  const walked =
    parallelism > 1 ? yield* lookupAbreast({ ...options, parallelism }) : yield* lookup(options);
  return joined(forwarded, walked);
}

/** What came before and led nowhere belongs to the way all the same. */
function joined(before: LookupResult, found: LookupResult): LookupResult {
  return {
    ...found,
    hops: [...before.hops, ...found.hops],
    timeouts: before.timeouts + found.timeouts,
  };
}
