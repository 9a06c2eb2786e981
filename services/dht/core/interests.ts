/**
 * Who wants to hear of changes to which keys: nodes on which somebody waits for a key. An interest ends
 * by itself unless it is renewed, so that a node that died costs nothing for long.
 */
import { isSameLife, type PeerRef, type RingId } from '../../peer/core/ring-space.js';

/** How long a node is told of changes after it has asked. */
export const INTEREST_MS = 15_000;
/** Interests kept at once, of all nodes together; one more takes the place of the oldest. */
const INTERESTS_MAX = 65_536;

type Interest = { readonly peer: PeerRef; readonly endsAtMs: number };

export class Interests {
  readonly #byKey = new Map<string, Map<RingId, Interest>>();
  #count = 0;

  add(key: string, peer: PeerRef, nowMs: number): void {
    const interests = this.#byKey.get(key) ?? new Map<RingId, Interest>();
    if (!interests.has(peer.ringId)) this.#count += 1;
    interests.set(peer.ringId, { peer, endsAtMs: nowMs + INTEREST_MS });
    this.#byKey.delete(key);
    this.#byKey.set(key, interests);
    const [oldest] = this.#byKey.keys();
    if (this.#count > INTERESTS_MAX && oldest !== undefined) this.#forget(oldest);
  }

  /** Who is to be told of a change of this key. */
  of(key: string, nowMs: number): readonly PeerRef[] {
    const interests = this.#byKey.get(key);
    if (interests === undefined) return [];
    return [...interests.values()].flatMap(({ peer, endsAtMs }) =>
      endsAtMs > nowMs ? [peer] : [],
    );
  }

  /** Takes note that a peer did not answer. */
  drop(key: string, peer: PeerRef): void {
    const interests = this.#byKey.get(key);
    const interest = interests?.get(peer.ringId);
    if (interests === undefined || interest === undefined) return;
    if (!isSameLife(interest.peer, peer)) return;
    interests.delete(peer.ringId);
    this.#count -= 1;
    if (interests.size === 0) this.#byKey.delete(key);
  }

  /** Forgets what has ended; to be called now and then. */
  expire(nowMs: number): void {
    for (const [key, interests] of this.#byKey) {
      for (const { peer, endsAtMs } of interests.values()) {
        if (endsAtMs <= nowMs) this.drop(key, peer);
      }
    }
  }

  get count(): number {
    return this.#count;
  }

  #forget(key: string): void {
    this.#count -= this.#byKey.get(key)?.size ?? 0;
    this.#byKey.delete(key);
  }
}
