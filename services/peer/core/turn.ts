/**
 * One step in the making: the state so far and the effects so far.
 *
 * The machine's parts share these few moves. A turn lives inside one call of `step` and is seen by
 * nobody else, so the machine stays a pure function.
 */
import type { Answer, Question, RequestId, RingEffect } from './messages.js';
import { isBetween, isSameLife, type PeerRef } from './ring-space.js';
import type { Purpose, RingLimits, RingState } from './state.js';

export type Turn = {
  state: RingState;
  readonly effects: RingEffect[];
  readonly limits: RingLimits;
};

export function change(turn: Turn, changes: Partial<RingState>): void {
  turn.state = { ...turn.state, ...changes };
}

/** Asks without waiting: the answer changes nothing here. */
export function tell(turn: Turn, to: PeerRef, question: Question): RequestId {
  const requestId = turn.state.nextRequestId;
  change(turn, { nextRequestId: requestId + 1 });
  turn.effects.push({ kind: 'ask', requestId, to, question });
  return requestId;
}

/** Asks a question whose answer changes our state; until then the state counts as undefined. */
export function askPending(turn: Turn, to: PeerRef, question: Question, purpose: Purpose): void {
  const requestId = tell(turn, to, question);
  change(turn, { pending: { requestId, to, purpose } });
}

export function answer(turn: Turn, requestId: RequestId, given: Answer): void {
  turn.effects.push({ kind: 'answer', requestId, answer: given });
}

/** Asks for a look at the successor as soon as nothing else is pending. */
export function stabilizeSoon(turn: Turn): void {
  change(turn, { stabilizeAtTick: turn.state.tick });
}

/**
 * The list of a peer whose successor is `first` and whose successor's list is `rest`.
 *
 * Keeps ring order and stops before itself, so that a list in a ring of fewer than r + 1 members
 * holds each other member once.
 */
export function successorList(
  self: PeerRef,
  first: PeerRef,
  rest: readonly PeerRef[],
  max: number,
): readonly PeerRef[] {
  const list = [first];
  let last = first;
  for (const peer of rest) {
    if (list.length >= max || !isBetween(last.ringId, peer.ringId, self.ringId)) break;
    list.push(peer);
    last = peer;
  }
  return list;
}

/** Takes over a successor that has answered, and its list; tells the predecessor when that is new. */
export function adoptSuccessor(turn: Turn, first: PeerRef, rest: readonly PeerRef[]): void {
  const { self, predecessor, successors: before } = turn.state;
  const successors = successorList(self, first, rest, turn.limits.successorsMax);
  if (isSameList(before, successors)) return;
  change(turn, { successors });
  if (predecessor !== undefined) tell(turn, predecessor, { kind: 'nudge' });
}

function isSameList(one: readonly PeerRef[], other: readonly PeerRef[]): boolean {
  if (one.length !== other.length) return false;
  return one.every((peer, index) => {
    const twin = other[index];
    return twin !== undefined && isSameLife(peer, twin);
  });
}

/** Forgets a life that is over, wherever it stands. */
export function lose(turn: Turn, gone: PeerRef): void {
  const { state } = turn;
  const successors = state.successors.filter((peer) => !isSameLife(peer, gone));
  const isPredecessor = state.predecessor !== undefined && isSameLife(state.predecessor, gone);
  const wasKnown = isPredecessor || successors.length < state.successors.length;
  change(turn, {
    successors,
    predecessor: isPredecessor ? undefined : state.predecessor,
    rectifyWith:
      state.rectifyWith !== undefined && isSameLife(state.rectifyWith, gone)
        ? undefined
        : state.rectifyWith,
  });
  if (wasKnown) turn.effects.push({ kind: 'lost', peer: gone });
}
