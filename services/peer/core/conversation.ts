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
export type Ask = { readonly to: PeerRef; readonly question: Question };

/** How a question ended, and how long that took. */
export type Reply =
  | { readonly kind: 'answered'; readonly answer: Answer; readonly elapsedMs: number }
  | { readonly kind: 'unanswered'; readonly elapsedMs: number };

/** A reply with the very question that it ends. */
export type Heard = Reply & { readonly ask: Ask };

export type Conversation<Result> = Generator<Ask | readonly Ask[], Result, Heard>;

/** What was yielded, as a list. */
export function asksOf(yielded: Ask | readonly Ask[]): readonly Ask[] {
  return 'question' in yielded ? [yielded] : yielded;
}
