/**
 * The driver of one ring member: the only place where it meets time and the network.
 *
 * Ticks come from the clock, questions go out over the links, and what ends is reported exactly once.
 * Questions from others are answered when the member answers them.
 *
 * A process that was stopped for a while (SIGSTOP, a suspended machine) wakes up with all its
 * timeouts passed at once. That is its own silence, not the others': questions that were out when the
 * clock stood still count as unanswerable (`busy`), not as unanswered.
 */
import type { Logger } from 'pino';
import { RingbinderError } from '../errors.js';
import { INBOUND_MAX } from '../limits.js';
import { below, type Chance } from '../system/chance.js';
import type { Cancel, Clock } from '../system/clock.js';
import type { Reply } from './core/conversation.js';
import type { LookupManner } from './core/find-owner.js';
import type { Keepers } from './core/keepers.js';
import type { LookupResult } from './core/lookup.js';
import { RingMember, type MemberEffect, type MemberLimits } from './core/member.js';
import type { Answer, Letter, Neighbors, Question, RequestId } from './core/messages.js';
import type { PeerRef, RingId } from './core/ring-space.js';
import { routingTable, type Finger } from './core/routing-table.js';
import type { RouteCache } from './core/route-cache.js';
import type { Draft, SendResult } from './core/send.js';
import type { RingState } from './core/state.js';
import type { Survey } from './core/survey.js';
import type { PeerLinks } from './link.js';

/** A tick that comes later than this many tick lengths means that the process stood still. */
const STALL_TICKS = 10;

export type PeerDriverDeps = {
  readonly self: PeerRef;
  readonly limits: MemberLimits;
  readonly tickMs: number;
  readonly clock: Clock;
  readonly chance: Chance;
  readonly links: Pick<PeerLinks, 'ask'>;
  readonly deliver: (letter: Letter) => 'delivered' | 'inbox-full';
  readonly log: Logger;
  /** Told of every lookup that has ended, with the peers it asked; undefined when it found no way. */
  readonly lookupEnded?: (hops: number | undefined) => void;
};

/** What happens to the peer, for whoever keeps its membership. */
export type PeerEvent = Extract<
  MemberEffect,
  { kind: 'founded' | 'joined' | 'join-failed' | 'rejoining' | 'lost' | 'departed' }
>;

export class PeerDriver {
  readonly #deps: PeerDriverDeps;
  readonly #member: RingMember;
  readonly #inbound = new Map<RequestId, (answer: Answer) => void>();
  readonly #asks = new Set<Promise<void>>();
  readonly #listeners = new Set<(event: PeerEvent) => void>();
  #nextInboundId = 1;
  #tickedAtMs: number;
  #stallCount = 0;
  #lookupCount = 0;
  #stopTicking: Cancel;

  constructor(deps: PeerDriverDeps) {
    this.#deps = deps;
    this.#member = new RingMember({ ...deps, perform: (effect) => this.#perform(effect) });
    this.#tickedAtMs = deps.clock.monotonicMs();
    this.#stopTicking = deps.clock.after(below(deps.chance, deps.tickMs), () => {
      this.#stopTicking = deps.clock.every(deps.tickMs, () => this.#tick());
    });
  }

  get state(): RingState {
    return this.#member.state;
  }

  get routingTable(): readonly Finger[] {
    const { self, successors } = this.state;
    const fingers = this.#member.fingers.entries();
    return routingTable({ self, successors, fingers }, this.#deps.limits.ringSize);
  }

  get acquaintances(): readonly PeerRef[] {
    return this.#member.acquaintances;
  }

  get routes(): RouteCache {
    return this.#member.routes;
  }

  onEvent(listener: (event: PeerEvent) => void): Cancel {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  found(): void {
    this.#member.found();
  }

  join(contacts: readonly PeerRef[]): void {
    this.#member.join(contacts);
  }

  seek(peers: readonly PeerRef[]): void {
    this.#member.seek(peers);
  }

  /** Is out at once, and resolves when the neighbours know or did not answer. */
  async leave(): Promise<void> {
    const before = new Set(this.#asks);
    this.#member.leave();
    await Promise.all([...this.#asks].filter((ask) => !before.has(ask)));
  }

  stop(): void {
    this.#stopTicking();
  }

  /** A question from another peer, or from an application. */
  async asked(from: PeerRef | undefined, expected: number, question: Question): Promise<Answer> {
    if (this.#inbound.size >= INBOUND_MAX) return { kind: 'busy' };
    const requestId = this.#nextInboundId;
    this.#nextInboundId += 1;
    return new Promise((resolve) => {
      this.#inbound.set(requestId, resolve);
      this.#member.asked(requestId, from, expected, question);
    });
  }

  /** Since it was made. */
  get lookupCount(): number {
    return this.#lookupCount;
  }

  async lookup(position: RingId, manner?: LookupManner): Promise<LookupResult> {
    this.#assertMember();
    this.#lookupCount += 1;
    const result = await new Promise<LookupResult>((resolve) =>
      this.#member.lookup(position, resolve, manner),
    );
    const { owner, hops } = result;
    this.#deps.lookupEnded?.(owner === undefined ? undefined : hops.length);
    return result;
  }

  async send(to: RingId, draft: Draft): Promise<SendResult> {
    this.#assertMember();
    return new Promise((resolve) => this.#member.send(to, draft, resolve));
  }

  async survey(): Promise<Survey> {
    this.#assertMember();
    return new Promise((resolve) => this.#member.survey(resolve));
  }

  /** The neighbours that are no guests; undefined when they can't be told now. */
  async keepers(): Promise<Keepers | undefined> {
    this.#assertMember();
    return new Promise((resolve) => this.#member.keepers(resolve));
  }

  /** What a member says of itself; undefined when it does not answer. */
  async neighborsOf(peer: PeerRef): Promise<Neighbors | undefined> {
    this.#assertMember();
    return new Promise((resolve) => this.#member.neighborsOf(peer, resolve));
  }

  #assertMember(): void {
    if (this.state.stage === 'member') return;
    const ringId = String(this.state.self.ringId);
    throw new RingbinderError('PEER_NOT_MEMBER', 'this peer is not in the ring', { ringId });
  }

  #tick(): void {
    const now = this.#deps.clock.monotonicMs();
    const gapMs = now - this.#tickedAtMs;
    this.#tickedAtMs = now;
    if (gapMs > STALL_TICKS * this.#deps.tickMs) {
      this.#stallCount += 1;
      this.#deps.log.warn({ gapMs: Math.round(gapMs) }, 'this process stood still');
    }
    this.#member.tick();
  }

  #perform(effect: MemberEffect): void {
    switch (effect.kind) {
      case 'ask':
        this.#track(this.#ask(effect.requestId, effect.to, effect.question));
        return;
      case 'answer': {
        const resolve = this.#inbound.get(effect.requestId);
        this.#inbound.delete(effect.requestId);
        resolve?.(effect.answer);
        return;
      }
      default:
        for (const listener of this.#listeners) listener(effect);
    }
  }

  #track(ask: Promise<void>): void {
    this.#asks.add(ask);
    void ask.finally(() => this.#asks.delete(ask));
  }

  async #ask(requestId: RequestId, to: PeerRef, question: Question): Promise<void> {
    const { links, clock } = this.#deps;
    const stallCount = this.#stallCount;
    const reply = await links.ask(this.state.self, to, question);
    // Let a tick that is due find out first whether this process stood still.
    if (reply.kind === 'unanswered') await new Promise<void>((wake) => clock.after(0, wake));
    this.#report(requestId, stallCount === this.#stallCount ? reply : excused(reply));
  }

  #report(requestId: RequestId, reply: Reply): void {
    if (reply.kind === 'unanswered') this.#member.unanswered(requestId, reply.elapsedMs);
    else this.#member.answered(requestId, reply.answer, reply.elapsedMs);
  }
}

function excused(reply: Reply): Reply {
  if (reply.kind === 'answered') return reply;
  return { kind: 'answered', answer: { kind: 'busy' }, elapsedMs: reply.elapsedMs };
}
