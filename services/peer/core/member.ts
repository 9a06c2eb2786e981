/**
 * One peer as a whole: the ring machine, and the conversations around it.
 *
 * Joining (`joiner.ts`), lookups and messages (`wayfinder.ts`), finger refresh and asking after lost
 * peers (`upkeep.ts`), and moving to the larger ring after a cut.
 * No I/O, clock or randomness: time comes as `tick`, the rest through `perform`. Whoever drives a
 * member keeps the duties listed in `machine.ts`, and `perform` must not call back at once.
 */
import type { Reply } from './conversation.js';
import { Fingers } from './fingers.js';
import { USUAL_MANNER, type LookupManner } from './find-owner.js';
import { Joiner, type JoinerLimits } from './joiner.js';
import { keepersAround, type Keepers } from './keepers.js';
import type { LookupResult } from './lookup.js';
import { step } from './machine.js';
import type {
  Answer,
  Letter,
  Neighbors,
  Question,
  RequestId,
  RingEffect,
  RingEvent,
} from './messages.js';
import type { PeerRef, RingId } from './ring-space.js';
import { RouteCache } from './route-cache.js';
import { learnFromAnswer, learnFromEnd, learnFromQuestion } from './route-learning.js';
import { Seeker, type SeekerLimits } from './seeker.js';
import type { Draft, SendResult } from './send.js';
import { outsideState, type RingLimits, type RingState } from './state.js';
import { firstAnswer, survey, type Survey } from './survey.js';
import { Talks } from './talks.js';
import { Upkeep, type UpkeepLimits } from './upkeep.js';
import { Wayfinder, type WayfinderLimits } from './wayfinder.js';

export type MemberLimits = RingLimits &
  SeekerLimits &
  WayfinderLimits &
  JoinerLimits &
  UpkeepLimits & {
    /** Most members seen by one survey. */
    readonly viewsMax: number;
    /** Most members remembered to begin lookups at; 0 for none. */
    readonly routesMax: number;
    /** Tries to join the other ring after a cut, before this peer is a ring of its own again. */
    readonly rejoinTriesMax: number;
  };

/** Defaults, at a tick of 100 ms; the ring size is the ring's own. */
export const MEMBER_LIMITS: Omit<MemberLimits, 'ringSize'> = {
  successorsMax: 4,
  stabilizeTicks: 10,
  heldMax: 64,
  heldTicksMax: 5,
  knownMax: 256,
  knownTicksMax: 24 * 60 * 60 * 10,
  asksMax: 96,
  forwardsMax: 256,
  viewsMax: 4_096,
  fingerTicks: 100,
  routesMax: 4_096,
  seekLostTicks: 10,
  seekMetTicks: 100,
  joinRetryTicks: 3,
  rejoinTriesMax: 5,
};

export type MemberEffect =
  | Exclude<RingEffect, { kind: 'lost' | 'join-failed' }>
  /** A try to join led nowhere; another one follows. */
  | { readonly kind: 'join-failed'; readonly tries: number }
  /** This peer is leaving its ring for the larger one of these peers. */
  | { readonly kind: 'rejoining'; readonly contacts: readonly PeerRef[] }
  | { readonly kind: 'lost'; readonly peer: PeerRef }
  /** This peer says, or somebody says of it, that it leaves by its own will. */
  | { readonly kind: 'departed'; readonly peer: PeerRef };

export type MemberDeps = {
  readonly self: PeerRef;
  readonly limits: MemberLimits;
  readonly perform: (effect: MemberEffect) => void;
  /** Puts a letter into the inbox of this peer. */
  readonly deliver: (letter: Letter) => 'delivered' | 'inbox-full';
};

/** Questions that the ring machine never sees. */
const FOR_MEMBERS: ReadonlySet<Question['kind']> = new Set([
  'find-successor',
  'forward-lookup',
  'deliver',
]);

export class RingMember {
  readonly #deps: MemberDeps;
  readonly #seeker: Seeker;
  readonly #talks: Talks;
  readonly #wayfinder: Wayfinder;
  readonly #joiner: Joiner;
  readonly #upkeep: Upkeep;
  /** Who is remembered to begin lookups at; whoever hears more of the ring may teach it. */
  readonly routes: RouteCache;
  #state: RingState;
  #fingers: Fingers;

  constructor(deps: MemberDeps) {
    this.#deps = deps;
    this.#seeker = new Seeker(deps.limits);
    this.#talks = new Talks({
      self: () => this.#state.self,
      ask: (to, question) => this.#ask(to, question),
      askMyself: (question, reply) => reply(this.#answerMyself(question)),
    });
    const { limits } = deps;
    const state = (): RingState => this.#state;
    const fingers = (): Fingers => this.#fingers;
    this.#state = outsideState(deps.self);
    this.#fingers = new Fingers(deps.self, limits.ringSize);
    this.routes = new RouteCache({ ...limits, self: deps.self });
    const shared = { limits, state, fingers, routes: this.routes, talks: this.#talks };
    this.#wayfinder = new Wayfinder(shared);
    this.#upkeep = new Upkeep({
      ...shared,
      seeker: this.#seeker,
      wayfinder: this.#wayfinder,
      rejoin: (contacts) => this.#rejoin(contacts),
    });
    this.#joiner = new Joiner({
      limits,
      state,
      walk: (walk, done) => this.#talks.start(walk, done),
      joinBehind: (peer) => this.#submit({ kind: 'join-behind', peer }),
      onFailed: (tries) => deps.perform({ kind: 'join-failed', tries }),
      onGivenUp: () => this.found(),
    });
  }

  get state(): RingState {
    return this.#state;
  }

  get fingers(): Fingers {
    return this.#fingers;
  }

  /** Every other peer this one could start from after a restart: neighbours first. */
  get acquaintances(): readonly PeerRef[] {
    const { predecessor, successors } = this.#state;
    const before = predecessor === undefined ? [] : [predecessor];
    const all = [...successors, ...before, ...this.#fingers.peers(), ...this.#seeker.known.all()];
    const byAddress = new Map<string, PeerRef>();
    for (const peer of all) if (!byAddress.has(peer.address)) byAddress.set(peer.address, peer);
    return [...byAddress.values()];
  }

  /** Becomes a ring of one. */
  found(): void {
    this.#joiner.stop();
    this.#submit({ kind: 'founded' });
  }

  /**
   * Joins through any of these members, whatever life they are in. Tries again until it succeeds, is
   * called with others, or `leave` is called; after `triesMax` tries this peer becomes a ring of its
   * own, which remembers the contacts and seeks them.
   */
  join(contacts: readonly PeerRef[], triesMax = Number.POSITIVE_INFINITY): void {
    this.seek(contacts);
    this.#joiner.start(contacts, triesMax);
  }

  leave(): void {
    this.#joiner.stop();
    this.#submit({ kind: 'leave-requested' });
  }

  /** Asks after these peers, as if they had been lost. */
  seek(peers: readonly PeerRef[]): void {
    for (const peer of peers) this.#seeker.known.lose(peer, this.#state.tick);
  }

  tick(): void {
    this.#submit({ kind: 'ticked' });
    this.#joiner.tick();
    if (this.#state.stage === 'member') this.#upkeep.tick();
  }

  /** A question from another peer (or from an application, which is no peer). */
  asked(
    requestId: RequestId,
    from: PeerRef | undefined,
    expected: number,
    question: Question,
  ): void {
    if (from !== undefined && question.kind === 'ping') {
      this.#seeker.known.hear(from, this.#state.tick);
    }
    learnFromQuestion(this.routes, from, question);
    if (question.kind === 'departure') {
      this.#deps.perform({ kind: 'departed', peer: question.peer });
    }
    const reply = (answer: Answer): void => {
      this.#deps.perform({ kind: 'answer', requestId, answer });
    };
    const answer = this.#answerAtOnce(expected, question);
    if (answer !== undefined) reply(answer);
    else if (question.kind === 'forward-lookup') this.#wayfinder.goOn(question, reply);
    else this.#submit({ kind: 'asked', requestId, from, question });
  }

  answered(requestId: RequestId, answer: Answer, elapsedMs: number): void {
    learnFromAnswer(this.routes, answer);
    if (this.#hear(requestId, { kind: 'answered', answer, elapsedMs })) return;
    this.#submit({ kind: 'answered', requestId, answer });
  }

  unanswered(requestId: RequestId, elapsedMs: number): void {
    if (this.#hear(requestId, { kind: 'unanswered', elapsedMs })) return;
    this.#submit({ kind: 'unanswered', requestId });
  }

  lookup(
    position: RingId,
    done: (result: LookupResult) => void,
    manner: LookupManner = USUAL_MANNER,
  ): void {
    this.#wayfinder.find(position, manner, done);
  }

  send(to: RingId, draft: Draft, done: (result: SendResult) => void): void {
    this.#wayfinder.send(to, draft, done);
  }

  survey(done: (result: Survey) => void): void {
    this.#talks.start(survey(this.#state.self, this.#deps.limits.viewsMax), done);
  }

  /** The neighbours among those that keep records; undefined when they can't be told now. */
  keepers(done: (keepers: Keepers | undefined) => void): void {
    const { successorsMax } = this.#deps.limits;
    this.#talks.start(keepersAround(this.#state, successorsMax), done);
  }

  /** What a member says of itself; undefined when it does not answer. */
  neighborsOf(peer: PeerRef, done: (neighbors: Neighbors | undefined) => void): void {
    this.#talks.start(firstAnswer([peer], []), done);
  }

  /** False when no conversation has asked this. */
  #hear(requestId: RequestId, reply: Reply): boolean {
    const ask = this.#talks.resume(requestId, reply);
    if (ask !== undefined) learnFromEnd(this.routes, ask, reply);
    return ask !== undefined;
  }

  /** Answers what needs no turn of the machine; undefined for the rest. */
  #answerAtOnce(expected: number, question: Question): Answer | undefined {
    const { self, stage } = this.#state;
    if (expected !== 0 && expected !== self.incarnation) return { kind: 'stale' };
    if (!FOR_MEMBERS.has(question.kind)) return undefined;
    if (stage !== 'member') return { kind: 'not-member' };
    if (question.kind === 'deliver') return { kind: this.#deps.deliver(question.letter) };
    return question.kind === 'find-successor' ? this.#wayfinder.show(question) : undefined;
  }

  #submit(event: RingEvent): void {
    const { state, effects } = step(this.#state, event, this.#deps.limits);
    this.#state = state;
    for (const effect of effects) this.#perform(effect);
  }

  #perform(effect: RingEffect): void {
    switch (effect.kind) {
      case 'lost':
        this.#seeker.known.lose(effect.peer, this.#state.tick);
        this.#fingers.forget(effect.peer);
        this.routes.forget(effect.peer);
        break;
      case 'founded':
      case 'joined':
        this.#joiner.stop();
        this.#upkeep.fixFingersSoon();
        break;
      case 'join-failed':
        return this.#joiner.failed();
    }
    this.#deps.perform(effect);
  }

  // Reunion

  /** Leaves this ring and joins the other one as a new life. */
  #rejoin(contacts: readonly PeerRef[]): void {
    this.seek(this.acquaintances);
    this.#submit({ kind: 'leave-requested' });
    const { self, tick, nextRequestId } = this.#state;
    const reborn = { ...self, incarnation: self.incarnation + 1 };
    this.#state = { ...outsideState(reborn), tick, nextRequestId };
    this.#fingers = new Fingers(reborn, this.#deps.limits.ringSize);
    this.#deps.perform({ kind: 'rejoining', contacts });
    this.join(contacts, this.#deps.limits.rejoinTriesMax);
  }

  // Questions of conversations

  #ask(to: PeerRef, question: Question): RequestId {
    const requestId = this.#state.nextRequestId;
    this.#state = { ...this.#state, nextRequestId: requestId + 1 };
    this.#deps.perform({ kind: 'ask', requestId, to, question });
    return requestId;
  }

  /** Our own state is never undefined to ourselves. */
  #answerMyself(question: Question): Answer {
    const { self, predecessor, successors, stage } = this.#state;
    if (question.kind === 'neighbors' && stage === 'member') {
      return { kind: 'neighbors', self, predecessor, successors };
    }
    return this.#answerAtOnce(0, question) ?? { kind: 'alive', self, predecessor, stage };
  }
}
