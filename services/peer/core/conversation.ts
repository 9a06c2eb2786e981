/**
 * A conversation: several questions in a row, each depending on the answers before.
 *
 * Written as a generator that yields a question and is resumed with the reply, so that a walk over
 * the ring reads like a plain function and still does no I/O: the node performs the questions over
 * gRPC, the simulator over virtual time.
 *
 * One that yields a list asks them all at once, and is resumed with the first reply to anything that
 * is still under way; an empty list waits for the next one. A single question is always followed by
 * its own reply: to what was under way before it nobody listens any more.
 */
import type { Answer, Question } from './messages.js';
import type { PeerRef } from './ring-space.js';

/** One question to one peer. */
export type Ask<Asked = Question> = { readonly to: PeerRef; readonly question: Asked };

/** How a question ended, and how long that took. */
export type Reply<Answered = Answer> =
  | { readonly kind: 'answered'; readonly answer: Answered; readonly elapsedMs: number }
  | { readonly kind: 'unanswered'; readonly elapsedMs: number };

/** A reply with the very question that it ends. */
export type Heard<Asked = Question, Answered = Answer> = Reply<Answered> & {
  readonly ask: Ask<Asked>;
};

/** About the ring by default; other cores have questions and answers of their own. */
export type Conversation<Result, Asked = Question, Answered = Answer> = Generator<
  Ask<Asked> | readonly Ask<Asked>[],
  Result,
  Heard<Asked, Answered>
>;

/** What was yielded, as a list. */
export function asksOf<Asked>(yielded: Ask<Asked> | readonly Ask<Asked>[]): readonly Ask<Asked>[] {
  return 'question' in yielded ? [yielded] : yielded;
}
