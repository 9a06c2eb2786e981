/**
 * What the session remembers of each value: who brought it, and when. It decides what is announced
 * again (wire/simple-dht.md, R6) and what is fetched again (R5).
 *
 * A message has no room for the age of a value, so a copy that travels starts a new life of 30 s. Two
 * programs that fetch from each other could keep a value for ever. So a value that was fetched is not
 * announced again, the same bytes fetched again renew nothing, and what came over gRPC is never
 * replaced by what was fetched.
 */
import {
  ANNOUNCE_AGAIN_MS,
  ANNOUNCE_LIFE_MS_MIN,
  COPY_FRESH_MS,
  ECHO_MS,
  type SimpleDhtLimits,
} from './limits.js';

/** A client put it, we fetched it from a peer, or it came over gRPC. */
export type Origin = 'client' | 'peer' | 'services';

type Copy = {
  readonly origin: Origin;
  readonly fingerprint: string;
  readonly changedMs: number;
  readonly endsMs: number;
  /** When it was last seen to be what a peer has. */
  readonly checkedMs: number;
  readonly announcedMs: number;
};

export type Change = {
  readonly origin: Origin;
  readonly value: Uint8Array;
  /** How long the value lives from now on. */
  readonly lifeMs: number;
};

type CopyLimits = Pick<SimpleDhtLimits, 'copiesMax' | 'announcedAgainPerBeatMax'>;

export class Copies {
  readonly #limits: CopyLimits;
  /** The one announced longest ago first. */
  readonly #copies = new Map<string, Copy>();

  constructor(limits: CopyLimits) {
    this.#limits = limits;
  }

  get count(): number {
    return this.#copies.size;
  }

  /** Takes note of a value that is new, or renewed, and about to be announced. */
  changed(hash: string, { origin, value, lifeMs }: Change, nowMs: number): void {
    this.#moveBack(hash, {
      origin,
      fingerprint: fingerprintOf(value),
      changedMs: nowMs,
      endsMs: nowMs + lifeMs,
      checkedMs: nowMs,
      announcedMs: nowMs,
    });
    const [oldest] = this.#copies.keys();
    if (this.#copies.size > this.#limits.copiesMax && oldest !== undefined) this.forget(oldest);
  }

  forget(hash: string): void {
    this.#copies.delete(hash);
  }

  /** Whether a peer that has the hash has nothing new, as far as we know without asking. */
  isFresh(hash: string, nowMs: number): boolean {
    const copy = this.#copies.get(hash);
    return copy !== undefined && nowMs - copy.checkedMs < COPY_FRESH_MS;
  }

  /** Whether a value that is there may be fetched again (R5): only what came as a datagram. */
  mayFetchAgain(hash: string): boolean {
    const origin = this.#copies.get(hash)?.origin;
    return origin !== undefined && origin !== 'services';
  }

  /** Whether a value that was fetched is worth storing. */
  isNews(hash: string, value: Uint8Array, nowMs: number): boolean {
    const copy = this.#copies.get(hash);
    if (copy === undefined) return true;
    this.#copies.set(hash, { ...copy, checkedMs: nowMs });
    return copy.origin !== 'services' && copy.fingerprint !== fingerprintOf(value);
  }

  /** Whether a change that the services report is the one that we made. */
  isEcho(hash: string, value: Uint8Array, nowMs: number): boolean {
    const copy = this.#copies.get(hash);
    if (copy === undefined || copy.origin === 'services') return false;
    return nowMs - copy.changedMs < ECHO_MS && copy.fingerprint === fingerprintOf(value);
  }

  /** Returns hashes that are to be announced again; their next turn is after all others. */
  takeDue(nowMs: number): readonly string[] {
    const due = [...this.#copies]
      .filter(([, copy]) => isDue(copy, nowMs))
      .slice(0, this.#limits.announcedAgainPerBeatMax);
    for (const [hash, copy] of due) this.#moveBack(hash, { ...copy, announcedMs: nowMs });
    return due.map(([hash]) => hash);
  }

  dropEnded(nowMs: number): void {
    for (const [hash, { endsMs }] of this.#copies) if (endsMs <= nowMs) this.forget(hash);
  }

  clear(): void {
    this.#copies.clear();
  }

  #moveBack(hash: string, copy: Copy): void {
    this.#copies.delete(hash);
    this.#copies.set(hash, copy);
  }
}

function isDue({ origin, announcedMs, endsMs }: Copy, nowMs: number): boolean {
  const isQuiet = nowMs - announcedMs >= ANNOUNCE_AGAIN_MS;
  return origin !== 'peer' && isQuiet && endsMs - nowMs >= ANNOUNCE_LIFE_MS_MIN;
}

/** Length and FNV-1a: enough to tell a value from the one before it, and small enough to keep. */
function fingerprintOf(value: Uint8Array): string {
  let hash = 0x811c9dc5;
  for (const byte of value) hash = Math.imul(hash ^ byte, 0x01000193);
  return `${value.length} ${hash >>> 0}`;
}
