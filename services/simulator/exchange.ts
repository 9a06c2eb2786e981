/**
 * Questions and answers between simulated nodes, as a node's links carry them: a question is tried
 * again, and given up in the end.
 *
 * At most one answer to a question is on its way to arrive, as over one connection: what later tries
 * bring is dropped. So the state that the model speaks of is known at any moment.
 */
import type { MemberEffect, RingMember } from '../peer/core/member.js';
import type { Answer, RequestId } from '../peer/core/messages.js';
import type { PeerRef } from '../peer/core/ring-space.js';
import type { Network } from './network.js';
import type { SimNode } from './sim-node.js';
import type { Timeline } from './timeline.js';
import { answerBytes, questionBytes, type Traffic } from './traffic.js';

/** A question is tried this often, and each try waits this long; a passed-on lookup once. */
export const TRIES = 3;
export const TRY_TIMEOUT_MS = 1_000;

export type ExchangeDeps = {
  readonly timeline: Timeline;
  readonly network: Network;
  readonly nodes: ReadonlyMap<string, SimNode>;
  /** Lets something happen to a node now, or when it goes on. */
  readonly reach: (node: SimNode, member: RingMember, act: () => void) => void;
  /** An answer to what is pending there is on its way, and will arrive. */
  readonly promised: (asker: SimNode, member: RingMember) => void;
  /** A live peer was taken for dead. */
  readonly disturbed: (why: string) => void;
};

type Asking = Extract<MemberEffect, { kind: 'ask' }>;

type OpenAsk = Omit<Asking, 'kind'> & {
  readonly asker: SimNode;
  readonly member: RingMember;
  readonly from: PeerRef;
  readonly since: number;
  /** An answer is on its way that will arrive: of others, which later tries may bring, none follows. */
  isAnswered: boolean;
  isDone: boolean;
};

export class Exchange {
  readonly #deps: ExchangeDeps;
  readonly #inbound = new Map<RequestId, (answer: Answer) => void>();
  #nextInboundId = 1;
  /** Sent by all nodes together. */
  readonly traffic: Traffic = { messages: 0, bytes: 0 };
  /** Questions that nobody answered although the asked peer lives: cut off, paused, or slow. */
  falseSilences = 0;

  constructor(deps: ExchangeDeps) {
    this.#deps = deps;
  }

  /** Asks a question for a member; what comes of it is told to the member. */
  ask(asker: SimNode, member: RingMember, { requestId, to, question }: Asking): void {
    const from = member.state.self;
    const since = this.#deps.timeline.now;
    this.#try(
      { asker, member, requestId, to, question, from, since, isAnswered: false, isDone: false },
      1,
    );
  }

  /** What a member answers to a question that reached it. */
  answer(requestId: RequestId, answer: Answer): void {
    const reply = this.#inbound.get(requestId);
    this.#inbound.delete(requestId);
    reply?.(answer);
  }

  #try(ask: OpenAsk, attempt: number): void {
    const { asker, to, question } = ask;
    const isPassedOn = question.kind === 'forward-lookup';
    const isLastTry = isPassedOn || attempt === TRIES;
    this.traffic.messages += 1;
    this.traffic.bytes += questionBytes(question, ask.from, to);
    const route = { from: asker.address, to: to.address, isQuestion: true, isLastTry };
    this.#deps.network.send(route, () => this.#arrive(ask, isLastTry));
    const timeoutMs = isPassedOn ? question.budgetMs : TRY_TIMEOUT_MS;
    this.#deps.timeline.after(timeoutMs / asker.clockRate, () => {
      if (ask.isDone) return;
      if (isLastTry) this.#giveUp(ask);
      else this.#try(ask, attempt + 1);
    });
  }

  #arrive(ask: OpenAsk, isLastTry: boolean): void {
    const node = this.#deps.nodes.get(ask.to.address);
    const { member } = node ?? {};
    if (node === undefined || member === undefined) return;
    this.#deps.reach(node, member, () => {
      const inboundId = this.#nextInboundId;
      this.#nextInboundId += 1;
      this.#inbound.set(inboundId, (answer) => this.#reply(ask, node, answer, isLastTry));
      member.asked(inboundId, ask.from, ask.to.incarnation, ask.question);
    });
  }

  #reply(ask: OpenAsk, from: SimNode, answer: Answer, isLastTry: boolean): void {
    const { asker, member, requestId } = ask;
    if (ask.isAnswered) return;
    this.traffic.messages += 1;
    this.traffic.bytes += answerBytes(answer);
    const route = { from: from.address, to: asker.address, isQuestion: false, isLastTry };
    const arrive = (): void => {
      if (ask.isDone) return;
      ask.isDone = true;
      const elapsedMs = this.#deps.timeline.now - ask.since;
      this.#deps.reach(asker, member, () => member.answered(requestId, answer, elapsedMs));
    };
    const isOnItsWay = this.#deps.network.send(route, arrive);
    ask.isAnswered = isOnItsWay;
    const isPending = member.state.pending?.requestId === requestId;
    if (!isPending || !isOnItsWay || ask.isDone) return;
    asker.inFlight = { requestId, answer };
    this.#deps.promised(asker, member);
  }

  #giveUp(ask: OpenAsk): void {
    const { asker, member, requestId, to, question } = ask;
    ask.isDone = true;
    const elapsedMs = this.#deps.timeline.now - ask.since;
    const isEvidence = question.kind !== 'forward-lookup';
    if (isEvidence && this.#isAlive(to)) this.falseSilences += 1;
    this.#deps.reach(asker, member, () => {
      const isVerdict = member.state.pending?.requestId === requestId;
      if (isVerdict && this.#isAlive(to)) {
        this.#deps.disturbed(`${asker.address} takes ${to.address} for dead`);
      } else if (isVerdict && ask.isAnswered) {
        // The model has counted the step that the answer would have been.
        this.#deps.disturbed(`${asker.address} gives up what ${to.address} has answered`);
      }
      member.unanswered(requestId, elapsedMs);
    });
  }

  #isAlive(peer: PeerRef): boolean {
    const self = this.#deps.nodes.get(peer.address)?.member?.state.self;
    return self?.incarnation === peer.incarnation;
  }
}
