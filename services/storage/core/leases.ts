/**
 * When each entry with a lease ends unless it is renewed.
 *
 * Times are monotonic milliseconds: setting the system's clock changes nothing.
 *
 * Silence means death only while we listen. When this process stood still (SIGSTOP, a paused
 * container, swap), nobody could renew meanwhile; so, as after a restart, all get one full lease of
 * grace. A timer that is a little behind is not that.
 */
import { SortedKeys } from '../../dht/core/sorted-keys.js';

/** Share of a lease by which a look at the leases may be late, and the least of it in ms. */
const LATE_SHARE = 0.1;
const LATE_MS_MIN = 500;
/** Digits of the end of a lease in front of its key: more than any clock gives. */
const END_DIGITS = 16;

type Lease = { readonly ttlMs: number; readonly endMs: number };

export class Leases {
  readonly #leases = new Map<string, Lease>();
  /** The end of each lease and its key, the next to end first. */
  readonly #order = new SortedKeys();

  /** Gives a key a lease of this length from now on, in place of the one that it has. */
  grant(key: string, ttlMs: number, nowMs: number): void {
    this.remove(key);
    const endMs = Math.ceil(nowMs) + ttlMs;
    this.#leases.set(key, { ttlMs, endMs });
    this.#order.add(placeOf(key, endMs));
  }

  /** Gives one full lease from now on; false when the key has none. */
  renew(key: string, nowMs: number): boolean {
    const lease = this.#leases.get(key);
    if (lease !== undefined) this.grant(key, lease.ttlMs, nowMs);
    return lease !== undefined;
  }

  /** Forgets a lease; does nothing where there is none. */
  remove(key: string): void {
    const lease = this.#leases.get(key);
    if (lease === undefined) return;
    this.#leases.delete(key);
    this.#order.delete(placeOf(key, lease.endMs));
  }

  /** When the next lease ends; undefined when there is none. */
  nextEndMs(): number | undefined {
    return this.#next()?.endMs;
  }

  /** Takes out the leases that have ended by now, and returns their keys, first ended first. */
  takeEnded(nowMs: number): readonly string[] {
    if (this.#isLate(nowMs)) {
      for (const key of [...this.#leases.keys()]) this.renew(key, nowMs);
    }
    const ended: string[] = [];
    for (let next = this.#next(); next !== undefined; next = this.#next()) {
      if (next.endMs > nowMs) break;
      this.remove(next.key);
      ended.push(next.key);
    }
    return ended;
  }

  /** Whether a lease ended so long ago that nobody can have been looking. */
  #isLate(nowMs: number): boolean {
    const next = this.#next();
    if (next === undefined) return false;
    const lateMs = Math.max(LATE_MS_MIN, LATE_SHARE * next.ttlMs);
    return nowMs - next.endMs > lateMs;
  }

  #next(): (Lease & { readonly key: string }) | undefined {
    const place = this.#order.from('').next();
    if (place.done === true) return undefined;
    const key = place.value.slice(END_DIGITS);
    const lease = this.#leases.get(key);
    return lease && { ...lease, key };
  }
}

function placeOf(key: string, endMs: number): string {
  return endMs.toString().padStart(END_DIGITS, '0') + key;
}
