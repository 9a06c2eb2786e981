/**
 * A conversation: several questions in a row, each depending on the answers before.
 *
 * Written as a generator that yields a question and is resumed with the reply, so that a walk over
 * the ring reads like a plain function and still does no I/O: the node performs the questions over
 * gRPC, the simulator over virtual time.
 */
import type { Answer, Question } from './messages.js';
import type { PeerRef } from './ring-space.js';

/** One question to one peer. */
export type Ask = { readonly to: PeerRef; readonly question: Question };

/** How a question ended, and how long that took. */
export type Reply =
  | { readonly kind: 'answered'; readonly answer: Answer; readonly elapsedMs: number }
  | { readonly kind: 'unanswered'; readonly elapsedMs: number };

export type Conversation<Result> = Generator<Ask, Result, Reply>;
