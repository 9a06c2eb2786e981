/**
 * Which address has which hash, as far as servers of this dialect are to know: soft state for HAVE. What
 * the services know is asked from them; this is what a newcomer is sent.
 *
 * A pair ends 30 s after it was last said (wire/tlv.md, B12). The table has a bound, and the pair said
 * longest ago makes room.
 */
import { HOLDER_TTL_MS } from './options.js';

/** Some 300 bytes each. */
export const PAIRS_MAX = 4_096;
/** A pair that is said again is told again after so long: well before it would end elsewhere. */
const TOLD_MS = 10_000;

export type Pair = {
  readonly hash: string;
  readonly ip: string;
  readonly endMs: number;
  /** When the servers were last told, by us or by another. */
  readonly toldMs: number;
  /** When it was last said. */
  readonly saidMs: number;
};

export class Holdings {
  /** The one said longest ago first. */
  readonly #pairs = new Map<string, Pair>();
  /** The addresses of a hash, in the order of arrival. */
  readonly #ips = new Map<string, Set<string>>();

  /** Notes a pair that the servers don't know; returns it when they are to be told now. */
  say(hash: string, ip: string, nowMs: number): Pair | undefined {
    const toldMs = this.#pairs.get(keyOf(hash, ip))?.toldMs ?? -Infinity;
    const isDue = nowMs - toldMs >= TOLD_MS;
    const pair = this.#set(hash, ip, { nowMs, toldMs: isDue ? nowMs : toldMs });
    return isDue ? pair : undefined;
  }

  /** Notes a pair that a server told all others. */
  hear(hash: string, ip: string, nowMs: number): void {
    this.#set(hash, ip, { nowMs, toldMs: nowMs });
  }

  /** The addresses of a hash that were said since a moment, in the order of arrival. */
  saidSince(hash: string, sinceMs: number): readonly string[] {
    return [...(this.#ips.get(hash) ?? [])].filter((ip) => {
      const pair = this.#pairs.get(keyOf(hash, ip));
      return pair !== undefined && pair.saidMs >= sinceMs;
    });
  }

  /** Forgets what has ended by now. */
  sweep(nowMs: number): void {
    for (const pair of this.#pairs.values()) {
      if (pair.endMs > nowMs) return;
      this.#remove(pair);
    }
  }

  get pairs(): Iterable<Pair> {
    return this.#pairs.values();
  }

  get size(): number {
    return this.#pairs.size;
  }

  #set(hash: string, ip: string, times: { nowMs: number; toldMs: number }): Pair {
    const { nowMs, toldMs } = times;
    const pair = { hash, ip, toldMs, saidMs: nowMs, endMs: nowMs + HOLDER_TTL_MS };
    this.#pairs.delete(keyOf(hash, ip));
    this.#pairs.set(keyOf(hash, ip), pair);
    const ips = this.#ips.get(hash) ?? new Set();
    this.#ips.set(hash, ips.add(ip));
    const [oldest] = this.#pairs.values();
    if (this.#pairs.size > PAIRS_MAX && oldest !== undefined) this.#remove(oldest);
    return pair;
  }

  #remove({ hash, ip }: Pair): void {
    this.#pairs.delete(keyOf(hash, ip));
    const ips = this.#ips.get(hash);
    ips?.delete(ip);
    if (ips?.size === 0) this.#ips.delete(hash);
  }
}

/** Neither has a space. */
function keyOf(hash: string, ip: string): string {
  return `${hash} ${ip}`;
}
