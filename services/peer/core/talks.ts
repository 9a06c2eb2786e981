/**
 * The conversations of one peer that are under way: each waits for one reply, or for the first of
 * several.
 */
import { asksOf, type Ask, type Conversation, type Reply } from './conversation.js';
import type { Answer, Question, RequestId } from './messages.js';
import type { PeerRef } from './ring-space.js';

export type TalksDeps = {
  readonly self: () => PeerRef;
  /** Sends a question to another peer; its end comes back through `resume`. */
  readonly ask: (to: PeerRef, question: Question) => RequestId;
  /** What this peer answers to a question of its own. */
  readonly askMyself: (question: Question) => Answer;
};

type Waiting = { readonly ask: Ask; readonly hear: (reply: Reply) => void };

export class Talks {
  readonly #deps: TalksDeps;
  readonly #waiting = new Map<RequestId, Waiting>();

  constructor(deps: TalksDeps) {
    this.#deps = deps;
  }

  /** Runs a conversation to its end; `done` may be called before this returns. */
  start<Result>(conversation: Conversation<Result>, done: (result: Result) => void): void {
    const listening = new Set<Ask>();
    const advance = (turn: IteratorResult<Ask | readonly Ask[], Result>): void => {
      if (turn.done === true) {
        listening.clear();
        return done(turn.value);
      }
      if ('question' in turn.value) listening.clear();
      const asks = asksOf(turn.value);
      for (const ask of asks) listening.add(ask);
      const toMyself = asks.filter((ask) => !this.#send(ask, (reply) => hear(ask, reply)));
      for (const ask of toMyself) hear(ask, this.#myReply(ask));
    };
    const hear = (ask: Ask, reply: Reply): void => {
      if (listening.delete(ask)) advance(conversation.next({ ...reply, ask }));
    };
    advance(conversation.next());
  }

  /** Hands a reply to the conversation that asked; returns the question, undefined when none did. */
  resume(requestId: RequestId, reply: Reply): Ask | undefined {
    const waiting = this.#waiting.get(requestId);
    if (waiting === undefined) return undefined;
    this.#waiting.delete(requestId);
    waiting.hear(reply);
    return waiting.ask;
  }

  /** False when the question is for this peer itself. */
  #send(ask: Ask, hear: (reply: Reply) => void): boolean {
    if (ask.to.ringId === this.#deps.self().ringId) return false;
    this.#waiting.set(this.#deps.ask(ask.to, ask.question), { ask, hear });
    return true;
  }

  #myReply({ question }: Ask): Reply {
    return { kind: 'answered', answer: this.#deps.askMyself(question), elapsedMs: 0 };
  }
}
