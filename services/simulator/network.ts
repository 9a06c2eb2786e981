/**
 * The network between simulated peers: packets with delay, loss, duplication and reordering, slow
 * peers, partitions in both directions or in one, and on top of them questions that are tried again,
 * as a node's links do.
 *
 * The last try of a question is neither lost nor held back by chance: what a live peer is asked it answers in the end,
 * so that silence means death, as Zave's model assumes. Partitions, pauses and slowness break that
 * assumption, and the checker is told.
 */
import { below, type Chance } from '../system/chance.js';
import { CALM, EXPONENTIAL_CUT, type Delay, type Direction, type NetworkFaults } from './plan.js';
import type { Timeline } from './timeline.js';

export type Route = {
  readonly from: string;
  readonly to: string;
  /** Otherwise an answer. */
  readonly isQuestion: boolean;
  readonly isLastTry: boolean;
};

type Partition = { readonly part: ReadonlySet<string>; readonly direction: Direction };

/** Longest time that a packet is held back for others to overtake it. */
const HELD_BACK_MS_MAX = 1_000;

export class Network {
  readonly #timeline: Timeline;
  readonly #chance: Chance;
  readonly #partitions = new Set<Partition>();
  readonly #extraMs = new Map<string, number>();
  faults: NetworkFaults = CALM;

  constructor(timeline: Timeline, chance: Chance) {
    this.#timeline = timeline;
    this.#chance = chance;
  }

  get isCut(): boolean {
    return this.#partitions.size > 0;
  }

  /** Cuts these addresses off from all others; returns how to undo it. */
  cut(addresses: readonly string[], direction: Direction): () => void {
    const partition = { part: new Set(addresses), direction };
    this.#partitions.add(partition);
    return () => this.#partitions.delete(partition);
  }

  mend(): void {
    this.#partitions.clear();
  }

  /** Lets packets to and from an address take longer, each way; 0 for no longer. */
  slow(address: string, extraMs: number): void {
    if (extraMs === 0) this.#extraMs.delete(address);
    else this.#extraMs.set(address, extraMs);
  }

  /** Sends one packet; `arrive` happens later, once or twice, or not at all when this returns false. */
  send(route: Route, arrive: () => void): boolean {
    const { loss, duplication } = this.faults;
    const isLost = !route.isLastTry && this.#chance.unit() < loss;
    if (isLost || (this.isCut && this.#isStopped(route))) return false;
    this.#timeline.after(this.#delayMs(route), arrive);
    if (this.#chance.unit() < duplication) this.#timeline.after(this.#delayMs(route), arrive);
    return true;
  }

  #isStopped({ from, to }: Route): boolean {
    for (const { part, direction } of this.#partitions) {
      const isOut = part.has(from) && !part.has(to);
      const isIn = part.has(to) && !part.has(from);
      if ((isOut && direction !== 'in') || (isIn && direction !== 'out')) return true;
    }
    return false;
  }

  #delayMs({ from, to, isLastTry }: Route): number {
    const { reordering, delay } = this.faults;
    const isHeldBack = !isLastTry && reordering > 0 && this.#chance.unit() < reordering;
    const heldBackMs = isHeldBack ? below(this.#chance, HELD_BACK_MS_MAX) : 0;
    const slowMs =
      this.#extraMs.size === 0 ? 0 : (this.#extraMs.get(from) ?? 0) + (this.#extraMs.get(to) ?? 0);
    return drawDelayMs(delay, this.#chance) + heldBackMs + slowMs;
  }
}

function drawDelayMs(delay: Delay, chance: Chance): number {
  switch (delay.distribution) {
    case 'constant':
      return delay.value;
    case 'uniform':
      return delay.min + below(chance, delay.max - delay.min + 1);
    case 'exponential': {
      const times = Math.min(EXPONENTIAL_CUT, -Math.log(1 - chance.unit()));
      return Math.round(times * delay.mean);
    }
  }
}
