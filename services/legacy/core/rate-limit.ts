/**
 * How much one source may ask: a bucket of tokens for each host, filled steadily. Hosts that have been
 * quiet for long enough to have a full bucket need none; the table of the others has a bound, and the
 * one that was heard longest ago makes room.
 */
export type RateLimits = {
  readonly perSecond: number;
  /** Of a bucket: so many at once. */
  readonly burst: number;
  /** Most hosts that have a bucket. */
  readonly hostsMax: number;
};

/** The same limits with another rate, when one is given: twice as many at once. */
export function withRate(limits: RateLimits, perSecond: number | undefined): RateLimits {
  return perSecond === undefined ? limits : { ...limits, perSecond, burst: 2 * perSecond };
}

type Bucket = { tokens: number; atMs: number };

export class RateLimit {
  readonly #limits: RateLimits;
  /** The one heard longest ago first. */
  readonly #buckets = new Map<string, Bucket>();

  constructor(limits: RateLimits) {
    this.#limits = limits;
  }

  /** Whether one more of this host may pass now. */
  take(host: string, nowMs: number): boolean {
    const { perSecond, burst, hostsMax } = this.#limits;
    const known = this.#buckets.get(host);
    const gained = known === undefined ? burst : ((nowMs - known.atMs) * perSecond) / 1_000;
    const tokens = Math.min(burst, (known?.tokens ?? 0) + gained);
    this.#buckets.delete(host);
    this.#buckets.set(host, { tokens: tokens >= 1 ? tokens - 1 : tokens, atMs: nowMs });
    const [oldest] = this.#buckets.keys();
    if (this.#buckets.size > hostsMax && oldest !== undefined) this.#buckets.delete(oldest);
    return tokens >= 1;
  }
}
