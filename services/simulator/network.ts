/**
 * The network between simulated peers: packets with delay, loss, duplication and reordering, cuts
 * between groups of peers, and on top of them questions that are tried again, as a node's links do.
 *
 * A lost packet is tried again up to `tries` times. Unless the peers are cut off from each other, the
 * last try gets through: what a live peer is asked it answers in the end, so that silence means
 * death, as Zave's model assumes. Cuts and pauses break that assumption, and the checker is told.
 */
import { below, type Chance } from '../system/chance.js';
import type { Timeline } from './timeline.js';

export type NetworkFaults = {
  /** Share of packets lost, `[0, 1)`. */
  readonly loss: number;
  /** Share of packets that arrive twice. */
  readonly duplication: number;
  /** One-way delay: between these, evenly spread. Reordering follows from the spread. */
  readonly delayMsMin: number;
  readonly delayMsMax: number;
};

export const CALM: NetworkFaults = { loss: 0, duplication: 0, delayMsMin: 1, delayMsMax: 5 };

export type NetworkStats = { packets: number; lost: number; duplicated: number };

export class Network {
  readonly #timeline: Timeline;
  readonly #chance: Chance;
  readonly #sideOf = new Map<string, number>();
  readonly stats: NetworkStats = { packets: 0, lost: 0, duplicated: 0 };
  faults: NetworkFaults = CALM;

  constructor(timeline: Timeline, chance: Chance) {
    this.#timeline = timeline;
    this.#chance = chance;
  }

  get isCut(): boolean {
    return this.#sideOf.size > 0;
  }

  /** Cuts the peers at these addresses off from all others. */
  cut(addresses: readonly string[]): void {
    this.#sideOf.clear();
    for (const address of addresses) this.#sideOf.set(address, 1);
  }

  mend(): void {
    this.#sideOf.clear();
  }

  isCutBetween(one: string, other: string): boolean {
    return (this.#sideOf.get(one) ?? 0) !== (this.#sideOf.get(other) ?? 0);
  }

  /** Sends one packet; `arrive` may happen later, twice, or never (then `lost` is called). */
  send(
    route: { readonly from: string; readonly to: string; readonly isLastTry: boolean },
    arrive: () => void,
    lost: () => void = () => undefined,
  ): void {
    this.stats.packets += 1;
    const { loss, duplication } = this.faults;
    const isLost = !route.isLastTry && this.#chance.unit() < loss;
    if (isLost || this.isCutBetween(route.from, route.to)) {
      this.stats.lost += 1;
      lost();
      return;
    }
    this.#timeline.after(this.#delay(), arrive);
    if (this.#chance.unit() < duplication) {
      this.stats.duplicated += 1;
      this.#timeline.after(this.#delay(), arrive);
    }
  }

  #delay(): number {
    const { delayMsMin, delayMsMax } = this.faults;
    return delayMsMin + below(this.#chance, delayMsMax - delayMsMin + 1);
  }
}
