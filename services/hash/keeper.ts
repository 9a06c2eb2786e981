/**
 * Hands out ring IDs: one per address, one address per ring ID, on any store.
 *
 * Every change reads entries, decides, and commits on the condition that what was read still holds;
 * who loses that race decides again. A lost race means that another commit succeeded, so of many
 * callers at once one always gets further.
 */
import { decodePageToken, encodePageToken, pageSizeOf } from '../rpc/page-token.js';
import type { Store } from '../storage/store.js';
import {
  ADDRESS_PREFIX,
  addressKey,
  judge,
  LAST_RELEASE_KEY,
  listingOf,
  ringIdKey,
  ringIdOfKey,
  startSearch,
} from './core/assignment.js';
import { firstChoice } from './core/digest.js';
import {
  addressOf,
  type Assignment,
  commitOfAssignment,
  commitOfRelease,
  ringIdOf,
} from './records.js';
import {
  addressUnknown,
  ringFull,
  ringIdInUse,
  ringIdOutOfRange,
  ringIdUnassigned,
} from './refusals.js';

/** Taken positions to read at first, and at most; each page is eight times the one before. */
const PROBE_LIMIT_FIRST = 1;
const PROBE_LIMIT_MAX = 1000;
/** A page of assignments ends early behind this many characters: gRPC messages end at 4 MiB. */
const PAGE_LENGTH_MAX = 1_000_000;
const LIST_SCOPE = 'hash/assignments';

export type HashKeeperDeps = {
  readonly store: Store;
  /** Number of positions, from 1 to 2^53. */
  readonly ringSize: number;
  /** Whether the peer with this ring ID is a member of the ring now. */
  readonly isMember: (ringId: number) => Promise<boolean>;
};

export type AssignedRingId = { readonly ringId: number; readonly alreadyAssigned: boolean };

export type AssignmentPage = {
  readonly assignments: readonly Assignment[];
  /** Empty only after the last page. */
  readonly nextPageToken: string;
};

export class HashKeeper {
  readonly #store: Store;
  readonly #ringSize: number;
  readonly #isMember: (ringId: number) => Promise<boolean>;
  /** Revision of the last release before the ring was seen full: it still is while that stays. */
  #fullSince: number | undefined;

  constructor({ store, ringSize, isMember }: HashKeeperDeps) {
    this.#store = store;
    this.#ringSize = ringSize;
    this.#isMember = isMember;
  }

  /** How old the answers are, in ms; undefined while the store is in touch. */
  get ageMs(): number | undefined {
    return this.#store.ageMs;
  }

  /** Assigns a ring ID, or returns the one the address has. Throws `RING_FULL`. */
  async assign(address: string): Promise<AssignedRingId> {
    for (;;) {
      const assigned = await this.#assigned(address);
      if (assigned !== undefined) return assigned;
      const ringId = await this.#findFree(address);
      if (ringId === undefined) return this.#assignedOnFullRing(address);
      if (await this.#store.commit(commitOfAssignment({ address, ringId }))) {
        return { ringId, alreadyAssigned: false };
      }
    }
  }

  /** Throws `ADDRESS_UNKNOWN`. */
  async getRingId(address: string): Promise<number> {
    const entry = await this.#store.get(addressKey(address));
    if (entry === undefined) throw addressUnknown(address);
    return ringIdOf(entry.value);
  }

  /** Throws `RING_ID_OUT_OF_RANGE` or `RING_ID_UNASSIGNED`. */
  async getAddress(ringId: number): Promise<string> {
    const isInRange = Number.isInteger(ringId) && ringId >= 0 && ringId < this.#ringSize;
    if (!isInRange) throw ringIdOutOfRange(ringId, this.#ringSize);
    const entry = await this.#store.get(ringIdKey(ringId));
    if (entry === undefined) throw ringIdUnassigned(ringId);
    return addressOf(entry.value);
  }

  /**
   * Takes the ring ID of an address back and returns it. Throws `ADDRESS_UNKNOWN` or
   * `RING_ID_IN_USE`.
   *
   * Hazard: (1) we ask whether the peer is a member: no; (2) it joins; (3) we delete its
   * assignment. Whoever admits a peer therefore puts the entry `addressKey(address)` again, with
   * the same value, in the commit that makes it a member. We read that entry before we ask, so the
   * new revision makes our commit fail, and we ask again.
   */
  async release(address: string): Promise<number> {
    for (;;) {
      const entry = await this.#store.get(addressKey(address));
      if (entry === undefined) throw addressUnknown(address);
      const ringId = ringIdOf(entry.value);
      if (await this.#isMember(ringId)) throw ringIdInUse(ringId);
      if (await this.#store.commit(commitOfRelease(entry))) return ringId;
    }
  }

  /** Lists assignments in the order of their addresses' UTF-8 bytes. Throws `PAGE_TOKEN_INVALID`. */
  async list(pageSize: number, pageToken: string): Promise<AssignmentPage> {
    const after = decodePageToken(pageToken, LIST_SCOPE);
    const size = pageSizeOf(pageSize);
    const entries = await this.#store.list({
      prefix: ADDRESS_PREFIX,
      after: after === undefined ? undefined : addressKey(after),
      limit: size + 1,
    });
    const assignments: Assignment[] = [];
    let length = 0;
    for (const { key, value } of entries.slice(0, size)) {
      if (length > PAGE_LENGTH_MAX) break;
      length += key.length;
      assignments.push({ address: key.slice(ADDRESS_PREFIX.length), ringId: ringIdOf(value) });
    }
    const last = assignments.at(-1);
    const isLastPage = last === undefined || assignments.length === entries.length;
    const nextPageToken = isLastPage
      ? ''
      : encodePageToken({ scope: LIST_SCOPE, after: last.address });
    return { assignments, nextPageToken };
  }

  async #assigned(address: string): Promise<AssignedRingId | undefined> {
    const entry = await this.#store.get(addressKey(address));
    return entry && { ringId: ringIdOf(entry.value), alreadyAssigned: true };
  }

  /** The last position may have gone to this very address, asked for by two callers at once. */
  async #assignedOnFullRing(address: string): Promise<AssignedRingId> {
    const assigned = await this.#assigned(address);
    if (assigned === undefined) throw ringFull(this.#ringSize);
    return assigned;
  }

  /**
   * Returns a position that was free a moment ago, or undefined when none was.
   *
   * A search reads pages at different moments, so finding all taken proves nothing while somebody
   * releases; when no release came in between, it does.
   */
  async #findFree(address: string): Promise<number | undefined> {
    for (;;) {
      const release = (await this.#store.get(LAST_RELEASE_KEY))?.revision ?? 0;
      if (this.#fullSince === release) return undefined;
      const ringId = await this.#search(address);
      if (ringId !== undefined) return ringId;
      this.#fullSince = release;
    }
  }

  /** Returns undefined when each position was taken at the moment that it was looked at. */
  async #search(address: string): Promise<number | undefined> {
    let search = startSearch(firstChoice(address, this.#ringSize), this.#ringSize);
    let limit = PROBE_LIMIT_FIRST;
    for (;;) {
      const entries = await this.#store.list(listingOf(search, limit));
      const taken = entries.map(({ key }) => ringIdOfKey(key));
      const finding = judge(search, taken);
      if (finding.kind === 'free') return finding.ringId;
      if (finding.kind === 'full') return undefined;
      search = finding.search;
      limit = Math.min(8 * limit, PROBE_LIMIT_MAX);
    }
  }
}
