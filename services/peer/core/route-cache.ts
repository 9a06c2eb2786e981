/**
 * Members of the ring that this peer has heard of, so that a lookup may begin at the owner.
 *
 * Speed only: whoever is found here must prove that it owns what is sought. A sorted array: a question
 * is a binary search, O(log n); a change moves the entries behind it, O(n). One life for each ring ID.
 * A life that was found to be over is not believed again when others name it, only when it speaks.
 */
import {
  distance,
  firstAt,
  firstIndexAt,
  isSameLife,
  type PeerRef,
  type RingId,
} from './ring-space.js';

export type RouteCacheOptions = {
  /** Never in the cache. */
  readonly self: PeerRef;
  readonly ringSize: number;
  /** Most members kept; the one heard of longest ago makes room. At 0 nothing is kept. */
  readonly routesMax: number;
};

export class RouteCache {
  readonly #options: RouteCacheOptions;
  /** In ring order, at most one for each ring ID. */
  readonly #peers: PeerRef[] = [];
  /** The same ones, those heard of longest ago first. */
  readonly #byAge = new Map<RingId, PeerRef>();
  /** The latest life that is over, by ring ID; at most `routesMax`, the latest ones. */
  readonly #over = new Map<RingId, number>();

  constructor(options: RouteCacheOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#peers.length;
  }

  /** In ring order. */
  peers(): readonly PeerRef[] {
    return [...this.#peers];
  }

  /** Somebody says that this member is there. Any life (0), and a life that is over, tell nothing. */
  learn(peer: PeerRef): void {
    const known = this.#byAge.get(peer.ringId);
    const latest = Math.max(this.#over.get(peer.ringId) ?? 0, (known?.incarnation ?? 1) - 1);
    if (peer.incarnation <= latest) return;
    this.#keep(known !== undefined && isSameLife(known, peer) ? known : peer);
  }

  /** This member speaks for itself: whatever was said of its lives before is wrong. */
  hear(peer: PeerRef): void {
    if (peer.incarnation === 0) return;
    this.#over.delete(peer.ringId);
    this.#keep(peer);
  }

  /** This life is over, and all before it; in any life (0), the one that is known at that address. */
  forget(gone: PeerRef): void {
    const { ringId, address, incarnation } = gone;
    const known = this.#byAge.get(ringId);
    const isMeant = incarnation > 0 || known?.address === address;
    const over = incarnation > 0 ? incarnation : (known?.incarnation ?? 0);
    if (!isMeant || this.#options.routesMax === 0) return;
    putLast(this.#over, ringId, Math.max(over, this.#over.get(ringId) ?? 0));
    dropFirstAbove(this.#over, this.#options.routesMax);
    if (known !== undefined && known.incarnation <= over) this.#drop(ringId);
  }

  /** The first member at or after a position, clockwise, within so many steps of it. */
  firstFrom(position: RingId, stepsMax: number): PeerRef | undefined {
    const first = firstAt(this.#peers, position);
    if (first === undefined) return undefined;
    const steps = distance(position, first.ringId, this.#options.ringSize);
    return steps <= stepsMax ? first : undefined;
  }

  #keep(peer: PeerRef): void {
    const { self, routesMax } = this.#options;
    if (peer.ringId === self.ringId || routesMax === 0) return;
    const known = this.#byAge.get(peer.ringId);
    const isNews =
      known === undefined || !isSameLife(known, peer) || known.address !== peer.address;
    putLast(this.#byAge, peer.ringId, isNews ? peer : known);
    if (!isNews) return;
    this.#peers.splice(firstIndexAt(this.#peers, peer.ringId), known === undefined ? 0 : 1, peer);
    const [oldest] = this.#byAge.keys();
    if (this.#peers.length > routesMax && oldest !== undefined) this.#drop(oldest);
  }

  #drop(ringId: RingId): void {
    this.#byAge.delete(ringId);
    this.#peers.splice(firstIndexAt(this.#peers, ringId), 1);
  }
}

function putLast<Value>(map: Map<RingId, Value>, ringId: RingId, value: Value): void {
  map.delete(ringId);
  map.set(ringId, value);
}

function dropFirstAbove<Value>(map: Map<RingId, Value>, max: number): void {
  const [first] = map.keys();
  if (map.size > max && first !== undefined) map.delete(first);
}
