/**
 * Joining: Zave's Join.
 *
 * A joiner that a walk has led to its predecessor to be copies the list of that peer in full; it
 * does not start with one pointer. It is a member from that moment, and the others learn of it by
 * stabilizing. Where the peer proves not to be the one before us, the walk starts again.
 */
import type { Neighbors } from './messages.js';
import { isBetween, type PeerRef } from './ring-space.js';
import { askPending, change, stabilizeSoon, successorList, tell, type Turn } from './turn.js';

/** Becomes the only member of a ring, whatever was on its way. */
export function found(turn: Turn): void {
  change(turn, {
    stage: 'member',
    predecessor: undefined,
    successors: [],
    pending: undefined,
    rectifyWith: undefined,
  });
  turn.effects.push({ kind: 'founded' });
}

export function startJoin(turn: Turn, predecessor: PeerRef): void {
  change(turn, { stage: 'joining' });
  askPending(turn, predecessor, { kind: 'neighbors' }, 'join');
}

export function onJoinAnswered(turn: Turn, place: Neighbors): void {
  const { self } = turn.state;
  const first = place.successors[0] ?? place.self;
  if (!isBetween(place.self.ringId, self.ringId, first.ringId)) return failJoin(turn);
  change(turn, {
    stage: 'member',
    predecessor: place.self,
    successors: successorList(self, first, place.successors.slice(1), turn.limits.successorsMax),
  });
  turn.effects.push({ kind: 'joined' });
  // It would hear of us after our first look at it; until somebody has, lookups pass us by.
  tell(turn, first, { kind: 'notify', candidate: self });
  stabilizeSoon(turn);
}

export function failJoin(turn: Turn): void {
  change(turn, { stage: 'outside' });
  turn.effects.push({ kind: 'join-failed' });
}
