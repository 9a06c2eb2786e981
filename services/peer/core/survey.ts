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
  let isRound = false;
  while (views.length < viewsMax) {
    const view = yield* firstAnswer(ahead, unreachable);
    if (view === undefined) return done(isRound);
    views.push(view);
    const origin = views[0]?.self ?? start;
    ahead = view.successors.filter((peer) => isBefore(origin, view.self, peer));
    const isAlone = view.self === origin && view.successors.length === 0;
    isRound = isAlone || ahead.length < view.successors.length;
    if (ahead.every((peer) => isAmong(unreachable, peer))) return done(isRound);
  }
  return done(false);
}

/** Whether a peer stands between the one that named it and the beginning of the walk. */
function isBefore(origin: PeerRef, namer: PeerRef, peer: PeerRef): boolean {
  return peer.ringId !== origin.ringId && isBetween(namer.ringId, peer.ringId, origin.ringId);
}

function isAmong(peers: readonly PeerRef[], peer: PeerRef): boolean {
  return peers.some(({ ringId }) => ringId === peer.ringId);
}

/** What the first of these says that answers; those that do not are noted. */
export function* firstAnswer(
  candidates: readonly PeerRef[],
  unreachable: PeerRef[],
): Conversation<Neighbors | undefined> {
  for (const to of candidates) {
    if (isAmong(unreachable, to)) continue;
    const reply = yield { to, question: { kind: 'neighbors' } };
    if (reply.kind === 'answered' && reply.answer.kind === 'neighbors') return reply.answer;
    unreachable.push(to);
  }
  return undefined;
}
