/** Conversations with peers whose replies are written by hand. */
import {
  asksOf,
  type Ask,
  type Conversation,
  type Reply,
} from '../../../services/peer/core/conversation.js';
import type { Answer, Question } from '../../../services/peer/core/messages.js';
import type { PeerRef } from '../../../services/peer/core/ring-space.js';
import { nameOf, peers, questionText } from '../ring-text.js';
import { alive, neighbors } from './lone-machine.js';

export const ELAPSED_MS = 7;

/**
 * What peers answer, by name and kind of question: `'p40 ping'`. A list is answered one after the
 * other, its last for ever; whoever is not in here is silent.
 */
export type Voices = Readonly<Record<string, Answer | readonly Answer[]>>;

/**
 * Has a conversation; returns how it ended, every question, and all as lines. Of questions under way
 * at once the first asked is answered first; who is silent is heard of last.
 */
export function talk<Result>(
  conversation: Conversation<Result>,
  voices: Voices,
): {
  readonly result: Result;
  readonly asks: readonly string[];
  readonly questions: readonly Question[];
} {
  const asks: string[] = [];
  const questions: Question[] = [];
  const countOf = new Map<string, number>();
  let underWay: readonly Ask[] = [];
  let turn = conversation.next();
  while (turn.done !== true) {
    underWay = 'question' in turn.value ? [turn.value] : [...underWay, ...turn.value];
    for (const { to, question } of asksOf(turn.value)) {
      asks.push(`${nameOf(to)} ${questionText(question)}`);
      questions.push(question);
    }
    if (asks.length > 500) throw new Error('this conversation does not end');
    const next = underWay.find((ask) => voiceOf(ask) in voices) ?? underWay[0];
    if (next === undefined) throw new Error('this conversation waits for nothing');
    underWay = underWay.filter((ask) => ask !== next);
    const voice = voiceOf(next);
    const count = countOf.get(voice) ?? 0;
    countOf.set(voice, count + 1);
    turn = conversation.next({ ...replyOf(voices[voice], count), ask: next });
  }
  return { result: turn.value, asks, questions };
}

function voiceOf({ to, question }: Ask): string {
  return `${nameOf(to)} ${question.kind}`;
}

function replyOf(voice: Answer | readonly Answer[] | undefined, count: number): Reply {
  const answers = voice === undefined ? [] : [voice].flat();
  const answer = answers[Math.min(count, answers.length - 1)];
  if (answer === undefined) return { kind: 'unanswered', elapsedMs: ELAPSED_MS };
  return { kind: 'answered', answer, elapsedMs: ELAPSED_MS };
}

/** What the members of an ideal ring say of themselves, with lists of `successorsMax`. */
export function ringOf(successorsMax: number, ...ringIds: readonly number[]): Voices {
  const ring = peers(...ringIds);
  const at = (index: number): PeerRef => ring[(index + ring.length) % ring.length]!;
  const length = Math.min(successorsMax, ring.length - 1);
  const voices: Record<string, Answer> = {};
  for (const [index, self] of ring.entries()) {
    const before = ring.length === 1 ? undefined : at(index - 1);
    const list = Array.from({ length }, (_, place) => at(index + 1 + place));
    voices[`${nameOf(self)} neighbors`] = neighbors(self, before, ...list);
    voices[`${nameOf({ ...self, incarnation: 0 })} ping`] = alive(self, before);
    voices[`${nameOf(self)} ping`] = alive(self, before);
  }
  return voices;
}
