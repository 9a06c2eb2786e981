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

type Bucket = { readonly host: string; tokens: number; atMs: number };

export class RateLimit {
  readonly #limits: RateLimits;
  /** The one heard longest ago first. */
  readonly #buckets = new Map<string, Bucket>();
  /** The one heard last: who sends many datagrams one after the other need not be moved each time. */
  #last: Bucket | undefined;

  constructor(limits: RateLimits) {
    this.#limits = limits;
  }

  /** Whether one more of this host may pass now. */
  take(host: string, nowMs: number): boolean {
    const { perSecond, burst } = this.#limits;
    const bucket = this.#bucketOf(host, nowMs);
    const gained = ((nowMs - bucket.atMs) * perSecond) / 1_000;
    bucket.tokens = Math.min(burst, bucket.tokens + gained);
    bucket.atMs = nowMs;
    if (bucket.tokens < 1) return false;
    bucket.tokens -= 1;
    return true;
  }

  /** The bucket of a host, which is now the one heard last. */
  #bucketOf(host: string, nowMs: number): Bucket {
    if (this.#last?.host === host) return this.#last;
    const { burst, hostsMax } = this.#limits;
    const bucket = this.#buckets.get(host) ?? { host, tokens: burst, atMs: nowMs };
    this.#buckets.delete(host);
    this.#buckets.set(host, bucket);
    this.#last = bucket;
    const [oldest] = this.#buckets.keys();
    if (this.#buckets.size > hostsMax && oldest !== undefined) this.#buckets.delete(oldest);
    return bucket;
  }
}
