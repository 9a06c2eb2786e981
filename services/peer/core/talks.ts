/**
 * The conversations of one peer that are under way: each waits for one reply.
 */
import type { Ask, Conversation, Reply } from './conversation.js';
import type { Answer, Question, RequestId } from './messages.js';
import type { PeerRef } from './ring-space.js';

export type TalksDeps = {
  readonly self: () => PeerRef;
  /** Sends a question to another peer; its end comes back through `resume`. */
  readonly ask: (to: PeerRef, question: Question) => RequestId;
  /** What this peer answers to a question of its own. */
  readonly askMyself: (question: Question) => Answer;
};

export class Talks {
  readonly #deps: TalksDeps;
  readonly #waiting = new Map<RequestId, (reply: Reply) => void>();

  constructor(deps: TalksDeps) {
    this.#deps = deps;
  }

  /** Runs a conversation to its end; `done` may be called before this returns. */
  start<Result>(conversation: Conversation<Result>, done: (result: Result) => void): void {
    const advance = (turn: IteratorResult<Ask, Result>): void => {
      if (turn.done === true) return done(turn.value);
      const { to, question } = turn.value;
      const resume = (reply: Reply): void => advance(conversation.next(reply));
      if (to.ringId === this.#deps.self().ringId) {
        return resume({ kind: 'answered', answer: this.#deps.askMyself(question), elapsedMs: 0 });
      }
      this.#waiting.set(this.#deps.ask(to, question), resume);
    };
    advance(conversation.next());
  }

  /** Hands a reply to the conversation that waits for it; false when none does. */
  resume(requestId: RequestId, reply: Reply): boolean {
    const resume = this.#waiting.get(requestId);
    if (resume === undefined) return false;
    this.#waiting.delete(requestId);
    resume(reply);
    return true;
  }
}
