/**
 * Which parts of the ring this peer keeps copies of, for which owners, and where it has all of them.
 *
 * The owner of a range tells those that keep its copies so, again and again: a lease. As soon as the
 * owner has made sure that the copies are the same, the lease says that this one is whole; only then
 * may what this peer lacks be called absent. Of two leases for one position the one of the nearer owner
 * counts: an owner whose range was cut in two still has older leases out.
 */
import { distance, type RingId } from '../../peer/core/ring-space.js';
import type { ReplicaSet } from './replica-set.js';
import { isInRange, spansOf, union, type Span } from './span.js';

/** How long a lease lasts; owners renew it several times in between. */
export const LEASE_MS = 4_000;
/** Leases that are kept; an owner has one, and a peer keeps copies for N - 1 owners. */
const LEASES_MAX = 64;

type Lease = {
  readonly set: ReplicaSet;
  readonly isWhole: boolean;
  readonly endsAtMs: number;
};

export class Coverage {
  readonly #ringSize: number;
  readonly #leases = new Map<RingId, Lease>();

  constructor(ringSize: number) {
    this.#ringSize = ringSize;
  }

  grant(set: ReplicaSet, isWhole: boolean, nowMs: number): void {
    this.#leases.delete(set.range.upTo);
    this.#leases.set(set.range.upTo, { set, isWhole, endsAtMs: nowMs + LEASE_MS });
    const [oldest] = this.#leases.keys();
    if (this.#leases.size > LEASES_MAX && oldest !== undefined) this.#leases.delete(oldest);
  }

  /** The owner says that this peer keeps no copy for it any more. */
  revoke(owner: RingId): void {
    this.#leases.delete(owner);
  }

  expire(nowMs: number): void {
    for (const [owner, { endsAtMs }] of this.#leases) {
      if (endsAtMs <= nowMs) this.#leases.delete(owner);
    }
  }

  clear(): void {
    this.#leases.clear();
  }

  /** The set of the lease that counts for a position. */
  setFor(position: RingId): ReplicaSet | undefined {
    return this.#leaseFor(position)?.set;
  }

  isWholeAt(position: RingId): boolean {
    return this.#leaseFor(position)?.isWhole ?? false;
  }

  get sets(): readonly ReplicaSet[] {
    return [...this.#leases.values()].map(({ set }) => set);
  }

  get spans(): readonly Span[] {
    return this.#spansOf([...this.#leases.values()]);
  }

  get wholeSpans(): readonly Span[] {
    return this.#spansOf([...this.#leases.values()].filter(({ isWhole }) => isWhole));
  }

  #spansOf(leases: readonly Lease[]): readonly Span[] {
    return union(leases.flatMap(({ set }) => spansOf(set.range, this.#ringSize)));
  }

  #leaseFor(position: RingId): Lease | undefined {
    let nearest: Lease | undefined;
    let steps = Number.POSITIVE_INFINITY;
    for (const lease of this.#leases.values()) {
      const { range } = lease.set;
      const toOwner = distance(position, range.upTo, this.#ringSize);
      if (toOwner >= steps || !isInRange(position, range)) continue;
      nearest = lease;
      steps = toOwner;
    }
    return nearest;
  }
}
