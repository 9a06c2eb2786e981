/**
 * The routing table of a peer as it is: for each power of two below the ring size, whom the peer takes for
 * the owner of the position that far away (Chord, section 4.3). What its successors settle is looked up in
 * their list, the rest in its fingers.
 */
import type { Neighbors } from './messages.js';
import { clockwise, distance, type PeerRef, type RingId } from './ring-space.js';

export type Finger = { readonly start: RingId; readonly peer: PeerRef | undefined };

/** All that a peer knows of the ring. */
export type PeerView = Neighbors & { readonly fingers: readonly Finger[] };

type Known = {
  readonly self: PeerRef;
  readonly successors: readonly PeerRef[];
  /** By their start. */
  readonly fingers: readonly { readonly start: RingId; readonly peer: PeerRef }[];
};

/** The nearest start first; without a peer where none is known. Empty for a peer that is alone. */
export function routingTable({ self, successors, fingers }: Known, ringSize: number): Finger[] {
  if (successors.length === 0) return [];
  const byStart = new Map(fingers.map(({ start, peer }) => [start, peer]));
  const table: Finger[] = [];
  for (let offset = 1; offset < ringSize; offset *= 2) {
    const start = clockwise(self.ringId, offset, ringSize);
    const settled = successors.find(
      ({ ringId }) => distance(self.ringId, ringId, ringSize) >= offset,
    );
    table.push({ start, peer: settled ?? byStart.get(start) });
  }
  return table;
}
