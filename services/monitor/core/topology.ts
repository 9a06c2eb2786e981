/** What the members of a ring know of it, at about one moment. */
import { isSameLife, type PeerRef } from '../../peer/core/ring-space.js';
import type { Neighbors } from '../../peer/core/messages.js';
import type { PeerView } from '../../peer/core/routing-table.js';

export type Topology = {
  /** Of all that answered, in ring order. */
  readonly views: readonly PeerView[];
  /** Who is named and did not answer, in the same order. */
  readonly unreachable: readonly PeerRef[];
};

export type TopologyChange =
  | { readonly kind: 'changed'; readonly view: PeerView }
  | { readonly kind: 'unreachable' | 'removed'; readonly peer: PeerRef };

/** What makes the later one of the earlier one. */
export function changesBetween(earlier: Topology, later: Topology): readonly TopologyChange[] {
  const before = new Map(earlier.views.map((view) => [view.self.ringId, view]));
  const wasUnreachable = new Set(earlier.unreachable.map(({ ringId }) => ringId));
  const changed = later.views.filter((view) => {
    const old = before.get(view.self.ringId);
    return old === undefined || !isSameView(old, view);
  });
  const lost = later.unreachable.filter(({ ringId }) => !wasUnreachable.has(ringId));
  const named = new Set(
    [...later.views.map(({ self }) => self), ...later.unreachable].map(({ ringId }) => ringId),
  );
  const all = [...earlier.views.map(({ self }) => self), ...earlier.unreachable];
  const gone = all.filter(({ ringId }) => !named.has(ringId));
  return [
    ...changed.map((view) => ({ kind: 'changed', view }) as const),
    ...lost.map((peer) => ({ kind: 'unreachable', peer }) as const),
    ...gone.map((peer) => ({ kind: 'removed', peer }) as const),
  ];
}

/** Whether both show the same members with the same neighbours; fingers do not matter. */
export function isSameRing(one: Topology, other: Topology): boolean {
  return (
    one.views.length === other.views.length &&
    one.views.every((view, index) => hasSameNeighbors(view, other.views[index]))
  );
}

function isSameView(one: PeerView, other: PeerView): boolean {
  return (
    hasSameNeighbors(one, other) &&
    one.fingers.length === other.fingers.length &&
    one.fingers.every(({ peer }, index) => isSame(peer, other.fingers[index]?.peer))
  );
}

function hasSameNeighbors(one: Neighbors, other: Neighbors | undefined): boolean {
  return (
    other !== undefined &&
    isSameLife(one.self, other.self) &&
    isSame(one.predecessor, other.predecessor) &&
    one.successors.length === other.successors.length &&
    one.successors.every((peer, index) => isSame(peer, other.successors[index]))
  );
}

function isSame(one: PeerRef | undefined, other: PeerRef | undefined): boolean {
  if (one === undefined || other === undefined) return one === other;
  return isSameLife(one, other);
}
