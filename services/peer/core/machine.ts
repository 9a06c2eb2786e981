/**
 * The ring protocol of one peer, as a pure function: Chord as corrected by Zave ("How to Make Chord
 * Correct"; Alloy model correctChord.als), with verdi-chord's rules for steps that are message
 * exchanges.
 *
 * Rules kept here:
 * 1. A pointer is adopted only after its peer has answered (join, stabilize, rectify).
 * 2. At most one question is in flight that changes our state. Meanwhile questions about our state
 *    are held; pings and lookups are answered at once, for nothing rests on them.
 * 3. Silence, a later life, or a peer's own departure is evidence of death; `busy` is not.
 * 4. Holding is bounded in number and ticks; past the bound the answer is `busy`. Of two peers that
 *    ask each other at once, the one with the larger ring ID is `busy`, so that neither waits.
 *
 * Duties of whoever performs the effects of one step:
 * 1. perform them in the order given;
 * 2. report each `ask` exactly once, as `answered` or `unanswered`;
 * 3. feed events one at a time.
 */
import { failJoin, found, onJoinAnswered, startJoin } from './join.js';
import { announceDeparture } from './leave.js';
import type { Answer, Question, RequestId, RingEvent } from './messages.js';
import {
  onNotified,
  onNotifierAnswered,
  onNotifierGone,
  onPredecessorAnswered,
  onPredecessorGone,
  startRectify,
} from './rectify.js';
import { isLaterLife, type PeerRef } from './ring-space.js';
import {
  onCandidateAnswered,
  onCandidateGone,
  onSuccessorAnswered,
  onSuccessorGone,
  startStabilize,
} from './stabilize.js';
import { atTick, type Pending, type RingLimits, type RingState, type Step } from './state.js';
import { answer, change, lose, stabilizeSoon, type Turn } from './turn.js';

/** Takes one event; returns the state after it and what must be done, in order. */
export function step(state: RingState, event: RingEvent, limits: RingLimits): Step {
  const turn: Turn = { state, effects: [], limits };
  take(turn, event);
  proceed(turn);
  return { state: turn.state, effects: turn.effects };
}

function take(turn: Turn, event: RingEvent): void {
  switch (event.kind) {
    case 'ticked':
      return onTicked(turn);
    case 'asked':
      return onAsked(turn, event.requestId, event.from, event.question);
    case 'answered':
      return onAnswered(turn, event.requestId, event.answer);
    case 'unanswered':
      return onUnanswered(turn, event.requestId);
    case 'founded':
      return found(turn);
    case 'join-behind':
      return startJoin(turn, event.peer);
    case 'leave-requested':
      return announceDeparture(turn);
  }
}

/** Starts the next operation when none is pending: first rectify, then stabilize when it is due. */
function proceed(turn: Turn): void {
  if (turn.state.pending !== undefined) return;
  releaseHeld(turn);
  const { stage, rectifyWith, tick, stabilizeAtTick } = turn.state;
  if (stage !== 'member') return;
  if (rectifyWith !== undefined) startRectify(turn, rectifyWith);
  else if (tick >= stabilizeAtTick) startStabilize(turn);
}

function onTicked(turn: Turn): void {
  const tick = turn.state.tick + 1;
  if (turn.state.held.length === 0) {
    turn.state = atTick(turn.state, tick);
    return;
  }
  const isOverdue = (since: number): boolean => tick - since >= turn.limits.heldTicksMax;
  for (const { requestId, heldSinceTick } of turn.state.held) {
    if (isOverdue(heldSinceTick)) answer(turn, requestId, { kind: 'busy' });
  }
  const held = turn.state.held.filter(({ heldSinceTick }) => !isOverdue(heldSinceTick));
  change(turn, { tick, held });
}

function onAsked(
  turn: Turn,
  requestId: RequestId,
  from: PeerRef | undefined,
  question: Question,
): void {
  if (from !== undefined) endOlderLives(turn, from);
  const { self, stage, predecessor } = turn.state;
  if (question.kind === 'ping') {
    return answer(turn, requestId, { kind: 'alive', self, predecessor, stage });
  }
  if (stage !== 'member') return answer(turn, requestId, { kind: 'not-member' });
  switch (question.kind) {
    case 'neighbors':
      return answerOrHold(turn, requestId, from, question);
    case 'notify':
      onNotified(turn, question.candidate);
      break;
    case 'nudge':
      stabilizeSoon(turn);
      break;
    case 'departure':
      endOlderLives(turn, { ...question.peer, incarnation: question.peer.incarnation + 1 });
      break;
    case 'find-successor':
    case 'forward-lookup':
    case 'deliver':
      throw new Error(`${question.kind} is not for the ring machine`);
  }
  answer(turn, requestId, { kind: 'noted' });
}

/** Forgets the lives of this peer that came before the one we see now. */
function endOlderLives(turn: Turn, seen: PeerRef): void {
  const { successors, predecessor } = turn.state;
  const known = predecessor === undefined ? successors : [...successors, predecessor];
  const over = known.filter((held) => isLaterLife(seen, held));
  for (const held of over) lose(turn, held);
  if (over.length > 0) stabilizeSoon(turn);
}

function answerOrHold(
  turn: Turn,
  requestId: RequestId,
  from: PeerRef | undefined,
  question: Question,
): void {
  const { self, pending, held, tick } = turn.state;
  if (pending === undefined) return answerNeighbors(turn, requestId);
  const isMutual = from?.ringId === pending.to.ringId && self.ringId > from.ringId;
  if (isMutual || held.length >= turn.limits.heldMax) {
    return answer(turn, requestId, { kind: 'busy' });
  }
  change(turn, { held: [...held, { requestId, question, heldSinceTick: tick }] });
}

function answerNeighbors(turn: Turn, requestId: RequestId): void {
  const { self, predecessor, successors, stage } = turn.state;
  if (stage !== 'member') return answer(turn, requestId, { kind: 'not-member' });
  answer(turn, requestId, { kind: 'neighbors', self, predecessor, successors });
}

function releaseHeld(turn: Turn): void {
  const { held } = turn.state;
  if (held.length === 0) return;
  change(turn, { held: [] });
  for (const { requestId } of held) answerNeighbors(turn, requestId);
}

function onAnswered(turn: Turn, requestId: RequestId, given: Answer): void {
  const { pending } = turn.state;
  if (pending?.requestId !== requestId) return;
  change(turn, { pending: undefined });
  if (given.kind === 'busy') return onBusy(turn, pending);
  if ((given.kind === 'neighbors' || given.kind === 'alive') && isMeant(pending.to, given.self)) {
    return onAnswer(turn, pending, given);
  }
  onGone(turn, pending);
}

function onUnanswered(turn: Turn, requestId: RequestId): void {
  const { pending } = turn.state;
  if (pending?.requestId !== requestId) return;
  change(turn, { pending: undefined });
  onGone(turn, pending);
}

function isMeant(asked: PeerRef, self: PeerRef): boolean {
  if (asked.ringId !== self.ringId) return false;
  return asked.incarnation === 0 || asked.incarnation === self.incarnation;
}

/**
 * The peer lives but could not tell: keep it and try again soon. Peers that wait for each other in a
 * circle must not all try again at once, so the pause differs between them, and from time to time.
 */
function onBusy(turn: Turn, pending: Pending): void {
  if (pending.purpose === 'join') return failJoin(turn);
  // Whoever notified us does so again at its next look.
  if (pending.purpose.startsWith('rectify')) change(turn, { rectifyWith: undefined });
  const { self, tick } = turn.state;
  const pauseTicks = 1 + (Math.imul(self.ringId ^ tick, 0x9e3779b1) >>> 30);
  change(turn, { stabilizeAtTick: tick + pauseTicks });
}

function onAnswer(
  turn: Turn,
  pending: Pending,
  given: Extract<Answer, { kind: 'neighbors' | 'alive' }>,
): void {
  if (given.kind === 'alive') {
    if (pending.purpose === 'rectify-predecessor') onPredecessorAnswered(turn, given);
    if (pending.purpose === 'rectify-candidate') onNotifierAnswered(turn, pending.to, given);
    return;
  }
  if (pending.purpose === 'stabilize-successor') onSuccessorAnswered(turn, given);
  if (pending.purpose === 'stabilize-candidate') onCandidateAnswered(turn, given);
  if (pending.purpose === 'join') onJoinAnswered(turn, given);
}

function onGone(turn: Turn, pending: Pending): void {
  switch (pending.purpose) {
    case 'stabilize-successor':
      return onSuccessorGone(turn, pending.to);
    case 'stabilize-candidate':
      return onCandidateGone(turn, pending.to);
    case 'rectify-predecessor':
      return onPredecessorGone(turn, pending.to);
    case 'rectify-candidate':
      return onNotifierGone(turn, pending.to);
    case 'join':
      return failJoin(turn);
  }
}
