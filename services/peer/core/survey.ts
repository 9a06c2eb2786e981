/**
 * Walking round the ring along the successors, to see every member once.
 *
 * Used to compare two rings that a cut has made, and to judge the ring. A member that does not
 * answer is passed by; its own list is then missing from the picture.
 */
import type { Conversation } from './conversation.js';
import type { Neighbors } from './messages.js';
import { isBetween, type PeerRef } from './ring-space.js';

export type Survey = {
  /** What each member said, in ring order from the first one asked. */
  readonly views: readonly Neighbors[];
  /** Peers that were named and did not answer. */
  readonly unreachable: readonly PeerRef[];
  /** Whether the walk came round; otherwise it stopped at its bound or lost its way. */
  readonly isComplete: boolean;
};

/** Asks `start`, its successor, and so on until the walk comes round. */
export function* survey(start: PeerRef, viewsMax: number): Conversation<Survey> {
  const views: Neighbors[] = [];
  const unreachable: PeerRef[] = [];
  const done = (isComplete: boolean): Survey => ({ views, unreachable, isComplete });
  let ahead: readonly PeerRef[] = [start];
  while (views.length < viewsMax) {
    const view = yield* firstAnswer(ahead, unreachable);
    if (view === undefined) return done(false);
    views.push(view);
    if (view.successors.length === 0) return done(true);
    const origin = views[0]?.self ?? start;
    const isRound = (peer: PeerRef): boolean =>
      peer.ringId === origin.ringId || !isBetween(view.self.ringId, peer.ringId, origin.ringId);
    ahead = view.successors;
    const next = ahead.find((peer) => !unreachable.some((it) => it.ringId === peer.ringId));
    if (next === undefined) return done(false);
    if (isRound(next)) return done(true);
    ahead = ahead.filter((peer) => !isRound(peer));
  }
  return done(false);
}

function* firstAnswer(
  candidates: readonly PeerRef[],
  unreachable: PeerRef[],
): Conversation<Neighbors | undefined> {
  for (const to of candidates) {
    if (unreachable.some((it) => it.ringId === to.ringId)) continue;
    const reply = yield { to, question: { kind: 'neighbors' } };
    if (reply.kind === 'answered' && reply.answer.kind === 'neighbors') return reply.answer;
    unreachable.push(to);
  }
  return undefined;
}
