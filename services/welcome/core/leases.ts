/**
 * When each membership ends unless it is renewed.
 *
 * All leases have one length and time does not run back, so the order of renewal is the order of
 * ending: a map that keeps the order of insertion is the whole queue, and a renewal is O(1). Times
 * are monotonic milliseconds: setting the system's clock changes nothing.
 *
 * Silence means death only while we listen. When this process stood still (SIGSTOP, a paused
 * container, swap), nobody could renew meanwhile; so, as after a restart, all get one full lease of
 * grace. A timer that is a little behind is not that.
 */
import type { RingId } from '../../peer/core/ring-space.js';

/** Share of a lease by which a look at the leases may be late, and the least of it in ms. */
const LATE_SHARE = 0.1;
const LATE_MS_MIN = 500;

export class Leases {
  /** Ends of leases, the next to end first. */
  readonly #ends = new Map<RingId, number>();
  readonly #ttlMs: number;

  /** Leases of so many milliseconds. */
  constructor(ttlMs: number) {
    this.#ttlMs = ttlMs;
  }

  /** Gives one full lease from now on; to a ring ID that has one, instead of that. */
  renew(ringId: RingId, nowMs: number): void {
    this.#ends.delete(ringId);
    this.#ends.set(ringId, nowMs + this.#ttlMs);
  }

  /** Ends a lease; does nothing where there is none. */
  remove(ringId: RingId): void {
    this.#ends.delete(ringId);
  }

  /** When the next lease ends; undefined when there is none. */
  nextEndMs(): number | undefined {
    return this.#ends.values().next().value;
  }

  /** Takes out the leases that have ended by now, and returns their ring IDs, first ended first. */
  takeEnded(nowMs: number): readonly RingId[] {
    if (this.#isLate(nowMs)) {
      for (const ringId of [...this.#ends.keys()]) this.renew(ringId, nowMs);
    }
    const ended: RingId[] = [];
    for (const [ringId, endMs] of this.#ends) {
      if (endMs > nowMs) break;
      this.#ends.delete(ringId);
      ended.push(ringId);
    }
    return ended;
  }

  /** Whether a lease ended so long ago that nobody can have been looking. */
  #isLate(nowMs: number): boolean {
    const endMs = this.nextEndMs();
    const lateMs = Math.max(LATE_MS_MIN, LATE_SHARE * this.#ttlMs);
    return endMs !== undefined && nowMs - endMs > lateMs;
  }
}
