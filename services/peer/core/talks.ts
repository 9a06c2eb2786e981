/**
 * The conversations of one peer that are under way: each waits for one reply, or for the first of
 * several.
 */
import { asksOf, type Ask, type Conversation, type Reply } from './conversation.js';
import type { Answer, Question, RequestId } from './messages.js';
import type { PeerRef } from './ring-space.js';

export type TalksDeps<Asked, Answered> = {
  readonly self: () => PeerRef;
  /** Sends a question to another peer; its end comes back through `resume`. */
  readonly ask: (to: PeerRef, question: Asked) => RequestId;
  /** Answers a question of this peer to itself, at once or later. */
  readonly askMyself: (question: Asked, reply: (answer: Answered) => void) => void;
};

type Waiting<Asked, Answered> = {
  readonly ask: Ask<Asked>;
  readonly hear: (reply: Reply<Answered>) => void;
};

export class Talks<Asked = Question, Answered = Answer> {
  readonly #deps: TalksDeps<Asked, Answered>;
  readonly #waiting = new Map<RequestId, Waiting<Asked, Answered>>();

  constructor(deps: TalksDeps<Asked, Answered>) {
    this.#deps = deps;
  }

  /** Runs a conversation to its end; `done` may be called before this returns. */
  start<Result>(
    conversation: Conversation<Result, Asked, Answered>,
    done: (result: Result) => void,
  ): void {
    const listening = new Set<Ask<Asked>>();
    const advance = (turn: IteratorResult<Ask<Asked> | readonly Ask<Asked>[], Result>): void => {
      if (turn.done === true) {
        listening.clear();
        return done(turn.value);
      }
      if ('question' in turn.value) listening.clear();
      const asks = asksOf(turn.value);
      for (const ask of asks) listening.add(ask);
      const toMyself = asks.filter((ask) => !this.#send(ask, (reply) => hear(ask, reply)));
      for (const ask of toMyself) {
        this.#deps.askMyself(ask.question, (answer) => {
          hear(ask, { kind: 'answered', answer, elapsedMs: 0 });
        });
      }
    };
    const hear = (ask: Ask<Asked>, reply: Reply<Answered>): void => {
      if (listening.delete(ask)) advance(conversation.next({ ...reply, ask }));
    };
    advance(conversation.next());
  }

  /** Hands a reply to the conversation that asked; returns the question, undefined when none did. */
  resume(requestId: RequestId, reply: Reply<Answered>): Ask<Asked> | undefined {
    const waiting = this.#waiting.get(requestId);
    if (waiting === undefined) return undefined;
    this.#waiting.delete(requestId);
    waiting.hear(reply);
    return waiting.ask;
  }

  /** False when the question is for this peer itself. */
  #send(ask: Ask<Asked>, hear: (reply: Reply<Answered>) => void): boolean {
    if (ask.to.ringId === this.#deps.self().ringId) return false;
    this.#waiting.set(this.#deps.ask(ask.to, ask.question), { ask, hear });
    return true;
  }
}
