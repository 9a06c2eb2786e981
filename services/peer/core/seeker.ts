/**
 * When to ask after whom: the schedule of looking for peers that may have ended up in another ring.
 *
 * The lost and the met take turns; the met seldom, but as often as the lost by whoever is alone, for it
 * has lost everyone it met.
 */
import { KnownPeers, type KnownPeersLimits } from './known-peers.js';
import { distance, isSameLife, type PeerRef } from './ring-space.js';
import type { RingState } from './state.js';

export type SeekerLimits = KnownPeersLimits & {
  readonly ringSize: number;
  /** r: a shorter list of successors names the whole ring. */
  readonly successorsMax: number;
  /** Ticks between two questions after lost peers. */
  readonly seekLostTicks: number;
  /** Ticks between two questions after peers that are thought to be in our ring, at least. */
  readonly seekMetTicks: number;
};

export class Seeker {
  readonly known: KnownPeers;
  readonly #limits: SeekerLimits;
  #seekLostAtTick = 0;
  #metSoughtAtTick = Number.NEGATIVE_INFINITY;
  #hasSoughtMet = false;

  constructor(limits: SeekerLimits) {
    this.#limits = limits;
    this.known = new KnownPeers(limits);
  }

  /** Whom to ask after now; undefined while it is nobody's turn. */
  next(state: RingState): PeerRef | undefined {
    const { tick } = state;
    if (tick < this.#seekLostAtTick) return undefined;
    this.#seekLostAtTick = tick + this.#limits.seekLostTicks;
    const isMetDue = !this.#hasSoughtMet && tick - this.#metSoughtAtTick >= this.#metTicks(state);
    this.#hasSoughtMet = isMetDue;
    if (!isMetDue) return this.known.nextLost(tick);
    this.#metSoughtAtTick = tick;
    return this.known.nextMet(tick) ?? this.known.nextLost(tick);
  }

  /**
   * The larger the ring, the longer the way to a peer in it: so seldom that the way costs about one
   * question a second. How long it is, the part of the ring that the list spans tells.
   */
  #metTicks({ self, predecessor, successors }: RingState): number {
    const { ringSize, successorsMax, seekMetTicks, seekLostTicks } = this.#limits;
    const last = successors.at(-1);
    if (last === undefined) return seekLostTicks;
    const isRound = predecessor !== undefined && isSameLife(last, predecessor);
    if (isRound || successors.length < successorsMax) return seekMetTicks;
    const stepsHalfRound = ringSize / (2 * distance(self.ringId, last.ringId, ringSize));
    return Math.max(seekMetTicks, seekLostTicks * stepsHalfRound);
  }
}
