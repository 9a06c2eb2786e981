/**
 * How many members the ring has, as far as it matters for quorums: a ring of fewer members than copies
 * needs fewer answers.
 *
 * A member counts from when it is seen until it leaves, or has been absent for `ABSENT_MS_MAX` while
 * this node was up. So a node that is cut off still counts the others, and refuses what needs them.
 */
import type { PeerRef, RingId } from '../../peer/core/ring-space.js';

export const ABSENT_MS_MAX = 10 * 60 * 1_000;
/** Beyond the largest number of copies nothing depends on the count. */
const COUNTED_MAX = 32;

export class Headcount {
  readonly #seenAtMs = new Map<RingId, number>();

  /** Takes up what was counted before a restart: all of them, as if seen now. */
  remember(ringIds: readonly RingId[], nowMs: number): void {
    for (const ringId of ringIds) this.#seenAtMs.set(ringId, nowMs);
  }

  /** Takes note of the members seen now, this node among them. */
  see(peers: readonly PeerRef[], nowMs: number): void {
    for (const { ringId } of peers) {
      this.#seenAtMs.delete(ringId);
      this.#seenAtMs.set(ringId, nowMs);
    }
    for (const [ringId, seenAtMs] of this.#seenAtMs) {
      if (nowMs - seenAtMs < ABSENT_MS_MAX && this.#seenAtMs.size <= COUNTED_MAX) break;
      this.#seenAtMs.delete(ringId);
    }
  }

  /** Takes note that a member has left by its own will. */
  depart({ ringId }: PeerRef): void {
    this.#seenAtMs.delete(ringId);
  }

  get count(): number {
    return this.#seenAtMs.size;
  }

  get ringIds(): readonly RingId[] {
    return [...this.#seenAtMs.keys()].sort((one, other) => one - other);
  }
}
