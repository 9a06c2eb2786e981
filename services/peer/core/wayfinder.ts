/**
 * How one member finds the owner of a position, for itself and for others.
 *
 * Its own pointers come first, then fingers and the route cache make the way shorter. Lookups that
 * others pass on are bounded in number: past the bound they are told that it is busy.
 */
import type { Fingers } from './fingers.js';
import { findOwner, type FindOptions, type LookupManner } from './find-owner.js';
import { forwardLookup, PATH_HOPS_MAX } from './forward.js';
import type { LookupResult } from './lookup.js';
import type { Answer, Question } from './messages.js';
import { distance, type PeerRef, type RingId } from './ring-space.js';
import type { RouteCache } from './route-cache.js';
import { route, waysFrom, type RouteStep } from './routing.js';
import { sendLetter, type Draft, type SendResult } from './send.js';
import type { RingState } from './state.js';
import type { Talks } from './talks.js';

export type WayfinderLimits = {
  readonly ringSize: number;
  /** Most questions of one lookup. */
  readonly asksMax: number;
  /** Most lookups of others under way at once. */
  readonly forwardsMax: number;
};

export type WayfinderDeps = {
  readonly limits: WayfinderLimits;
  readonly state: () => RingState;
  readonly fingers: () => Fingers;
  readonly routes: RouteCache;
  readonly talks: Talks;
};

/**
 * How far behind a position a remembered member may stand, in mean distances between members, which
 * the successor list tells. With a full cache and 4 successors one in 6,000 stands farther; of a very
 * sparse cache many do, and are not worth asking.
 */
const REMEMBERED_GAPS_MAX = 32;

export class Wayfinder {
  readonly #deps: WayfinderDeps;
  #forwards = 0;

  constructor(deps: WayfinderDeps) {
    this.#deps = deps;
  }

  /** One step towards a position. */
  step(position: RingId, avoided: readonly PeerRef[]): RouteStep {
    const state = this.#deps.state();
    if (state.stage !== 'member') return { kind: 'nowhere' };
    return route(state, this.#deps.fingers().peers(), position, avoided);
  }

  find(position: RingId, manner: LookupManner, done: (result: LookupResult) => void): void {
    this.#deps.talks.start(findOwner(this.#options(position), manner), done);
  }

  send(to: RingId, draft: Draft, done: (result: SendResult) => void): void {
    this.#deps.talks.start(sendLetter(draft, this.#options(to)), done);
  }

  /** Answers one step of a lookup of another peer. */
  show({ position, avoided, alternatesMax = 0 }: AskedStep): Answer {
    const step = this.step(position, avoided);
    if (step.kind === 'self') return { kind: 'owner', peer: this.#deps.state().self };
    if (step.kind === 'nowhere') return { kind: 'busy' };
    if (alternatesMax === 0) return step;
    const ways = waysFrom((out) => this.step(position, out), avoided, alternatesMax);
    return { ...step, alternates: ways.slice(1).map(({ peer }) => peer) };
  }

  /** Goes the rest of the way for another peer. */
  goOn(question: AskedLookup, answer: (answer: Answer) => void): void {
    if (this.#forwards >= this.#deps.limits.forwardsMax) return answer({ kind: 'busy' });
    this.#forwards += 1;
    const options = { ...this.#options(question.position), ...question };
    this.#deps.talks.start(forwardLookup(options), ({ owner, hops }) => {
      this.#forwards -= 1;
      if (owner === undefined) return answer({ kind: 'not-found' });
      answer({ kind: 'found', owner, hops: hops.slice(-PATH_HOPS_MAX) });
    });
  }

  #options(position: RingId): FindOptions {
    const { state, limits } = this.#deps;
    return {
      self: state().self,
      position,
      here: (avoided) => this.step(position, avoided),
      predecessor: () => state().predecessor,
      cached: () => this.#remembered(position),
      asksMax: limits.asksMax,
    };
  }

  /** The member that may own a position, when one is remembered near enough. */
  #remembered(position: RingId): PeerRef | undefined {
    const { self, successors } = this.#deps.state();
    const last = successors.at(-1);
    if (last === undefined) return undefined;
    const gap = distance(self.ringId, last.ringId, this.#deps.limits.ringSize) / successors.length;
    return this.#deps.routes.firstFrom(position, gap * REMEMBERED_GAPS_MAX);
  }
}

type AskedStep = Extract<Question, { kind: 'find-successor' }>;
type AskedLookup = Extract<Question, { kind: 'forward-lookup' }>;
