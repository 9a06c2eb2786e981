/**
 * What peers ask, answer and do, as one line each: tests compare lines instead of nested objects.
 *
 * The peer at 20 is called `p20` in its first life, `p20.7` in its life 7, and `p20.any` where the
 * life does not matter.
 */
import type { Ask } from '../../services/peer/core/conversation.js';
import type { MemberEffect } from '../../services/peer/core/member.js';
import type { Answer, Neighbors, Question, RingEffect } from '../../services/peer/core/messages.js';
import type { PeerRef } from '../../services/peer/core/ring-space.js';

/** The peer at a position, in its first life unless another one is meant. */
export const peer = (ringId: number, incarnation = 1): PeerRef => ({
  ringId,
  address: `p${ringId}`,
  incarnation,
});

/** Peers in their first life. */
export const peers = (...ringIds: readonly number[]): readonly PeerRef[] =>
  ringIds.map((ringId) => peer(ringId));

/** The first life in tests of one peer is 1, in the simulator 1000. */
const FIRST_LIVES: readonly number[] = [1, 1_000];

export function nameOf({ ringId, incarnation }: PeerRef): string {
  if (FIRST_LIVES.includes(incarnation)) return `p${ringId}`;
  return `p${ringId}.${incarnation === 0 ? 'any' : incarnation}`;
}

export function namesOf(some: readonly PeerRef[]): string {
  return `[${some.map(nameOf).join(' ')}]`;
}

export function questionText(question: Question): string {
  switch (question.kind) {
    case 'find-successor': {
      const { position, avoided } = question;
      return `find-successor ${position}${avoided.length > 0 ? ` without ${namesOf(avoided)}` : ''}`;
    }
    case 'notify':
      return `notify ${nameOf(question.candidate)}`;
    case 'departure':
      return `departure ${nameOf(question.peer)}`;
    case 'deliver':
      return `deliver ${question.letter.messageId}`;
    default:
      return question.kind;
  }
}

export function placeText({ predecessor, successors }: Omit<Neighbors, 'self'>): string {
  const before = predecessor === undefined ? 'nobody' : nameOf(predecessor);
  return `successors=${namesOf(successors)} predecessor=${before}`;
}

export function answerText(answer: Answer): string {
  switch (answer.kind) {
    case 'neighbors':
      return `neighbors ${nameOf(answer.self)} ${placeText(answer)}`;
    case 'alive': {
      const { self, predecessor, stage } = answer;
      const before = predecessor === undefined ? 'nobody' : nameOf(predecessor);
      return `alive ${nameOf(self)} ${stage} predecessor=${before}`;
    }
    case 'owner':
    case 'next-hop':
      return `${answer.kind} ${nameOf(answer.peer)}`;
    default:
      return answer.kind;
  }
}

export function askText({ to, question }: Ask): string {
  return `asks ${nameOf(to)} ${questionText(question)}`;
}

/** An answer is named by the number of the question, which tests choose themselves. */
export function effectText(effect: RingEffect | MemberEffect): string {
  switch (effect.kind) {
    case 'ask':
      return askText(effect);
    case 'answer':
      return `answers ${effect.requestId} ${answerText(effect.answer)}`;
    case 'lost':
      return `lost ${nameOf(effect.peer)}`;
    case 'rejoining':
      return `rejoining ${namesOf(effect.contacts)}`;
    case 'join-failed':
      return 'tries' in effect ? `join-failed ${effect.tries}` : 'join-failed';
    default:
      return effect.kind;
  }
}
