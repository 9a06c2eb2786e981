/**
 * What the route cache learns from the traffic of its peer.
 *
 * A peer that speaks of itself is believed before others that speak of it. Questions that a joiner
 * asks as well (ping, neighbours, the walk to its own place) do not show that the asker is a member.
 */
import type { Ask, Reply } from './conversation.js';
import type { Answer, Question } from './messages.js';
import { isAvoided, type PeerRef } from './ring-space.js';
import type { RouteCache } from './route-cache.js';

export function learnFromQuestion(
  routes: RouteCache,
  from: PeerRef | undefined,
  question: Question,
): void {
  if (from === undefined) return;
  switch (question.kind) {
    case 'departure':
      return routes.forget(question.peer);
    case 'find-successor':
      if (!isAvoided(from, question.avoided)) routes.hear(from);
      return;
    case 'notify':
    case 'nudge':
    case 'deliver':
    case 'forward-lookup':
      return routes.hear(from);
    case 'ping':
    case 'neighbors':
      return;
  }
}

export function learnFromAnswer(routes: RouteCache, answer: Answer): void {
  switch (answer.kind) {
    case 'alive':
      if (answer.stage === 'member') routes.hear(answer.self);
      if (answer.stage === 'left') routes.forget(answer.self);
      if (answer.predecessor !== undefined) routes.learn(answer.predecessor);
      return;
    case 'neighbors':
      routes.hear(answer.self);
      if (answer.predecessor !== undefined) routes.learn(answer.predecessor);
      return answer.successors.forEach((peer) => routes.learn(peer));
    case 'owner':
    case 'next-hop':
      routes.learn(answer.peer);
      return answer.alternates?.forEach((peer) => routes.learn(peer));
    case 'found':
      routes.learn(answer.owner);
      return answer.hops.forEach(({ peer }) => routes.learn(peer));
    default:
  }
}

/** A passed-on lookup may be late for reasons of others: its silence says nothing of the peer. */
export function learnFromEnd(routes: RouteCache, { to, question }: Ask, reply: Reply): void {
  const isGone =
    reply.kind === 'unanswered'
      ? question.kind !== 'forward-lookup'
      : reply.answer.kind === 'not-member' || reply.answer.kind === 'stale';
  if (isGone) routes.forget(to);
}
