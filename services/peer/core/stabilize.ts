/**
 * Keeping the successor list true: Zave's StabilizeFromSuccessor and StabilizeFromPredecessor.
 *
 * 1. Ask the successor for its list and its predecessor. It answers: our list is it, then its list
 *    without the end. It does not: drop it and ask the next one.
 * 2. Where its predecessor lies between us, that peer is a candidate. It answers: it is our
 *    successor. It does not: our list stays.
 * 3. Notify whoever is our successor now.
 *
 * A pointer is adopted only after its peer has answered. A dropped entry leaves the list shorter
 * until the next answer fills it; the model's padding with identifiers that nobody has would add
 * nothing that lives, and a shorter list skips nobody that the longer one did not.
 */
import type { Neighbors } from './messages.js';
import { isBetween, isSameLife, type PeerRef } from './ring-space.js';
import {
  adoptSuccessor,
  askPending,
  change,
  lose,
  stabilizeSoon,
  tell,
  type Turn,
} from './turn.js';

/**
 * Looks at the successor. With no successor left, the predecessor is the farthest there is; with
 * neither, this peer is alone and there is nobody to look at.
 */
export function startStabilize(turn: Turn): void {
  const { state, limits } = turn;
  change(turn, { stabilizeAtTick: state.tick + limits.stabilizeTicks });
  const successor = state.successors[0];
  if (successor !== undefined) {
    askPending(turn, successor, { kind: 'neighbors' }, 'stabilize-successor');
  } else if (state.predecessor !== undefined) {
    askPending(turn, state.predecessor, { kind: 'neighbors' }, 'stabilize-candidate');
  }
}

export function onSuccessorAnswered(turn: Turn, place: Neighbors): void {
  const { self } = turn.state;
  const candidate = place.predecessor;
  adoptSuccessor(turn, place.self, place.successors);
  if (candidate !== undefined && isBetween(self.ringId, candidate.ringId, place.self.ringId)) {
    askPending(turn, candidate, { kind: 'neighbors' }, 'stabilize-candidate');
  } else if (candidate === undefined || !isSameLife(candidate, self)) {
    notify(turn, place.self);
  }
}

export function onSuccessorGone(turn: Turn, gone: PeerRef): void {
  lose(turn, gone);
  const next = turn.state.successors[0];
  if (next !== undefined) notify(turn, next);
  stabilizeSoon(turn);
}

export function onCandidateAnswered(turn: Turn, place: Neighbors): void {
  const { self, successors } = turn.state;
  const end = successors[0]?.ringId ?? self.ringId;
  if (isBetween(self.ringId, place.self.ringId, end)) {
    adoptSuccessor(turn, place.self, place.successors);
  }
  const successor = turn.state.successors[0];
  if (successor !== undefined) notify(turn, successor);
}

export function onCandidateGone(turn: Turn, gone: PeerRef): void {
  lose(turn, gone);
  const successor = turn.state.successors[0];
  if (successor !== undefined) notify(turn, successor);
}

function notify(turn: Turn, successor: PeerRef): void {
  tell(turn, successor, { kind: 'notify', candidate: turn.state.self });
}
