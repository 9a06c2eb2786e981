/**
 * One peer as a whole: the ring machine, and the conversations around it.
 *
 * Joining (walk, then Zave's join, tried again until it succeeds), lookups and messages for
 * applications, finger refresh, asking after lost peers, and moving to the larger ring after a cut.
 * No I/O, clock or randomness: time comes as `tick`, the rest through `perform`. Whoever drives a
 * member keeps the duties listed in `machine.ts`, and `perform` must not call back at once.
 */
import { Fingers } from './fingers.js';
import { lookup, type LookupOptions, type LookupResult } from './lookup.js';
import { step } from './machine.js';
import type { Answer, Letter, Question, RequestId, RingEffect, RingEvent } from './messages.js';
import { findPlace } from './place.js';
import { seekReunion, type ReunionVerdict } from './reunion.js';
import type { PeerRef, RingId } from './ring-space.js';
import { route, type RouteStep } from './routing.js';
import { Seeker, type SeekerLimits } from './seeker.js';
import { sendLetter, type Draft, type SendResult } from './send.js';
import { outsideState, type RingLimits, type RingState } from './state.js';
import { survey, type Survey } from './survey.js';
import { Talks } from './talks.js';

export type MemberLimits = RingLimits &
  SeekerLimits & {
    /** Most questions of one lookup. */
    readonly asksMax: number;
    /** Most members seen by one survey. */
    readonly viewsMax: number;
    /** Ticks between two rounds of the finger table once it is filled. */
    readonly fingerTicks: number;
    /** Ticks between two tries to join. */
    readonly joinRetryTicks: number;
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
  viewsMax: 4_096,
  fingerTicks: 100,
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
  | { readonly kind: 'lost'; readonly peer: PeerRef };

export type MemberDeps = {
  readonly self: PeerRef;
  readonly limits: MemberLimits;
  readonly perform: (effect: MemberEffect) => void;
  /** Puts a letter into the inbox of this peer. */
  readonly deliver: (letter: Letter) => 'delivered' | 'inbox-full';
};

type Joining = {
  readonly contacts: readonly PeerRef[];
  readonly triesMax: number;
  tries: number;
  retryAtTick: number;
};

export class RingMember {
  readonly #deps: MemberDeps;
  readonly #seeker: Seeker;
  readonly #talks: Talks;
  #state: RingState;
  #fingers: Fingers;
  #joining: Joining | undefined;
  #isFixingFinger = false;
  #isSeekingReunion = false;
  #nextFingerTick = 0;

  constructor(deps: MemberDeps) {
    this.#deps = deps;
    this.#seeker = new Seeker(deps.limits);
    this.#talks = new Talks({
      self: () => this.#state.self,
      ask: (to, question) => this.#ask(to, question),
      askMyself: (question) => this.#answerMyself(question),
    });
    this.#state = outsideState(deps.self);
    this.#fingers = new Fingers(deps.self, deps.limits.ringSize);
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
    this.#joining = undefined;
    this.#submit({ kind: 'founded' });
  }

  /**
   * Joins through any of these members, whatever life they are in. Tries again until it succeeds, is
   * called with others, or `leave` is called; after `triesMax` tries this peer becomes a ring of its
   * own, which remembers the contacts and seeks them.
   */
  join(contacts: readonly PeerRef[], triesMax = Number.POSITIVE_INFINITY): void {
    this.seek(contacts);
    const anyLife = contacts.map((peer) => ({ ...peer, incarnation: 0 }));
    this.#joining = { contacts: anyLife, triesMax, tries: 0, retryAtTick: 0 };
    this.#tryToJoin(this.#joining);
  }

  leave(): void {
    this.#joining = undefined;
    this.#submit({ kind: 'leave-requested' });
  }

  /** Asks after these peers, as if they had been lost. */
  seek(peers: readonly PeerRef[]): void {
    for (const peer of peers) this.#seeker.known.lose(peer, this.#state.tick);
  }

  tick(): void {
    this.#submit({ kind: 'ticked' });
    const { tick, stage } = this.#state;
    if (this.#joining !== undefined && stage === 'outside' && tick >= this.#joining.retryAtTick) {
      this.#tryToJoin(this.#joining);
    }
    if (stage !== 'member') return;
    if (tick >= this.#nextFingerTick && !this.#isFixingFinger) this.#fixFinger();
    if (!this.#isSeekingReunion) this.#seekReunion();
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
    const answer = this.#answerAtOnce(expected, question);
    if (answer !== undefined) this.#deps.perform({ kind: 'answer', requestId, answer });
    else this.#submit({ kind: 'asked', requestId, from, question });
  }

  answered(requestId: RequestId, answer: Answer, elapsedMs: number): void {
    if (!this.#talks.resume(requestId, { kind: 'answered', answer, elapsedMs })) {
      this.#submit({ kind: 'answered', requestId, answer });
    }
  }

  unanswered(requestId: RequestId, elapsedMs: number): void {
    if (!this.#talks.resume(requestId, { kind: 'unanswered', elapsedMs })) {
      this.#submit({ kind: 'unanswered', requestId });
    }
  }

  lookup(position: RingId, done: (result: LookupResult) => void): void {
    this.#talks.start(lookup(this.#lookupOptions(position)), done);
  }

  send(to: RingId, draft: Draft, done: (result: SendResult) => void): void {
    this.#talks.start(sendLetter(draft, this.#lookupOptions(to)), done);
  }

  survey(done: (result: Survey) => void): void {
    this.#talks.start(survey(this.#state.self, this.#deps.limits.viewsMax), done);
  }

  #lookupOptions(position: RingId): LookupOptions {
    return {
      self: this.#state.self,
      position,
      here: (avoided) => this.#routeFromHere(position, avoided),
      predecessor: () => this.#state.predecessor,
      asksMax: this.#deps.limits.asksMax,
    };
  }

  #routeFromHere(position: RingId, avoided: readonly PeerRef[]): RouteStep {
    if (this.#state.stage !== 'member') return { kind: 'nowhere' };
    return route(this.#state, this.#fingers.peers(), position, avoided);
  }

  /** Answers what needs no turn of the machine; undefined for the rest. */
  #answerAtOnce(expected: number, question: Question): Answer | undefined {
    const { self, stage } = this.#state;
    if (expected !== 0 && expected !== self.incarnation) return { kind: 'stale' };
    if (question.kind !== 'find-successor' && question.kind !== 'deliver') return undefined;
    if (stage !== 'member') return { kind: 'not-member' };
    if (question.kind === 'deliver') return { kind: this.#deps.deliver(question.letter) };
    const next = this.#routeFromHere(question.position, question.avoided);
    if (next.kind === 'self') return { kind: 'owner', peer: self };
    return next.kind === 'nowhere' ? { kind: 'busy' } : next;
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
        break;
      case 'founded':
      case 'joined':
        this.#joining = undefined;
        this.#nextFingerTick = this.#state.tick;
        break;
      case 'join-failed':
        return this.#onJoinFailed();
    }
    this.#deps.perform(effect);
  }

  // Joining

  #tryToJoin(joining: Joining): void {
    joining.tries += 1;
    joining.retryAtTick = Number.POSITIVE_INFINITY;
    const { contacts } = joining;
    const { asksMax } = this.#deps.limits;
    this.#talks.start(findPlace({ self: this.#state.self, contacts, asksMax }), (place) => {
      if (this.#joining !== joining || this.#state.stage !== 'outside') return;
      if (place === undefined) this.#onJoinFailed();
      else this.#submit({ kind: 'join-behind', peer: place });
    });
  }

  #onJoinFailed(): void {
    const joining = this.#joining;
    if (joining === undefined) return;
    if (joining.tries >= joining.triesMax) return this.found();
    joining.retryAtTick = this.#state.tick + this.#deps.limits.joinRetryTicks;
    this.#deps.perform({ kind: 'join-failed', tries: joining.tries });
  }

  // Fingers

  /** Fills the table at one lookup a tick, then refreshes it at leisure. */
  #fixFinger(): void {
    const position = this.#fingers.next(this.#state.successors);
    const { fingerTicks } = this.#deps.limits;
    this.#nextFingerTick = this.#state.tick + (position === undefined ? fingerTicks : 1);
    if (position === undefined) return;
    const fingers = this.#fingers;
    this.#isFixingFinger = true;
    this.lookup(position, ({ owner }) => {
      this.#isFixingFinger = false;
      fingers.store(owner);
      if (owner !== undefined && owner.ringId !== this.#state.self.ringId) {
        this.#seeker.known.meet(owner, this.#state.tick);
      }
    });
  }

  // Reunion

  #seekReunion(): void {
    const sought = this.#seeker.next(this.#state);
    if (sought === undefined) return;
    const { tick } = this.#state;
    const { self, predecessor, successors } = this.#state;
    if ([self, predecessor, ...successors].some((peer) => peer?.address === sought.address)) {
      return this.#seeker.known.meet(sought, tick);
    }
    this.#isSeekingReunion = true;
    this.#talks.start(seekReunion(sought, { ...this.#deps.limits, self }), (verdict) => {
      this.#isSeekingReunion = false;
      this.#onReunionVerdict(sought, self, verdict);
    });
  }

  #onReunionVerdict(sought: PeerRef, asker: PeerRef, verdict: ReunionVerdict): void {
    if (verdict.kind === 'found-here') this.#seeker.known.meet(sought, this.#state.tick);
    const isStillHere = this.#state.stage === 'member' && this.#state.self === asker;
    if (verdict.kind === 'rejoin' && isStillHere) this.#rejoin(verdict.contacts);
  }

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
