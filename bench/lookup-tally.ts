/** Sums of lookups done in one manner, as one line. */

export class LookupTally {
  readonly #name: string;
  #count = 0;
  #oneHop = 0;
  #hops = 0;
  #failed = 0;
  readonly #ms: number[] = [];

  constructor(name: string) {
    this.#name = name;
  }

  /** `hops` is undefined when no owner was found. */
  add(hops: number | undefined, ms: number): void {
    if (hops === 0) return;
    this.#count += 1;
    this.#ms.push(ms);
    if (hops === undefined) this.#failed += 1;
    if (hops === 1) this.#oneHop += 1;
    this.#hops += hops ?? 0;
  }

  toString(): string {
    const share = ((100 * this.#oneHop) / this.#count).toFixed(2);
    const mean = (this.#hops / (this.#count - this.#failed)).toFixed(2);
    const sorted = [...this.#ms].sort((one, other) => one - other);
    const meanMs = sorted.reduce((sum, ms) => sum + ms, 0) / this.#count;
    const p50 = sorted[Math.floor(this.#count / 2)] ?? Number.NaN;
    return (
      `${this.#name.padEnd(22)} one hop ${share.padStart(6)} %, ${mean} hops, ` +
      `mean ${meanMs.toFixed(1)} ms, median ${p50.toFixed(1)} ms ` +
      `(${this.#count} lookups, ${this.#failed} failed)`
    );
  }
}
