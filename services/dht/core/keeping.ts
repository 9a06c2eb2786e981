/**
 * What this peer keeps: its own range as owner, copies for other owners (`coverage.ts`), and where it
 * has everything (is whole), so that what it lacks may be called absent.
 *
 * An owner that is new to its range, or to a part of it, first gets what others have of it, and only
 * then counts as whole: transfer first, then switch. Whoever was whole stays so while its place only
 * shrinks, or passes to an owner before it.
 */
import { isSameLife, type PeerRef, type RingId } from '../../peer/core/ring-space.js';
import { Coverage, LEASE_MS } from './coverage.js';
import type { RingAccess, RingView } from './messages.js';
import type { ReplicaSet, Replication } from './replica-set.js';
import {
  difference,
  isCovered,
  isInRange,
  isInSpans,
  isSameRange,
  spansOf,
  union,
  type Range,
  type Span,
} from './span.js';
import type { TableClock } from './table-clock.js';

export type KeepingDeps = {
  readonly ring: RingAccess;
  readonly replication: Replication;
  readonly clock: TableClock;
};

/** Another peer behind this one, and what is known of its copies of what this one owns. */
export type Partner = {
  readonly peer: PeerRef;
  /** When the last comparison ended well; undefined before the first one. */
  readonly comparedAtMs: number | undefined;
  /** Whether it had all of the range then. */
  readonly wasWhole: boolean;
  /** Whether its copies are those of an owner that had everything: it is told that it is whole. */
  readonly isGranted: boolean;
};

/** A place that a comparison begins with, to be held against the one that it ends with. */
export type OwnPlace = {
  readonly self: PeerRef;
  readonly range: Range;
  readonly isWhole: boolean;
};

export class Keeping {
  readonly #deps: KeepingDeps;
  readonly #coverage: Coverage;
  #view: RingView;
  #ownSet: ReplicaSet | undefined;
  #isWhole = false;
  #isTaking = true;
  #partners: readonly Partner[] = [];
  #lately: readonly Span[] = [];
  #latelyUntilMs = 0;
  #changedAtMs = 0;

  constructor(deps: KeepingDeps) {
    this.#deps = deps;
    this.#coverage = new Coverage(deps.ring.ringSize);
    this.#view = { ...deps.ring.view(), isMember: false };
  }

  /** Takes note of how the ring looks now. */
  look(): void {
    const before = this.#view;
    const view = this.#deps.ring.view();
    if (view === before || isSameView(view, before)) return;
    if (!view.isMember || !isSameLife(view.self, before.self)) this.startAnew();
    this.#view = view;
    this.#changedAtMs = this.#deps.clock.steadyMs();
    this.#takeRange(rangeOf(view));
    this.#takePartners(view.successors);
  }

  get view(): RingView {
    return this.#view;
  }

  /** Since when the place has been the same. */
  get changedAtMs(): number {
    return this.#changedAtMs;
  }

  /** Those behind this peer, the nearest first; the first N - 1 keep copies of what it owns. */
  get partners(): readonly Partner[] {
    return this.#partners;
  }

  get keepers(): readonly Partner[] {
    return this.#partners.slice(0, this.#deps.replication.copies - 1);
  }

  /** This peer's own place, while it owns anything. */
  get ownPlace(): OwnPlace | undefined {
    if (this.#ownSet === undefined) return undefined;
    return { self: this.#view.self, range: this.#ownSet.range, isWhole: this.#isWhole };
  }

  /** Forgets what is only known of a peer that is never away. */
  startAnew(): void {
    this.#coverage.clear();
    this.#latelyUntilMs = 0;
    this.#ownSet = undefined;
    this.#isWhole = false;
    this.#partners = [];
    this.#view = { ...this.#view, isMember: false };
  }

  expire(): void {
    this.#coverage.expire(this.#deps.clock.steadyMs());
  }

  /** From now on this peer takes no writes: what it lacks may exist. */
  stopTaking(): void {
    this.#isTaking = false;
  }

  /** It takes writes again, and must find out what it has missed. */
  takeAgain(): void {
    this.#isTaking = true;
    this.startAnew();
  }

  // Sets

  /** The set of this peer as owner. */
  get ownSet(): ReplicaSet | undefined {
    return this.#ownSet;
  }

  /** The same, when it owns the position. */
  ownSetFor(position: RingId): ReplicaSet | undefined {
    this.look();
    const set = this.#ownSet;
    return set !== undefined && isInRange(position, set.range) ? set : undefined;
  }

  /** The set of another owner that has given this peer a lease. */
  leasedSetFor(position: RingId): ReplicaSet | undefined {
    return this.#coverage.setFor(position);
  }

  /** The set of a position, when this peer keeps a copy of what is there and has all of it. */
  wholeSetFor(position: RingId): ReplicaSet | undefined {
    if (!this.#isTaking) return undefined;
    const own = this.ownSetFor(position);
    if (own !== undefined) return this.#isWhole ? own : undefined;
    return this.#coverage.isWholeAt(position) ? this.#coverage.setFor(position) : undefined;
  }

  /** Every set that this peer is in. */
  get sets(): readonly ReplicaSet[] {
    return this.#ownSet === undefined
      ? this.#coverage.sets
      : [this.#ownSet, ...this.#coverage.sets];
  }

  /** An owner says who keeps its records; whether this peer is one of them, and has them all. */
  takeCover(set: ReplicaSet, isWhole: boolean): void {
    const { replication, clock } = this.#deps;
    const { ringId } = this.#view.self;
    const isKeeper = set.peers.slice(0, replication.copies).some((peer) => peer.ringId === ringId);
    // Whoever had everything goes on having it, whatever a new owner still lacks.
    const wasWhole = isCovered(this.spansOf(set.range), this.#wholeSpans());
    if (isKeeper) this.#coverage.grant(set, isWhole || wasWhole, clock.steadyMs());
    else this.#coverage.revoke(set.range.upTo);
  }

  // Where this peer is whole

  isWholeAt(position: RingId): boolean {
    if (!this.#isTaking) return false;
    const set = this.#ownSet;
    if (set !== undefined && isInRange(position, set.range)) return this.#isWhole;
    return this.#coverage.isWholeAt(position) || isInSpans(position, this.#latelyWhole());
  }

  isWhole(spans: readonly Span[]): boolean {
    return this.#isTaking && isCovered(spans, this.#wholeSpans());
  }

  /** Whether it has everything that it keeps for anyone. */
  get isWholeEverywhere(): boolean {
    return isCovered(this.keptSpans, this.#wholeSpans());
  }

  /** Whether it has all that it owns, and everyone who keeps a copy of it has been told so. */
  get isOwnSettled(): boolean {
    return this.#isWhole && this.keepers.every((keeper) => keeper.isGranted);
  }

  /** Parts of the ring that it keeps, for anyone. */
  get keptSpans(): readonly Span[] {
    const own = this.#ownSet === undefined ? [] : this.spansOf(this.#ownSet.range);
    return union([...own, ...this.#coverage.spans]);
  }

  /** Parts of the ring whose records are for others to keep. */
  foreignSpans(): readonly Span[] {
    const top = this.#deps.ring.ringSize - 1;
    return difference([{ first: 0, last: top }], this.keptSpans);
  }

  isForeign(position: RingId): boolean {
    return this.ownSetFor(position) === undefined && this.leasedSetFor(position) === undefined;
  }

  spansOf(range: Range): readonly Span[] {
    return spansOf(range, this.#deps.ring.ringSize);
  }

  /**
   * A comparison with a partner that began at this place has ended well. True when the partner counts
   * as whole now, and did not before.
   */
  compared(place: OwnPlace, partner: PeerRef, wasWhole: boolean): boolean {
    const now = this.ownPlace;
    if (now === undefined || !isSameLife(now.self, place.self)) return false;
    if (!isSameRange(now.range, place.range)) return false;
    let isNews = false;
    this.#partners = this.#partners.map((known) => {
      if (!isSameLife(known.peer, partner)) return known;
      isNews = place.isWhole && !known.isGranted;
      const comparedAtMs = this.#deps.clock.steadyMs();
      return { ...known, comparedAtMs, wasWhole, isGranted: known.isGranted || place.isWhole };
    });
    this.#judgeWhole();
    return isNews;
  }

  #takeRange(range: Range | undefined): void {
    const { self, successors } = this.#view;
    const before = this.#ownSet?.range;
    const wasWhole = this.#wholeSpans();
    this.#ownSet = range && { range, peers: [self, ...successors] };
    if (range !== undefined && before !== undefined && isSameRange(range, before)) return;
    if (before !== undefined && this.#isWhole) {
      this.#lately = union([...this.#latelyWhole(), ...this.spansOf(before)]);
      this.#latelyUntilMs = this.#deps.clock.steadyMs() + LEASE_MS;
    }
    this.#isWhole = range !== undefined && isCovered(this.spansOf(range), wasWhole);
    this.#partners = this.#partners.map((partner) => ({
      ...partner,
      comparedAtMs: undefined,
      isGranted: partner.isGranted && this.#isWhole,
    }));
  }

  /** One that keeps no copies, or has not until now, must be compared with before it counts. */
  #takePartners(successors: readonly PeerRef[]): void {
    const known = this.#partners;
    const { copies } = this.#deps.replication;
    this.#partners = successors.map((peer, index) => {
      const partner = known.find((it) => isSameLife(it.peer, peer)) ?? newPartner(peer);
      return index < copies - 1 ? partner : { ...partner, isGranted: false };
    });
    this.#judgeWhole();
  }

  /**
   * Whole is an owner that has compared with so many who were whole that each acknowledged write is
   * at one of them; or with everyone it knows, when there are not so many: after all have restarted.
   */
  #judgeWhole(): void {
    if (this.#isWhole || this.#ownSet === undefined) return;
    const { copies, writeQuorum } = this.#deps.replication;
    const compared = this.#partners.filter(({ comparedAtMs }) => comparedAtMs !== undefined);
    const whole = compared.filter(({ wasWhole }) => wasWhole);
    const isEnough = whole.length > Math.max(0, copies - writeQuorum);
    this.#isWhole = isEnough || compared.length === this.#partners.length;
  }

  #wholeSpans(): readonly Span[] {
    const own = this.#ownSet !== undefined && this.#isWhole ? this.spansOf(this.#ownSet.range) : [];
    return union([...own, ...this.#coverage.wholeSpans, ...this.#latelyWhole()]);
  }

  /** What this peer owned a moment ago, with everything in it. */
  #latelyWhole(): readonly Span[] {
    return this.#deps.clock.steadyMs() < this.#latelyUntilMs ? this.#lately : [];
  }
}

function newPartner(peer: PeerRef): Partner {
  return { peer, comparedAtMs: undefined, wasWhole: false, isGranted: false };
}

/** Undefined while the predecessor is not known: others may stand in between. */
function rangeOf({ self, isMember, predecessor, successors }: RingView): Range | undefined {
  if (!isMember) return undefined;
  if (predecessor !== undefined) return { after: predecessor.ringId, upTo: self.ringId };
  return successors.length === 0 ? { after: self.ringId, upTo: self.ringId } : undefined;
}

function isSameView(one: RingView, other: RingView): boolean {
  return (
    one.self === other.self &&
    one.isMember === other.isMember &&
    one.predecessor === other.predecessor &&
    one.successors === other.successors
  );
}
