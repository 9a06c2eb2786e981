/**
 * Arithmetic on the circle of ring IDs.
 *
 * Positions are safe integers in `[0, ring size)`, clockwise is upwards, and the circle closes after
 * the last one. `isBetween` is Zave's `between` (correctChord.als): the open arc from one position to
 * another, which is everything else when both ends are the same.
 */

export type RingId = number;

/** One life of a peer: where it stands, how it is reached, and which of its lives is meant. */
export type PeerRef = {
  readonly ringId: RingId;
  readonly address: string;
  /** Grows with every start and every rejoining; 0 when any life is meant. */
  readonly incarnation: number;
  /** The node that runs a guest, as `host:port`; other peers have none. */
  readonly host?: string;
};

/** Whether a peer is a legacy program that a node has taken in: a member, but no keeper of records. */
export function isGuest({ host }: PeerRef): boolean {
  return host !== undefined;
}

/** Where a peer is asked. */
export function hostOf({ address, host }: PeerRef): string {
  return host ?? address;
}

/** Whether `point` lies strictly inside the clockwise arc from `from` to `to`. */
export function isBetween(from: RingId, point: RingId, to: RingId): boolean {
  return from < to ? from < point && point < to : from < point || point < to;
}

/** Whether a peer at `owner` whose predecessor is at `predecessor` owns `position`. */
export function isOwnedBy(predecessor: RingId, position: RingId, owner: RingId): boolean {
  return position === owner || isBetween(predecessor, position, owner);
}

/** Clockwise steps from one position to another, in `[0, ring size)`. */
export function distance(from: RingId, to: RingId, ringSize: number): number {
  return to >= from ? to - from : ringSize - from + to;
}

/** The position `offset` steps clockwise of another; `offset` is in `[0, ring size)`. */
export function clockwise(from: RingId, offset: number, ringSize: number): RingId {
  const room = ringSize - from;
  return offset < room ? from + offset : offset - room;
}

/** Whether both name the same life of the same peer. */
export function isSameLife(one: PeerRef, other: PeerRef): boolean {
  return one.ringId === other.ringId && one.incarnation === other.incarnation;
}

/** Whether this peer, in this life or an earlier one, is among those avoided. */
export function isAvoided(peer: PeerRef, avoided: readonly PeerRef[]): boolean {
  return avoided.some(
    ({ ringId, incarnation }) =>
      ringId === peer.ringId && (incarnation === 0 || peer.incarnation <= incarnation),
  );
}

/** Whether `seen` proves that the life named by `held` is over: same peer, later life. */
export function isLaterLife(seen: PeerRef, held: PeerRef): boolean {
  return seen.ringId === held.ringId && seen.incarnation > held.incarnation;
}

/** Index of the first peer at or after a position among peers in ring order; their number if none is. */
export function firstIndexAt(peers: readonly PeerRef[], position: RingId): number {
  let low = 0;
  let high = peers.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((peers[middle]?.ringId ?? 0) < position) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The first peer at or after a position, clockwise, among peers in ring order. */
export function firstAt(peers: readonly PeerRef[], position: RingId): PeerRef | undefined {
  return peers[firstIndexAt(peers, position)] ?? peers[0];
}
