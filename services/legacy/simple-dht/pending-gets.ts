/**
 * Gets of unknown hashes, which are answered when the value comes from anywhere (wire/simple-dht.md,
 * R9). An original keeps them for ever; here their number and age have a bound (R7), and the one that
 * has waited longest makes room.
 */
import type { Stop } from '../core/session.js';
import { peerKey } from './address.js';
import type { SimpleDhtLimits } from './limits.js';
import type { Destination } from './peers.js';

type PendingLimits = Pick<SimpleDhtLimits, 'pendingMax' | 'pendingPerHostMax' | 'pendingMs'>;

type Waiting<SocketName extends string> = {
  readonly hash: string;
  readonly to: Destination<SocketName>;
  readonly sinceMs: number;
};

export class PendingGets<SocketName extends string> {
  readonly #limits: PendingLimits;
  /** Begins to watch a hash. */
  readonly #want: (hash: string) => Stop;
  /** By hash and requester; the one that has waited longest first. */
  readonly #waiting = new Map<string, Waiting<SocketName>>();
  readonly #stops = new Map<string, Stop>();

  constructor(limits: PendingLimits, want: (hash: string) => Stop) {
    this.#limits = limits;
    this.#want = want;
  }

  get count(): number {
    return this.#waiting.size;
  }

  /** A requester that asks again waits once, as long as from now. */
  add(hash: string, to: Destination<SocketName>, nowMs: number): void {
    const key = `${hash} ${peerKey(to.source)}`;
    this.#waiting.delete(key);
    this.#makeRoom(to.source.host);
    this.#waiting.set(key, { hash, to, sinceMs: nowMs });
    if (this.#stops.has(hash)) return;
    const stop = this.#want(hash);
    // The value may have come while we asked for it.
    if (this.#waiting.has(key)) this.#stops.set(hash, stop);
    else stop();
  }

  /** Returns who waits for the hash, and forgets them. */
  take(hash: string): readonly Destination<SocketName>[] {
    const found = [...this.#waiting].filter(([, waiting]) => waiting.hash === hash);
    for (const [key] of found) this.#waiting.delete(key);
    this.#stopWanting(hash);
    return found.map(([, { to }]) => to);
  }

  dropOld(nowMs: number): void {
    for (const [key, { sinceMs }] of this.#waiting) {
      if (nowMs - sinceMs <= this.#limits.pendingMs) return;
      this.#drop(key);
    }
  }

  clear(): void {
    this.#waiting.clear();
    for (const hash of [...this.#stops.keys()]) this.#stopWanting(hash);
  }

  #makeRoom(host: string): void {
    const { pendingMax, pendingPerHostMax } = this.#limits;
    const neighbours = [...this.#waiting].filter(([, { to }]) => to.source.host === host);
    const isHostFull = neighbours.length >= pendingPerHostMax;
    const [oldest] = isHostFull ? neighbours.map(([key]) => key) : this.#waiting.keys();
    if (oldest === undefined) return;
    if (isHostFull || this.#waiting.size >= pendingMax) this.#drop(oldest);
  }

  #drop(key: string): void {
    const hash = this.#waiting.get(key)?.hash;
    this.#waiting.delete(key);
    if (hash === undefined) return;
    if (![...this.#waiting.values()].some((waiting) => waiting.hash === hash)) {
      this.#stopWanting(hash);
    }
  }

  #stopWanting(hash: string): void {
    const stop = this.#stops.get(hash);
    this.#stops.delete(hash);
    stop?.();
  }
}
