/**
 * Holders that live longer than servers of this dialect remember one (wire/tlv.md, B12): they are said
 * again every 20 s until their end. The table has a bound, and the one said longest ago makes room: it is
 * said no more.
 */
import { PAIRS_MAX } from './holdings.js';
import { HOLDER_TTL_MS } from './options.js';

/** Well before it would be forgotten elsewhere. */
const SAY_EVERY_MS = 20_000;

type Lasting = {
  readonly key: string;
  readonly address: string;
  readonly endMs: number;
  readonly sayAgainMs: number;
};

export class LastingHolders {
  /** The one to be said next first. */
  readonly #holders = new Map<string, Lasting>();

  get size(): number {
    return this.#holders.size;
  }

  /** A holder was said that lives until a moment, possibly for ever. */
  said(key: string, address: string, endMs: number, nowMs: number): void {
    const id = idOf(key, address);
    this.#holders.delete(id);
    if (endMs - nowMs <= HOLDER_TTL_MS) return;
    this.#holders.set(id, { key, address, endMs, sayAgainMs: nowMs + SAY_EVERY_MS });
    const [oldest] = this.#holders.keys();
    if (this.#holders.size > PAIRS_MAX && oldest !== undefined) this.#holders.delete(oldest);
  }

  withdrawn(key: string, address: string): void {
    this.#holders.delete(idOf(key, address));
  }

  /** Takes those that are to be said again now; whoever says them calls `said`. */
  takeDue(nowMs: number): readonly Lasting[] {
    const due: Lasting[] = [];
    for (const [id, holder] of this.#holders) {
      if (holder.sayAgainMs > nowMs) break;
      this.#holders.delete(id);
      if (holder.endMs > nowMs) due.push(holder);
    }
    return due;
  }
}

function idOf(key: string, address: string): string {
  return `${key}\n${address}`;
}
