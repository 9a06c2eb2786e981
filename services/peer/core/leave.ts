/**
 * Leaving gracefully.
 *
 * To the model a leave is a failure at a moment of our choice. We tell our neighbours, so that they
 * need not wait for our silence, and are gone: every later question is answered `not-member`.
 */
import type { PeerRef } from './ring-space.js';
import { change, tell, type Turn } from './turn.js';

export function announceDeparture(turn: Turn): void {
  const { self, predecessor, successors, stage } = turn.state;
  if (stage === 'member') {
    for (const peer of neighborsOf(predecessor, successors)) {
      tell(turn, peer, { kind: 'departure', peer: self });
    }
  }
  change(turn, { stage: 'left', pending: undefined, rectifyWith: undefined });
}

function neighborsOf(
  predecessor: PeerRef | undefined,
  successors: readonly PeerRef[],
): readonly PeerRef[] {
  if (predecessor === undefined) return successors;
  return [predecessor, ...successors.filter((peer) => peer.ringId !== predecessor.ringId)];
}
