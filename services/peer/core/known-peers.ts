/**
 * Peers that one has known, asked after one by one: the way back to one ring after a cut.
 *
 * Two queues. Those that were lost (taken for dead) are asked after first and often; those that were
 * met and are thought to be in the same ring, seldom, for a cut may go where no pointer of ours did.
 * Both are bounded, and forgotten when they have not been heard of for a day.
 */
import type { PeerRef } from './ring-space.js';

export type KnownPeersLimits = {
  /** Most peers in each queue; the one asked after longest ago makes room. */
  readonly knownMax: number;
  /** Ticks a peer is remembered without being heard of. */
  readonly knownTicksMax: number;
};

type Known = { readonly peer: PeerRef; readonly sinceTick: number };

export class KnownPeers {
  readonly #lost: PeerQueue;
  readonly #met: PeerQueue;

  constructor(limits: KnownPeersLimits) {
    this.#lost = new PeerQueue(limits);
    this.#met = new PeerQueue(limits);
  }

  /** This peer was taken for dead. */
  lose(peer: PeerRef, tick: number): void {
    this.#met.remove(peer);
    this.#lost.put({ peer, sinceTick: tick });
  }

  /** This peer spoke to us: it lives, in our ring or in another. */
  hear(peer: PeerRef, tick: number): void {
    if (!this.#lost.has(peer)) this.#met.put({ peer, sinceTick: tick });
  }

  /** This peer was found in our ring. */
  meet(peer: PeerRef, tick: number): void {
    this.#lost.remove(peer);
    this.#met.put({ peer, sinceTick: tick });
  }

  all(): readonly PeerRef[] {
    return [...this.#lost.peers(), ...this.#met.peers()];
  }

  /** Which lost peer to ask after now. */
  nextLost(tick: number): PeerRef | undefined {
    return this.#lost.next(tick);
  }

  /** Which other peer to ask after now. */
  nextMet(tick: number): PeerRef | undefined {
    return this.#met.next(tick);
  }
}

/** Peers by address, in the order in which they are asked after. */
class PeerQueue {
  readonly #limits: KnownPeersLimits;
  readonly #queue = new Map<string, Known>();

  constructor(limits: KnownPeersLimits) {
    this.#limits = limits;
  }

  put(known: Known): void {
    this.#queue.delete(known.peer.address);
    this.#queue.set(known.peer.address, known);
    const [first] = this.#queue.keys();
    if (this.#queue.size > this.#limits.knownMax && first !== undefined) this.#queue.delete(first);
  }

  has(peer: PeerRef): boolean {
    return this.#queue.has(peer.address);
  }

  remove(peer: PeerRef): void {
    this.#queue.delete(peer.address);
  }

  peers(): readonly PeerRef[] {
    return [...this.#queue.values()].map(({ peer }) => peer);
  }

  /** The first one goes to the end; those remembered too long are dropped. */
  next(tick: number): PeerRef | undefined {
    for (const [address, known] of this.#queue) {
      this.#queue.delete(address);
      if (tick - known.sinceTick > this.#limits.knownTicksMax) continue;
      this.#queue.set(address, known);
      return known.peer;
    }
    return undefined;
  }
}
