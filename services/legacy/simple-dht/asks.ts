/**
 * Gets that we sent, so that their answers are told from what clients put: an answer is a copy of what
 * a peer has, a client's Put is news. The oldest makes room.
 */
import type { Source } from '../core/session.js';
import { peerKey } from './address.js';
import { ANSWER_MS } from './limits.js';

export class Asks {
  readonly #asksMax: number;
  /** When each was sent, the oldest first. */
  readonly #sentMs = new Map<string, number>();

  constructor(asksMax: number) {
    this.#asksMax = asksMax;
  }

  get count(): number {
    return this.#sentMs.size;
  }

  add(hash: string, to: Source, nowMs: number): void {
    const key = keyOf(hash, to);
    this.#sentMs.delete(key);
    this.#sentMs.set(key, nowMs);
    const [oldest] = this.#sentMs.keys();
    if (this.#sentMs.size > this.#asksMax && oldest !== undefined) this.#sentMs.delete(oldest);
  }

  /** Whether a Put from there is the answer to one, which has then had it. */
  take(hash: string, from: Source, nowMs: number): boolean {
    const key = keyOf(hash, from);
    const sentMs = this.#sentMs.get(key);
    this.#sentMs.delete(key);
    return sentMs !== undefined && nowMs - sentMs <= ANSWER_MS;
  }

  dropOld(nowMs: number): void {
    for (const [key, sentMs] of this.#sentMs) {
      if (nowMs - sentMs <= ANSWER_MS) return;
      this.#sentMs.delete(key);
    }
  }

  clear(): void {
    this.#sentMs.clear();
  }
}

function keyOf(hash: string, source: Source): string {
  return `${hash} ${peerKey(source)}`;
}
