/**
 * Asks everybody who is named what they know, many at once, until nobody new is named.
 *
 * A ring has more members than any of them knows, and those that a cut or a fault has put aside are named
 * by the directory alone; so it begins with all that the asking node has heard of.
 */
import type { PeerRef, RingId } from '../../peer/core/ring-space.js';
import type { PeerView } from '../../peer/core/routing-table.js';
import type { Topology } from './topology.js';

export type CrawlLimits = {
  /** Questions under way at once. */
  readonly asksMax: number;
  /** Peers that are asked at all. */
  readonly peersMax: number;
};

export class Crawl {
  readonly #limits: CrawlLimits;
  readonly #named = new Map<RingId, PeerRef>();
  readonly #waiting: PeerRef[] = [];
  readonly #views: PeerView[] = [];
  readonly #unreachable: PeerRef[] = [];
  #asking = 0;

  constructor(seeds: Iterable<PeerRef>, limits: CrawlLimits) {
    this.#limits = limits;
    for (const peer of seeds) this.#name(peer);
  }

  /** Whom to ask now. Each is answered for once, by one of the three. */
  next(): readonly PeerRef[] {
    const peers = this.#waiting.splice(0, this.#limits.asksMax - this.#asking);
    this.#asking += peers.length;
    return peers;
  }

  answered(view: PeerView): void {
    this.#asking -= 1;
    this.#views.push(view);
    const { predecessor, successors, fingers } = view;
    if (predecessor !== undefined) this.#name(predecessor);
    for (const peer of successors) this.#name(peer);
    for (const { peer } of fingers) if (peer !== undefined) this.#name(peer);
  }

  unanswered(asked: PeerRef): void {
    this.#asking -= 1;
    this.#unreachable.push(asked);
  }

  /** It lives, and is no member. */
  notMember(): void {
    this.#asking -= 1;
  }

  get isDone(): boolean {
    return this.#asking === 0 && this.#waiting.length === 0;
  }

  get topology(): Topology {
    const views = this.#views.toSorted((one, other) => one.self.ringId - other.self.ringId);
    const unreachable = this.#unreachable.toSorted((one, other) => one.ringId - other.ringId);
    return { views, unreachable };
  }

  #name(peer: PeerRef): void {
    if (this.#named.has(peer.ringId) || this.#named.size >= this.#limits.peersMax) return;
    this.#named.set(peer.ringId, peer);
    this.#waiting.push(peer);
  }
}
