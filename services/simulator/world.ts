/**
 * A world of simulated nodes: the production `RingMember` in each, on virtual time and a network
 * with faults. The world performs effects and delivers questions; it decides nothing about the ring.
 */
import { RingMember, type MemberEffect, type MemberLimits } from '../peer/core/member.js';
import { step } from '../peer/core/machine.js';
import type { Answer, Neighbors, Question, RequestId } from '../peer/core/messages.js';
import type { PeerRef } from '../peer/core/ring-space.js';
import type { RingState } from '../peer/core/state.js';
import { below, type Chance } from '../system/chance.js';
import { Network } from './network.js';
import { Timeline } from './timeline.js';
import { answerBytes, questionBytes, type Traffic } from './traffic.js';

export const TICK_MS = 100;
/** A question is tried this often, and each try waits this long; a passed-on lookup once. */
export const TRIES = 3;
export const TRY_TIMEOUT_MS = 1_000;
/** How long a node that has left goes on answering. */
const LINGER_MS = 1_000;

export type SimNode = {
  readonly address: string;
  readonly ringId: number;
  /** Undefined while the node is down. */
  member: RingMember | undefined;
  incarnation: number;
  /** What it kept on disk: whom it knew. */
  remembered: readonly PeerRef[];
  isPaused: boolean;
  /** How fast its clock runs; 1 is right. */
  clockRate: number;
  /** Things that happen to it once it goes on. */
  readonly backlog: (() => void)[];
  /** The answer on its way to the question that is pending here. */
  inFlight: { readonly requestId: RequestId; readonly answer: Answer } | undefined;
  /** Virtual time at which it was started last. */
  startedAtMs: number;
};

/** Whether answers on their way are taken for arrived. */
export type When = 'now' | 'after';

/** What the checker wants to hear. */
export type WorldWatcher = {
  /** A live peer was taken for dead, or moved to another ring: the model's assumptions fail. */
  disturbed: (why: string) => void;
  /** The state of this node may have changed. */
  touched: (node: SimNode) => void;
  /** An answer that will change this node is on its way. */
  promised: (node: SimNode) => void;
};

type OpenAsk = {
  readonly asker: SimNode;
  readonly member: RingMember;
  readonly requestId: RequestId;
  readonly to: PeerRef;
  readonly question: Question;
  readonly from: PeerRef;
  readonly since: number;
  /** An answer is on its way that will arrive: of others, which later tries may bring, none follows. */
  isAnswered: boolean;
  isDone: boolean;
};

export class World {
  readonly timeline = new Timeline();
  readonly network: Network;
  readonly nodes = new Map<string, SimNode>();
  readonly #limits: MemberLimits;
  readonly #chance: Chance;
  readonly #inbound = new Map<RequestId, (answer: Answer) => void>();
  #nextInboundId = 1;
  /** Questions that nobody answered although the asked peer lives: cut off, or paused. */
  falseSilences = 0;
  /** Sent by all nodes together. */
  readonly traffic: Traffic = { messages: 0, bytes: 0 };
  /** Virtual time that nodes have been up, all together, of those that are down again. */
  #endedUptimeMs = 0;
  watcher: WorldWatcher = {
    disturbed: () => undefined,
    touched: () => undefined,
    promised: () => undefined,
  };

  constructor(limits: MemberLimits, chance: Chance) {
    this.#limits = limits;
    this.#chance = chance;
    this.network = new Network(this.timeline, chance);
  }

  /** Virtual time that nodes have been up, all together. */
  get uptimeMs(): number {
    const { now } = this.timeline;
    return this.up.reduce((sum, { startedAtMs }) => sum + now - startedAtMs, this.#endedUptimeMs);
  }

  get up(): readonly SimNode[] {
    return [...this.nodes.values()].filter((node) => node.member !== undefined);
  }

  get members(): readonly SimNode[] {
    return this.up.filter((node) => node.member?.state.stage === 'member');
  }

  addNode(address: string, ringId: number): SimNode {
    const node: SimNode = {
      address,
      ringId,
      member: undefined,
      incarnation: 0,
      remembered: [],
      isPaused: false,
      clockRate: 1,
      backlog: [],
      inFlight: undefined,
      startedAtMs: 0,
    };
    this.nodes.set(address, node);
    return node;
  }

  /** Starts a node with nothing but what it remembers; the caller makes it found or join. */
  start(node: SimNode): RingMember {
    node.incarnation += 1_000;
    const self = { ringId: node.ringId, address: node.address, incarnation: node.incarnation };
    const member: RingMember = new RingMember({
      self,
      limits: this.#limits,
      perform: (effect) => this.#perform(node, member, effect),
      deliver: () => 'delivered',
    });
    node.member = member;
    node.inFlight = undefined;
    node.startedAtMs = this.timeline.now;
    this.watcher.touched(node);
    this.timeline.after(below(this.#chance, TICK_MS), () => this.#tick(node, member));
    return member;
  }

  /** Kill -9: nothing is said to anyone, and only what was remembered stays. */
  crash(node: SimNode): void {
    if (node.member !== undefined) {
      node.remembered = node.member.acquaintances;
      this.#endedUptimeMs += this.timeline.now - node.startedAtMs;
    }
    node.member = undefined;
    node.isPaused = false;
    node.backlog.length = 0;
    node.inFlight = undefined;
    this.watcher.touched(node);
  }

  /** SIGTERM: the node says that it goes, and answers for a while before it is gone. */
  leave(node: SimNode): void {
    const { member } = node;
    if (member === undefined) return;
    this.#touch(node, () => member.leave());
    this.timeline.after(LINGER_MS, () => {
      if (node.member === member) this.crash(node);
    });
  }

  /** SIGSTOP: what reaches the node waits until it goes on. */
  pause(node: SimNode): void {
    node.isPaused = true;
  }

  resume(node: SimNode): void {
    node.isPaused = false;
    for (const act of node.backlog.splice(0)) act();
  }

  /**
   * Views of all members: as they stand, or as the model counts them. There a step takes effect when
   * the asked peer answers, so that an answer on its way has already changed its asker.
   */
  views(when: When, without?: SimNode): readonly Neighbors[] {
    return this.up.flatMap((node) => {
      if (node === without || node.member === undefined) return [];
      const state = this.#stateWhen(when, node, node.member);
      return state.stage === 'member' ? [state] : [];
    });
  }

  #stateWhen(when: When, { inFlight }: SimNode, { state }: RingMember): RingState {
    if (when === 'now' || inFlight?.requestId !== state.pending?.requestId) return state;
    if (inFlight === undefined) return state;
    return step(state, { kind: 'answered', ...inFlight }, this.#limits).state;
  }

  #tick(node: SimNode, member: RingMember): void {
    if (node.member !== member) return;
    this.timeline.after(TICK_MS / node.clockRate, () => this.#tick(node, member));
    if (!node.isPaused) this.#touch(node, () => member.tick());
  }

  /** Lets something happen to a node now, or when it goes on. */
  #reach(node: SimNode, member: RingMember, act: () => void): void {
    if (node.member !== member) return;
    if (node.isPaused) node.backlog.push(() => this.#reach(node, member, act));
    else this.#touch(node, act);
  }

  #touch(node: SimNode, act: () => void): void {
    act();
    this.watcher.touched(node);
  }

  #perform(node: SimNode, member: RingMember, effect: MemberEffect): void {
    switch (effect.kind) {
      case 'ask':
        return this.#ask(node, member, effect);
      case 'answer': {
        const reply = this.#inbound.get(effect.requestId);
        this.#inbound.delete(effect.requestId);
        return reply?.(effect.answer);
      }
      case 'rejoining':
        node.incarnation = member.state.self.incarnation;
        return this.watcher.disturbed(`${node.address} moves to another ring`);
      case 'founded':
        return this.watcher.disturbed(`${node.address} is a ring of its own`);
      case 'lost':
      case 'joined':
      case 'join-failed':
        return undefined;
    }
  }

  // Questions and answers

  #ask(asker: SimNode, member: RingMember, effect: Extract<MemberEffect, { kind: 'ask' }>): void {
    const { requestId, to, question } = effect;
    const from = member.state.self;
    const since = this.timeline.now;
    this.#try(
      { asker, member, requestId, to, question, from, since, isAnswered: false, isDone: false },
      1,
    );
  }

  #try(ask: OpenAsk, attempt: number): void {
    const { asker, to, question } = ask;
    const isPassedOn = question.kind === 'forward-lookup';
    const isLastTry = isPassedOn || attempt === TRIES;
    this.traffic.messages += 1;
    this.traffic.bytes += questionBytes(question, ask.from, to);
    const route = { from: asker.address, to: to.address, isQuestion: true, isLastTry };
    this.network.send(route, () => this.#arrive(ask, isLastTry));
    const timeoutMs = isPassedOn ? question.budgetMs : TRY_TIMEOUT_MS;
    this.timeline.after(timeoutMs / asker.clockRate, () => {
      if (ask.isDone) return;
      if (isLastTry) this.#giveUp(ask);
      else this.#try(ask, attempt + 1);
    });
  }

  #arrive(ask: OpenAsk, isLastTry: boolean): void {
    const node = this.nodes.get(ask.to.address);
    const { member } = node ?? {};
    if (node === undefined || member === undefined) return;
    this.#reach(node, member, () => {
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
      const elapsedMs = this.timeline.now - ask.since;
      this.#reach(asker, member, () => member.answered(requestId, answer, elapsedMs));
    };
    const isOnItsWay = this.network.send(route, arrive);
    ask.isAnswered = isOnItsWay;
    const isPending = member.state.pending?.requestId === requestId;
    if (isPending && isOnItsWay && !ask.isDone) this.#promise(asker, { requestId, answer });
  }

  #promise(asker: SimNode, inFlight: NonNullable<SimNode['inFlight']>): void {
    const { member } = asker;
    if (member === undefined) return;
    asker.inFlight = inFlight;
    const { predecessor, successors } = this.#stateWhen('after', asker, member);
    const { state } = member;
    const isChange = predecessor !== state.predecessor || successors !== state.successors;
    if (isChange) this.watcher.promised(asker);
  }

  #giveUp(ask: OpenAsk): void {
    const { asker, member, requestId, to, question } = ask;
    ask.isDone = true;
    const elapsedMs = this.timeline.now - ask.since;
    const isEvidence = question.kind !== 'forward-lookup';
    if (isEvidence && this.#isAlive(to)) this.falseSilences += 1;
    this.#reach(asker, member, () => {
      const isVerdict = member.state.pending?.requestId === requestId;
      if (isVerdict && this.#isAlive(to)) {
        this.watcher.disturbed(`${asker.address} takes ${to.address} for dead`);
      }
      member.unanswered(requestId, elapsedMs);
    });
  }

  #isAlive(peer: PeerRef): boolean {
    const self = this.nodes.get(peer.address)?.member?.state.self;
    return self?.incarnation === peer.incarnation;
  }

  /** One line for each node, in ring order. */
  describe(): readonly string[] {
    const ordered = [...this.up].sort((one, other) => one.ringId - other.ringId);
    return ordered.map(({ address, ringId, incarnation, member }) => {
      const { stage, predecessor, successors, pending } = member?.state ?? {};
      const list = successors?.map((peer) => peer.address).join(' ') ?? '';
      const name = `${address} at ${ringId}, life ${incarnation}: ${stage ?? 'down'}`;
      const waits = pending === undefined ? '' : `, ${pending.purpose} of ${pending.to.address}`;
      return `${name}, after ${predecessor?.address ?? 'nobody'}, before [${list}]${waits}`;
    });
  }
}
