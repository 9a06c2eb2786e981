/**
 * Keeping the predecessor true: Zave's Rectify.
 *
 * Whoever notifies us is a candidate. One that lies between our predecessor and us replaces it;
 * otherwise the predecessor is probed and replaced only when it is gone. Unlike the model, whose
 * notifier is a peer by definition, anyone may send us a name, so the candidate is probed as well.
 * A candidate that waits is replaced only by a better one (verdi-chord, rule 5).
 */
import type { Answer } from './messages.js';
import { isBetween, isLaterLife, isSameLife, type PeerRef } from './ring-space.js';
import { askPending, change, lose, stabilizeSoon, tell, type Turn } from './turn.js';

export function onNotified(turn: Turn, candidate: PeerRef): void {
  const { self, predecessor, rectifyWith } = turn.state;
  if (candidate.ringId === self.ringId) return;
  if (predecessor !== undefined && isSameLife(predecessor, candidate)) return;
  const isBetter =
    rectifyWith === undefined ||
    isLaterLife(candidate, rectifyWith) ||
    isBetween(rectifyWith.ringId, candidate.ringId, self.ringId);
  if (isBetter) change(turn, { rectifyWith: candidate });
}

export function startRectify(turn: Turn, candidate: PeerRef): void {
  const { self, predecessor } = turn.state;
  if (
    predecessor === undefined ||
    isLaterLife(candidate, predecessor) ||
    isBetween(predecessor.ringId, candidate.ringId, self.ringId)
  ) {
    askPending(turn, candidate, { kind: 'ping' }, 'rectify-candidate');
  } else {
    askPending(turn, predecessor, { kind: 'ping' }, 'rectify-predecessor');
  }
}

type Alive = Extract<Answer, { kind: 'alive' }>;

export function onNotifierAnswered(turn: Turn, asked: PeerRef, alive: Alive): void {
  dismiss(turn, asked);
  if (alive.stage !== 'member') return;
  const { predecessor, successors } = turn.state;
  change(turn, { predecessor: alive.self });
  if (predecessor !== undefined) tell(turn, predecessor, { kind: 'nudge' });
  if (successors.length === 0) stabilizeSoon(turn);
}

export function onNotifierGone(turn: Turn, asked: PeerRef): void {
  dismiss(turn, asked);
}

export function onPredecessorAnswered(turn: Turn, alive: Alive): void {
  if (alive.stage !== 'member') return onPredecessorGone(turn, alive.self);
  change(turn, { rectifyWith: undefined });
}

/** The candidate stays, and is looked at next, now that nobody stands before it. */
export function onPredecessorGone(turn: Turn, gone: PeerRef): void {
  lose(turn, gone);
}

/** Drops the candidate that was looked at, unless a better one has come meanwhile. */
function dismiss(turn: Turn, asked: PeerRef): void {
  const { rectifyWith } = turn.state;
  if (rectifyWith !== undefined && isSameLife(rectifyWith, asked)) {
    change(turn, { rectifyWith: undefined });
  }
}
