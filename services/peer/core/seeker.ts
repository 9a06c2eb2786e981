/**
 * When to ask after whom: the schedule of looking for peers that may have ended up in another ring.
 *
 * The lost and the met take turns; the met seldom, but as often as the lost by whoever is alone, for it
 * has lost everyone it met.
 */
import { KnownPeers, type KnownPeersLimits } from './known-peers.js';
import { distance, type PeerRef } from './ring-space.js';
import type { RingState } from './state.js';

export type SeekerLimits = KnownPeersLimits & {
  readonly ringSize: number;
  /** Ticks between two questions after lost peers. */
  readonly seekLostTicks: number;
  /** Ticks between two questions after peers that are thought to be in our ring, at least. */
  readonly seekMetTicks: number;
};

export class Seeker {
  readonly known: KnownPeers;
  readonly #limits: SeekerLimits;
  #seekLostAtTick = 0;
  #seekMetAtTick = 0;
  #hasSoughtMet = false;

  constructor(limits: SeekerLimits) {
    this.#limits = limits;
    this.known = new KnownPeers(limits);
  }

  /** Whom to ask after now; undefined while it is nobody's turn. */
  next(state: RingState): PeerRef | undefined {
    const { tick, successors } = state;
    if (tick < this.#seekLostAtTick) return undefined;
    this.#seekLostAtTick = tick + this.#limits.seekLostTicks;
    const isAlone = successors.length === 0;
    const isMetDue = !this.#hasSoughtMet && (isAlone || tick >= this.#seekMetAtTick);
    this.#hasSoughtMet = isMetDue;
    if (!isMetDue) return this.known.nextLost(tick);
    this.#seekMetAtTick = tick + this.#metTicks(state);
    return this.known.nextMet(tick) ?? this.known.nextLost(tick);
  }

  /**
   * The larger the ring, the longer the way to a peer in it: so seldom that the way costs about one
   * question a second.
   */
  #metTicks({ self, successors }: RingState): number {
    const { ringSize, seekMetTicks, seekLostTicks } = this.#limits;
    const last = successors.at(-1);
    if (last === undefined) return seekMetTicks;
    const stepsHalfRound = ringSize / (2 * distance(self.ringId, last.ringId, ringSize));
    return Math.max(seekMetTicks, seekLostTicks * stepsHalfRound);
  }
}
