/**
 * Becoming one ring again after a cut (ours, not Zave's: her model has no partitions).
 *
 * A ring cut in two repairs into two, each of which takes the other's members for dead. Members
 * remember those they lost and ask after them. One that answers as a member may be in our ring
 * already; otherwise there are two rings, and the members of the smaller one rejoin the larger one,
 * each by itself, as new incarnations. Moving makes the smaller ring smaller still, so all who
 * compare later decide the same way; of two equals, the one with the smallest ring ID stays.
 *
 * Only successor lists say who is in a ring with whom. Lookups would not do: a finger may still
 * point across the cut.
 */
import type { Conversation } from './conversation.js';
import type { Neighbors } from './messages.js';
import { distance, isBetween, isSameLife, type PeerRef } from './ring-space.js';
import { survey, type Survey } from './survey.js';
import { findOtherTurn } from './unwind.js';

export type ReunionVerdict =
  /** Nobody there, or not a member of any ring. */
  | { readonly kind: 'still-gone' }
  /** It is in our ring; nothing was lost. */
  | { readonly kind: 'found-here' }
  /** Cannot tell just now, or the other ring is the one to move. */
  | { readonly kind: 'wait' }
  /** We are the smaller ring: leave it, and join through one of these peers. */
  | { readonly kind: 'rejoin'; readonly contacts: readonly PeerRef[] };

export type ReunionOptions = {
  readonly self: PeerRef;
  readonly ringSize: number;
  /** Most members counted in each ring. */
  readonly viewsMax: number;
};

const CONTACTS_MAX = 4;

/** Asks after a peer that was lost. */
export function* seekReunion(lost: PeerRef, options: ReunionOptions): Conversation<ReunionVerdict> {
  const { self } = options;
  const greeting = yield { to: { ...lost, incarnation: 0 }, question: { kind: 'ping' } };
  if (greeting.kind === 'unanswered') return { kind: 'still-gone' };
  const { answer } = greeting;
  if (answer.kind !== 'alive' || answer.stage !== 'member') return { kind: 'still-gone' };
  const isNear = yield* isInOneRing(self, answer.self, options);
  if (isNear === undefined) return { kind: 'wait' };
  return isNear ? { kind: 'found-here' } : yield* compareRings(answer.self, options);
}

/** Follows the shorter arc between the two; undefined when the way was lost. */
function* isInOneRing(
  self: PeerRef,
  other: PeerRef,
  { ringSize, viewsMax }: ReunionOptions,
): Conversation<boolean | undefined> {
  const isAhead =
    distance(self.ringId, other.ringId, ringSize) <= distance(other.ringId, self.ringId, ringSize);
  const [start, target] = isAhead ? [self, other] : [other, self];
  let from = start;
  for (let asked = 0; asked < viewsMax; asked += 1) {
    const reply = yield { to: from, question: { kind: 'neighbors' } };
    if (reply.kind === 'unanswered' || reply.answer.kind !== 'neighbors') return undefined;
    const { successors } = reply.answer;
    if (successors.some((peer) => isSameLife(peer, target))) return true;
    const last = successors.at(-1);
    if (last === undefined || !isBetween(from.ringId, last.ringId, target.ringId)) return false;
    from = last;
  }
  return undefined;
}

function* compareRings(other: PeerRef, options: ReunionOptions): Conversation<ReunionVerdict> {
  const { self, viewsMax } = options;
  const ours = yield* survey(self, viewsMax);
  const theirs = yield* survey(other, viewsMax);
  if (ours.views.length === 0 || theirs.views.length === 0) return { kind: 'wait' };
  if (isJoint(ours, theirs)) return yield* unwind(self, viewsMax);
  return isSmaller(ours, theirs) ? rejoin(self, theirs.views) : { kind: 'wait' };
}

/** Somebody has just joined, or our ring goes round twice. */
function* unwind(self: PeerRef, viewsMax: number): Conversation<ReunionVerdict> {
  const otherTurn = yield* findOtherTurn(self, viewsMax);
  return otherTurn === undefined ? { kind: 'wait' } : rejoin(self, otherTurn);
}

function isJoint(ours: Survey, theirs: Survey): boolean {
  const ourIds = new Set(ours.views.map(({ self }) => self.ringId));
  return theirs.views.some(({ self }) => ourIds.has(self.ringId));
}

/** Through the one that will be our predecessor, first of all: others may lead back to where we are. */
function rejoin(joiner: PeerRef, views: readonly Neighbors[]): ReunionVerdict {
  const isPlace = ({ self, successors: [next = self] }: Neighbors): boolean =>
    isBetween(self.ringId, joiner.ringId, next.ringId);
  const ordered = [...views.filter(isPlace), ...views.filter((view) => !isPlace(view))];
  return { kind: 'rejoin', contacts: ordered.slice(0, CONTACTS_MAX).map(({ self }) => self) };
}

function isSmaller(ours: Survey, theirs: Survey): boolean {
  const difference = ours.views.length - theirs.views.length;
  return difference === 0 ? smallestRingId(ours) > smallestRingId(theirs) : difference < 0;
}

function smallestRingId({ views }: Survey): number {
  return Math.min(...views.map(({ self }) => self.ringId));
}
