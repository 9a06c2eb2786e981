/**
 * Which ring ID an address gets, and under which keys an assignment stands in the store.
 *
 * Rules: the first choice is a function of the address (`digest.ts`); where that is taken, the next
 * free position clockwise, past the end of the ring to 0; the ring is full only after every
 * position was seen taken. The search asks for the positions that are taken from some point on, a
 * page at a time, so it reads the run of taken positions behind the first choice and nothing else,
 * however many assignments there are.
 */

/** Prefix of the keys that `addressKey` makes. */
export const ADDRESS_PREFIX = 'hash/address/';
const RING_ID_PREFIX = 'hash/ring-id/';
/** Put by every release: while its revision stays, positions only ever become taken. */
export const LAST_RELEASE_KEY = 'hash/last-release';

/** Digits of 2^53 - 1, the largest ring ID: with leading zeros the keys sort like the numbers. */
const RING_ID_DIGITS = 16;

/** Returns the key of the entry whose value is the ring ID, in decimal. */
export function addressKey(address: string): string {
  return ADDRESS_PREFIX + address;
}

/** Returns the key of the entry whose value is the address, in UTF-8. */
export function ringIdKey(ringId: number): string {
  return RING_ID_PREFIX + ringId.toString().padStart(RING_ID_DIGITS, '0');
}

/** Returns the ring ID in a key that `ringIdKey` made. */
export function ringIdOfKey(key: string): number {
  return Number(key.slice(RING_ID_PREFIX.length));
}

/** How far a search for a free position has come. */
export type Search = {
  readonly firstChoice: number;
  readonly ringSize: number;
  /** The next position to judge; all from the first choice up to it, clockwise, are taken. */
  readonly at: number;
  /** Whether it has gone past the end of the ring. */
  readonly isWrapped: boolean;
};

export type Finding =
  | { readonly kind: 'free'; readonly ringId: number }
  | { readonly kind: 'undecided'; readonly search: Search }
  | { readonly kind: 'full' };

/** Returns the search that has judged nothing yet. Assumes a first choice below the ring size. */
export function startSearch(firstChoice: number, ringSize: number): Search {
  return { firstChoice, ringSize, at: firstChoice, isWrapped: false };
}

/** Which entries to read for the next step: the ring IDs that are taken at and behind `search.at`. */
export function listingOf({ at }: Search, limit: number) {
  return { prefix: RING_ID_PREFIX, after: at === 0 ? undefined : ringIdKey(at - 1), limit };
}

/**
 * Judges one page: `taken` are the first ring IDs that are taken at and behind `search.at`, in
 * order; none means that there are none up to the end of the ring. An undecided search goes on with
 * the next page; each page but the last brings it forward, so it ends.
 */
export function judge(search: Search, taken: readonly number[]): Finding {
  let at = search.at;
  for (const ringId of taken) {
    if (ringId !== at) break;
    at += 1;
  }
  const end = search.isWrapped ? search.firstChoice : search.ringSize;
  if (at < end) {
    const hasMetGap = at < search.at + taken.length || taken.length === 0;
    return hasMetGap
      ? { kind: 'free', ringId: at }
      : { kind: 'undecided', search: { ...search, at } };
  }
  const isRound = search.isWrapped || search.firstChoice === 0;
  if (isRound) return { kind: 'full' };
  return { kind: 'undecided', search: { ...search, at: 0, isWrapped: true } };
}
