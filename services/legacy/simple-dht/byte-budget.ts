/**
 * How many bytes may go to one host: a bucket that holds what may be sent in one second. Hosts whose
 * bucket is full need none; the table of the others has a bound, and the oldest makes room.
 */
export type ByteBudgetOptions = { readonly bytesPerSecond: number; readonly hostsMax: number };

type Bucket = { readonly bytes: number; readonly atMs: number };

export class ByteBudget {
  readonly #options: ByteBudgetOptions;
  /** The one used longest ago first. */
  readonly #buckets = new Map<string, Bucket>();

  constructor(options: ByteBudgetOptions) {
    this.#options = options;
  }

  /** Whether so many bytes may go there now; a refusal costs nothing. */
  spend(host: string, bytes: number, nowMs: number): boolean {
    const { bytesPerSecond, hostsMax } = this.#options;
    const bucket = this.#buckets.get(host) ?? { bytes: bytesPerSecond, atMs: nowMs };
    const gained = ((nowMs - bucket.atMs) * bytesPerSecond) / 1_000;
    const left = Math.min(bytesPerSecond, bucket.bytes + gained) - bytes;
    if (left < 0) return false;
    this.#buckets.delete(host);
    this.#buckets.set(host, { bytes: left, atMs: nowMs });
    const [oldest] = this.#buckets.keys();
    if (this.#buckets.size > hostsMax && oldest !== undefined) this.#buckets.delete(oldest);
    return true;
  }
}
