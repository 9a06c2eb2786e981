/**
 * One step towards the owner of a position, from what one peer knows (Chord, section 4.3).
 *
 * Only the predecessor and the successor list decide who owns what. The whole list does: r successors
 * save ½·log2 r hops (section V-C). Shortcuts (fingers) make the way shorter; a wrong one costs a hop.
 */
import { isAvoided, isBetween, isOwnedBy, type PeerRef, type RingId } from './ring-space.js';
import type { RingState } from './state.js';

export type RouteStep =
  /** This peer owns the position. */
  | { readonly kind: 'self' }
  /** As far as this peer knows, this one of its successors owns the position. */
  | { readonly kind: 'owner'; readonly peer: PeerRef }
  /** This peer lies between here and the position; ask it. */
  | { readonly kind: 'next-hop'; readonly peer: PeerRef }
  /** Every peer known here is avoided. */
  | { readonly kind: 'nowhere' };

/** A step that leads to another peer. */
export type Way = Extract<RouteStep, { readonly peer: PeerRef }>;

/** Most ways that an answer names beside the best one. */
export const ALTERNATES_MAX = 2;

/**
 * The best way and up to `alternatesMax` more of the same kind: each is where `step` leads when those
 * before it are dead. More than `ALTERNATES_MAX` count as that.
 */
export function waysFrom(
  step: (avoided: readonly PeerRef[]) => RouteStep,
  avoided: readonly PeerRef[],
  alternatesMax: number,
): readonly Way[] {
  const ways: Way[] = [];
  while (ways.length <= Math.min(alternatesMax, ALTERNATES_MAX)) {
    const next = step([...avoided, ...ways.map(({ peer }) => peer)]);
    const isWay = next.kind === 'owner' || next.kind === 'next-hop';
    if (!isWay || (ways[0]?.kind ?? next.kind) !== next.kind) break;
    ways.push(next);
  }
  return ways;
}

/** Where to go from here. `avoided` peers are taken for dead. */
export function route(
  state: RingState,
  shortcuts: Iterable<PeerRef>,
  position: RingId,
  avoided: readonly PeerRef[],
): RouteStep {
  const { self, predecessor, successors } = state;
  const isOut = (peer: PeerRef): boolean => isAvoided(peer, avoided);
  if (isOwnedHere(state, position, isOut)) return { kind: 'self' };
  const successor = successors.find((peer) => !isOut(peer));
  if (successor === undefined) {
    const isLast = predecessor === undefined || isOut(predecessor);
    return isLast ? { kind: 'nowhere' } : { kind: 'next-hop', peer: predecessor };
  }
  const candidates = isAvoidedAt(position, avoided) ? [successor] : successors;
  const owner = candidates.find(
    (peer) => isOwnedBy(self.ringId, position, peer.ringId) && !isOut(peer),
  );
  if (owner !== undefined) return { kind: 'owner', peer: owner };
  let closest = successor;
  for (const peer of [...successors, ...shortcuts]) {
    const isCloser = isBetween(closest.ringId, peer.ringId, position);
    if (isCloser && !isOut(peer)) closest = peer;
  }
  return { kind: 'next-hop', peer: closest };
}

/**
 * Whether whoever stands at the position is avoided. A joiner avoids its own position, and must come to
 * the peer right before it; the list would lead it past that one.
 */
function isAvoidedAt(position: RingId, avoided: readonly PeerRef[]): boolean {
  return avoided.some(({ ringId }) => ringId === position);
}

function isOwnedHere(
  { self, predecessor, successors }: RingState,
  position: RingId,
  isOut: (peer: PeerRef) => boolean,
): boolean {
  if (position === self.ringId) return true;
  if (predecessor === undefined) return successors.length === 0;
  return !isOut(predecessor) && isOwnedBy(predecessor.ringId, position, self.ringId);
}
