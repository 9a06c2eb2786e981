/**
 * The directory of who is in the ring: what a join means, and what a ring ID's surroundings are.
 *
 * The table is a value: the members in ring order, from the smallest ring ID up, at most one for each
 * ring ID. A change makes a new table and copies the array, O(n); a question is a binary search,
 * O(log n). So a page, a snapshot and an answer each show one moment, however long they are read.
 */
import {
  clockwise,
  distance,
  firstIndexAt,
  type PeerRef,
  type RingId,
} from '../../peer/core/ring-space.js';

/** Most members that a joiner is told to join through. */
export const CONTACTS_MAX = 16;

export type Directory = {
  /** Number of positions, from 1 to 2^53. */
  readonly ringSize: number;
  /** In ring order. */
  readonly peers: readonly PeerRef[];
};

/** What a join by a peer means, given who is a member. */
export type JoinVerdict =
  /** It is a member in this very life; incarnation 0 means whatever life it is in. */
  | { readonly kind: 'renewal'; readonly holder: PeerRef }
  /** It is new, or a later life of a member: a crashed peer comes back. */
  | { readonly kind: 'admission' }
  /** Another address holds the ring ID. */
  | { readonly kind: 'taken'; readonly holder: PeerRef }
  /** A later life of the peer is a member: this one is over. */
  | { readonly kind: 'stale'; readonly holder: PeerRef };

/** What the directory tells a peer about its place. */
export type Surroundings = {
  /** Whether nobody else is a member. */
  readonly isFirst: boolean;
  /** The nearest other members; both undefined when it is the first. */
  readonly predecessor: PeerRef | undefined;
  readonly successor: PeerRef | undefined;
  /** Up to `CONTACTS_MAX` other members, nearest first in either direction, neighbours included. */
  readonly contacts: readonly PeerRef[];
};

export type RoutingEntry = { readonly start: RingId; readonly peer: PeerRef };

/** Returns a directory of these members, in any order, each with a ring ID of its own. */
export function createDirectory(ringSize: number, peers: Iterable<PeerRef> = []): Directory {
  return { ringSize, peers: [...peers].sort((one, other) => one.ringId - other.ringId) };
}

/**
 * Judges a join, given the member that has the ring ID. Assumes a ring ID below the ring size; who may
 * have which ID is not judged here.
 */
export function judgeJoin(holder: PeerRef | undefined, peer: PeerRef): JoinVerdict {
  if (holder === undefined) return { kind: 'admission' };
  if (holder.address !== peer.address) return { kind: 'taken', holder };
  const isSameLife = peer.incarnation === 0 || peer.incarnation === holder.incarnation;
  if (isSameLife) return { kind: 'renewal', holder };
  return peer.incarnation > holder.incarnation ? { kind: 'admission' } : { kind: 'stale', holder };
}

/** Returns the member with a ring ID. */
export function memberAt({ peers }: Directory, ringId: RingId): PeerRef | undefined {
  const peer = peers[firstIndexAt(peers, ringId)];
  return peer?.ringId === ringId ? peer : undefined;
}

/** Returns the directory with a member in place of whoever had its ring ID. */
export function withMember(directory: Directory, peer: PeerRef): Directory {
  const index = firstIndexAt(directory.peers, peer.ringId);
  const replaced = directory.peers[index]?.ringId === peer.ringId ? 1 : 0;
  return { ...directory, peers: directory.peers.toSpliced(index, replaced, peer) };
}

/** Returns the directory without the members that have these ring IDs, in one copy for them all. */
export function withoutMembers(directory: Directory, ringIds: ReadonlySet<RingId>): Directory {
  if (ringIds.size === 0) return directory;
  return { ...directory, peers: directory.peers.filter(({ ringId }) => !ringIds.has(ringId)) };
}

/** Returns what is around a ring ID, whether or not it has a member; that one is not counted. */
export function surroundingsOf({ peers, ringSize }: Directory, ringId: RingId): Surroundings {
  const index = firstIndexAt(peers, ringId);
  const isMember = peers[index]?.ringId === ringId;
  const otherCount = peers.length - (isMember ? 1 : 0);
  const count = Math.min(otherCount, CONTACTS_MAX);
  const upwards = wrappedSlice(peers, index + (isMember ? 1 : 0), count);
  const downwards = wrappedSlice(peers, index - count, count).reverse();
  const [[successor], [predecessor]] = [upwards, downwards];
  if (successor === undefined || predecessor === undefined) {
    return { isFirst: true, predecessor: undefined, successor: undefined, contacts: [] };
  }
  const farness = (peer: PeerRef): number =>
    Math.min(distance(ringId, peer.ringId, ringSize), distance(peer.ringId, ringId, ringSize));
  const nearest = [...new Set([...upwards, ...downwards])]
    .sort((one, other) => farness(one) - farness(other))
    .slice(0, count);
  const missing = [successor, predecessor].filter((neighbour) => !nearest.includes(neighbour));
  const contacts = [...nearest.slice(0, count - missing.length), ...missing];
  return { isFirst: false, predecessor, successor, contacts };
}

/**
 * Returns the ideal finger table of a position: for each power of two below the ring size, smallest
 * first, the first member at or behind that many steps clockwise. Empty without members.
 */
export function routingTableOf({ peers, ringSize }: Directory, ringId: RingId): RoutingEntry[] {
  const entries: RoutingEntry[] = [];
  for (let offset = 1; offset < ringSize; offset *= 2) {
    const start = clockwise(ringId, offset, ringSize);
    const peer = peers[firstIndexAt(peers, start)] ?? peers[0];
    if (peer !== undefined) entries.push({ start, peer });
  }
  return entries;
}

/** Which members a page shows. */
export type PageBounds = {
  /** Only those behind this ring ID; from the beginning when undefined. */
  readonly after: RingId | undefined;
  /** At most this many, 1 or more. */
  readonly size: number;
  /** The page ends early behind so many characters of addresses. */
  readonly lengthMax: number;
};

/** Returns members in ring order, and whether there are more behind them. */
export function pageOf(
  { peers }: Directory,
  { after, size, lengthMax }: PageBounds,
): { readonly peers: readonly PeerRef[]; readonly hasMore: boolean } {
  const start = after === undefined ? 0 : firstIndexAt(peers, after + 1);
  const page: PeerRef[] = [];
  let length = 0;
  for (const peer of peers.slice(start, start + size)) {
    if (length > lengthMax) break;
    length += peer.address.length;
    page.push(peer);
  }
  return { peers: page, hasMore: start + page.length < peers.length };
}

/** So many members in ring order from an index on, which may lie beyond either end. */
function wrappedSlice(peers: readonly PeerRef[], start: number, count: number): PeerRef[] {
  const wrapped = Array.from({ length: count }, (_, step) =>
    peers.at((start + step) % peers.length),
  );
  return wrapped.filter((peer) => peer !== undefined);
}
