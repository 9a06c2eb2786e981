/**
 * Keeps the copies where they belong, without anybody reading a key.
 *
 * As owner: makes sure that everyone in its set has the same records (`synchronize.ts`), at once when
 * the set or the range has changed, and now and then; and tells them that they keep a copy. An owner
 * that is new to its range first gets what others have of it, and only then counts as whole: transfer
 * first, then switch. As keeper of records that are not its own any more: hands them over
 * (`hand-over.ts`). As anyone: collects the dead. One comparison and one handing over at a time, so that
 * calls go first.
 */
import { isSameLife, type PeerRef, type RingId } from '../../peer/core/ring-space.js';
import { findForgotten } from './out-of-touch.js';
import { Coverage, LEASE_MS } from './coverage.js';
import { handOver } from './hand-over.js';
import type { MerkleTree } from './merkle.js';
import {
  answerOf,
  type Claim,
  type RingAccess,
  type RingView,
  type TableTalk,
} from './messages.js';
import { isCollectable } from './record.js';
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
import type { TableStats } from './stats.js';
import type { TableClock } from './table-clock.js';
import { synchronize, type SyncResult } from './synchronize.js';
import type { Entry, Page, Table } from './table.js';

export type CaretakerLimits = Replication & {
  /** Time between two comparisons with a peer when nothing has changed. */
  readonly repairIntervalMs: number;
  /** How long the dead are kept. */
  readonly graceMs: number;
};

export type CaretakerDeps = {
  readonly ring: RingAccess;
  readonly limits: CaretakerLimits;
  readonly table: Table;
  readonly tree: MerkleTree;
  readonly stats: TableStats;
  readonly clock: TableClock;
  readonly start: <Result>(talk: TableTalk<Result>, done: (result: Result) => void) => void;
  readonly findSet: (position: RingId, done: (set: ReplicaSet | undefined) => void) => void;
  readonly drop: (claims: readonly Claim[], done: (dropped: number) => void) => void;
};

/** Time between two renewals of a lease. */
const COVER_MS = 1_000;
/** A peer that failed a comparison is tried again after this time. */
const RETRY_MS = 1_000;
/** How long a place must be the same before what seems to belong to others is handed over. */
const SETTLED_MS = 3_000;
const HAND_OVER_MS = 1_000;
const HANDED_OVER_MAX = 256;
/** Records looked at by the collection, each time. */
const COLLECT_PAGE = 200;
const COLLECT_MS = 1_000;
/** A tick that comes later than this: this process stood still, and others may have taken its place. */
const STALL_MS = 5_000;

/** Time between two looks whether this peer is in touch. */
const TOUCH_MS = 1_000;
/** Out of touch: what can't be settled for so long is kept, */
const UNSETTLED_MS_MAX = 15 * 60 * 1_000;
/** and what nobody has everything of for so long. Others may still be getting it. */
const NOBODY_WHOLE_MS = 10_000;

type Partner = {
  readonly peer: PeerRef;
  /** When the last comparison ended well; undefined before the first one. */
  comparedAtMs: number | undefined;
  /** Whether it had all of the range then, and whether this peer had when that comparison began. */
  wasWhole: boolean;
  isGranted: boolean;
  notBeforeMs: number;
};

export class Caretaker {
  readonly #deps: CaretakerDeps;
  readonly coverage: Coverage;
  #view: RingView;
  #range: Range | undefined;
  #ownSet: ReplicaSet | undefined;
  #isWhole = false;
  #isTaking = true;
  #lately: readonly Span[] = [];
  #latelyUntilMs = 0;
  #partners: readonly Partner[] = [];
  #isComparing = false;
  #isHandingOver = false;
  #tickedAtMs: number | undefined;
  #changedAtMs = 0;
  #coverAtMs = 0;
  #handOverAtMs = 0;
  /** Where the next look for records of others begins. */
  #handOverFrom = 0;
  /** When all of this peer's records were last known to be as the others have them. */
  #inTouchAtMs: number;
  /** Until it is settled which of its old records are of the dead. */
  #isOutOfTouch = false;
  #outOfTouchAtMs = 0;
  /** The next ones: from this position on, behind this page. */
  #oldFrom = 0;
  #oldAfter: string | undefined;
  #oldAtMs = 0;
  #touchAtMs = 0;
  #collectAtMs = 0;
  #collectAfter: string | undefined;

  constructor(deps: CaretakerDeps) {
    this.#deps = deps;
    this.coverage = new Coverage(deps.ring.ringSize);
    this.#view = { ...deps.ring.view(), isMember: false };
    this.#inTouchAtMs = deps.clock.wallMs();
  }

  tick(): void {
    const nowMs = this.#deps.clock.steadyMs();
    if (this.#tickedAtMs !== undefined && nowMs - this.#tickedAtMs > STALL_MS) this.#startAnew();
    this.#tickedAtMs = nowMs;
    this.coverage.expire(nowMs);
    this.look();
    if (!this.#view.isMember) return;
    if (nowMs >= this.#coverAtMs) this.#coverAll(nowMs);
    if (nowMs >= this.#collectAtMs) this.#collect(nowMs);
    if (nowMs >= this.#touchAtMs) this.#judgeTouch(nowMs);
    this.#repair(nowMs);
  }

  get inTouchAtMs(): number {
    return this.#inTouchAtMs;
  }

  /**
   * Before the first tick: when this peer was in touch last, in a life before this one. After half of
   * the grace period it must not take its old records for granted: clocks differ.
   */
  wasInTouchAt(ms: number): void {
    const { clock, limits } = this.#deps;
    this.#inTouchAtMs = ms;
    this.#outOfTouchAtMs = clock.steadyMs();
    this.#isOutOfTouch = clock.wallMs() - ms >= limits.graceMs / 2;
  }

  get isOutOfTouch(): boolean {
    return this.#isOutOfTouch;
  }

  /** Takes note of how the ring looks now. */
  look(): void {
    const before = this.#view;
    const view = this.#deps.ring.view();
    if (view === before || isSameView(view, before)) return;
    this.#view = view;
    if (!view.isMember || !isSameLife(view.self, before.self)) this.#startAnew();
    this.#changedAtMs = this.#deps.clock.steadyMs();
    this.#takeRange(rangeOf(view));
    this.#takePartners(view.successors);
    this.#ownSet = this.#range && { range: this.#range, peers: [view.self, ...view.successors] };
    this.#coverAtMs = 0;
  }

  /** The set of this peer as owner, when it owns the position. */
  ownSetFor(position: RingId): ReplicaSet | undefined {
    this.look();
    const range = this.#range;
    return range !== undefined && isInRange(position, range) ? this.ownSet : undefined;
  }

  get ownSet(): ReplicaSet | undefined {
    return this.#ownSet;
  }

  /** The set of a position, when this peer keeps a copy of what is there and has all of it. */
  wholeSetFor(position: RingId): ReplicaSet | undefined {
    const own = this.ownSetFor(position);
    if (own !== undefined) return this.#isWhole && this.#isTaking ? own : undefined;
    if (!this.#isTaking || !this.coverage.isWholeAt(position)) return undefined;
    return this.coverage.setFor(position);
  }

  /** An owner says who keeps its records; whether this peer is one of them, and has them all. */
  takeCover(set: ReplicaSet, isWhole: boolean): void {
    const { limits, clock } = this.#deps;
    const { ringId } = this.#view.self;
    const isKeeper = set.peers.slice(0, limits.copies).some((peer) => peer.ringId === ringId);
    // Whoever had everything goes on having it, whatever a new owner still lacks.
    const wasWhole = isCovered(this.#spansOf(set.range), this.#wholeSpans());
    if (isKeeper) this.coverage.grant(set, isWhole || wasWhole, clock.steadyMs());
    else this.coverage.revoke(set.range.upTo);
  }

  isWholeAt(position: RingId): boolean {
    if (!this.#isTaking) return false;
    const range = this.#range;
    if (range !== undefined && isInRange(position, range)) return this.#isWhole;
    return this.coverage.isWholeAt(position) || isInSpans(position, this.#latelyWhole());
  }

  isWhole(spans: readonly Span[]): boolean {
    return this.#isTaking && isCovered(spans, this.#wholeSpans());
  }

  /** Whether this peer should keep a record at this position, for itself or another owner. */
  covers(position: RingId): boolean {
    const range = this.#range;
    if (range !== undefined && isInRange(position, range)) return true;
    return this.coverage.setFor(position) !== undefined;
  }

  /** Gives everything to those who will keep it once this peer is gone; tells whether they have it. */
  handAllOver(done: (isDone: boolean) => void): void {
    this.#deps.start(this.#farewell(), done);
  }

  /** From now on this peer takes no writes: what it lacks may exist. */
  stopTaking(): void {
    this.#isTaking = false;
  }

  /** It takes writes again, and must find out what it has missed. */
  takeAgain(): void {
    this.#isTaking = true;
    this.#startAnew();
  }

  /**
   * Whether this peer has all that it owns, everyone who keeps a copy of it has been told so, and it
   * keeps nothing that others should have.
   */
  get isSettled(): boolean {
    const isGranted = this.#keepers.every((keeper) => keeper.isGranted);
    return this.#isWhole && isGranted && this.#firstForeign(0) === undefined;
  }

  // Place

  /** Forgets what is only known while this peer is never away. */
  #startAnew(): void {
    this.coverage.clear();
    this.#latelyUntilMs = 0;
    this.#range = undefined;
    this.#ownSet = undefined;
    this.#isWhole = false;
    this.#partners = [];
    this.#view = { ...this.#view, isMember: false };
  }

  #takeRange(range: Range | undefined): void {
    const before = this.#range;
    if (range !== undefined && before !== undefined && isSameRange(range, before)) return;
    const wasWhole = this.#wholeSpans();
    if (before !== undefined && this.#isWhole) {
      this.#lately = union([...this.#latelyWhole(), ...this.#spansOf(before)]);
      this.#latelyUntilMs = this.#deps.clock.steadyMs() + LEASE_MS;
    }
    this.#range = range;
    this.#isWhole = range !== undefined && isCovered(this.#spansOf(range), wasWhole);
    for (const partner of this.#partners) partner.comparedAtMs = undefined;
    for (const partner of this.#partners) partner.isGranted &&= this.#isWhole;
  }

  #takePartners(successors: readonly PeerRef[]): void {
    const known = this.#partners;
    this.#partners = successors.map(
      (peer) =>
        known.find((partner) => isSameLife(partner.peer, peer)) ?? {
          peer,
          comparedAtMs: undefined,
          wasWhole: false,
          isGranted: false,
          notBeforeMs: 0,
        },
    );
    this.#judgeWhole();
  }

  /** Those who keep copies of what this peer owns. */
  get #keepers(): readonly Partner[] {
    return this.#partners.slice(0, this.#deps.limits.copies - 1);
  }

  /**
   * Whole is an owner that has compared with so many who were whole that each acknowledged write is
   * at one of them; or with everyone it knows, when there are not so many: after all have restarted.
   */
  #judgeWhole(): void {
    if (this.#isWhole || this.#range === undefined) return;
    const { copies, writeQuorum } = this.#deps.limits;
    const compared = this.#partners.filter(({ comparedAtMs }) => comparedAtMs !== undefined);
    const whole = compared.filter(({ wasWhole }) => wasWhole);
    const isEnough = whole.length > Math.max(0, copies - writeQuorum);
    this.#isWhole = isEnough || compared.length === this.#partners.length;
  }

  #wholeSpans(): readonly Span[] {
    const own = this.#range !== undefined && this.#isWhole ? this.#spansOf(this.#range) : [];
    return union([...own, ...this.coverage.wholeSpans, ...this.#latelyWhole()]);
  }

  /** What this peer owned a moment ago, with everything in it. */
  #latelyWhole(): readonly Span[] {
    return this.#deps.clock.steadyMs() < this.#latelyUntilMs ? this.#lately : [];
  }

  #spansOf(range: Range): readonly Span[] {
    return spansOf(range, this.#deps.ring.ringSize);
  }

  #coverAll(nowMs: number): void {
    this.#coverAtMs = nowMs + COVER_MS;
    const set = this.ownSet;
    if (set === undefined) return;
    // Those behind the keepers are told as well: they may have been keepers until now.
    for (const { peer, isGranted } of this.#partners) {
      const isWhole = isGranted && this.#isWhole;
      this.#deps.start(cover(peer, set, isWhole), () => undefined);
    }
  }

  // Repair

  #repair(nowMs: number): void {
    if (this.#isOutOfTouch) {
      if (!this.#isHandingOver) this.#settleOld(nowMs);
      return;
    }
    const partner = this.#isComparing ? undefined : this.#duePartner(nowMs);
    if (partner !== undefined) this.#compareWith(partner);
    if (this.#isHandingOver || nowMs < this.#handOverAtMs) return;
    if (nowMs < this.#changedAtMs + SETTLED_MS) return;
    this.#handOverAtMs = nowMs + HAND_OVER_MS;
    this.#handOverNext();
  }

  #duePartner(nowMs: number): Partner | undefined {
    if (this.#range === undefined) return undefined;
    const { repairIntervalMs } = this.#deps.limits;
    const candidates = this.#isWhole ? this.#keepers : this.#partners;
    return candidates.find(({ comparedAtMs, isGranted, notBeforeMs }) => {
      if (nowMs < notBeforeMs) return false;
      const isNew = comparedAtMs === undefined || (this.#isWhole && !isGranted);
      return isNew || nowMs >= comparedAtMs + repairIntervalMs;
    });
  }

  #compareWith(partner: Partner): void {
    const { table, tree, start, stats } = this.#deps;
    const range = this.#range;
    if (range === undefined) return;
    const wasWhole = this.#isWhole;
    const { self } = this.#view;
    const spans = this.#spansOf(range);
    const options = { self, partner: partner.peer, spans, direction: 'both', tree, table } as const;
    this.#isComparing = true;
    start(synchronize(options), (result) => {
      this.#isComparing = false;
      stats.count('given', result.given);
      if (result.isDone) stats.count('comparisons', 1);
      const isSamePlace = this.#range !== undefined && isSameRange(this.#range, range);
      if (isSamePlace && isSameLife(self, this.#view.self))
        this.#compared(partner, result, wasWhole);
    });
  }

  #compared(partner: Partner, { isDone, wasPartnerWhole }: SyncResult, wasWhole: boolean): void {
    const nowMs = this.#deps.clock.steadyMs();
    partner.notBeforeMs = isDone ? nowMs : nowMs + RETRY_MS;
    if (!isDone) return;
    partner.comparedAtMs = nowMs;
    partner.wasWhole = wasPartnerWhole;
    const isNews = wasWhole && !partner.isGranted;
    partner.isGranted ||= wasWhole;
    this.#judgeWhole();
    if (isNews) this.#coverAtMs = 0;
  }

  /** In touch is who has all that it should, and nothing that others should have. */
  #judgeTouch(nowMs: number): void {
    this.#touchAtMs = nowMs + TOUCH_MS;
    const mine = this.#range === undefined ? [] : this.#spansOf(this.#range);
    const isInTouch =
      !this.#isOutOfTouch &&
      isCovered([...mine, ...this.coverage.spans], this.#wholeSpans()) &&
      this.#firstForeign(0) === undefined;
    if (isInTouch) this.#inTouchAtMs = this.#deps.clock.wallMs();
  }

  /** Settles the next old records, a few of one replica set at a time. */
  #settleOld(nowMs: number): void {
    const { table, ring, findSet } = this.#deps;
    if (nowMs < this.#oldAtMs) return;
    const top = ring.ringSize - 1;
    const page = table.list(this.#oldFrom, top, this.#oldAfter, HANDED_OVER_MAX);
    const [first] = page.items;
    if (first === undefined || nowMs >= this.#outOfTouchAtMs + UNSETTLED_MS_MAX) {
      this.#comeInTouch();
      return;
    }
    this.#isHandingOver = true;
    findSet(first.position, (set) => {
      this.#isHandingOver = false;
      this.#oldAtMs = nowMs + RETRY_MS;
      if (set !== undefined) this.#settleOfSet(set, page);
    });
  }

  #settleOfSet({ range, peers }: ReplicaSet, { items, next }: Page<Entry>): void {
    const { limits, start, drop, clock } = this.#deps;
    const { self } = this.#view;
    const keepers = peers.slice(0, limits.copies).filter(({ ringId }) => ringId !== self.ringId);
    const end = items.findIndex(({ position }) => !isInRange(position, range));
    const ofSet = end === -1 ? items : items.slice(0, end);
    // What is younger can't have been collected anywhere.
    const oldest = clock.wallMs() - limits.graceMs / 2;
    const entries = ofSet.filter(({ version }) => version.wallMs <= oldest);
    this.#isHandingOver = true;
    start(findForgotten({ entries, keepers }), (forgotten) => {
      this.#isHandingOver = false;
      const isEarly = clock.steadyMs() < this.#outOfTouchAtMs + NOBODY_WHOLE_MS;
      if (forgotten === 'somebody-silent' || (forgotten === 'nobody-whole' && isEarly)) return;
      if (forgotten !== 'nobody-whole') drop(forgotten, () => undefined);
      this.#oldAtMs = 0;
      this.#oldFrom = items[end]?.position ?? this.#oldFrom;
      this.#oldAfter = end === -1 ? next : undefined;
      if (end === -1 && next === undefined) this.#comeInTouch();
    });
  }

  #comeInTouch(): void {
    this.#isOutOfTouch = false;
    this.#inTouchAtMs = this.#deps.clock.wallMs();
  }

  /** Looks for a record that others should keep, and gives it and those around it to them. */
  #handOverNext(): void {
    const entry = this.#firstForeign(this.#handOverFrom);
    if (entry === undefined) {
      this.#handOverFrom = 0;
      return;
    }
    this.#isHandingOver = true;
    this.#deps.findSet(entry.position, (set) => {
      this.#isHandingOver = false;
      this.#handOverFrom = (entry.position + 1) % this.#deps.ring.ringSize;
      if (set !== undefined) this.#handOverTo(set, entry);
    });
  }

  #firstForeign(from: RingId): Entry | undefined {
    const { table } = this.#deps;
    for (const { first, last } of this.#foreignSpans()) {
      if (last < from) continue;
      const [entry] = table.list(Math.max(first, from), last, undefined, 1).items;
      if (entry !== undefined) return entry;
    }
    return undefined;
  }

  #foreignSpans(): readonly Span[] {
    const top = this.#deps.ring.ringSize - 1;
    const own = this.#range === undefined ? [] : this.#spansOf(this.#range);
    return difference([{ first: 0, last: top }], [...own, ...this.coverage.spans]);
  }

  #handOverTo({ range, peers }: ReplicaSet, { position }: Entry): void {
    const { table, limits, stats, start } = this.#deps;
    const { self } = this.#view;
    const keepers = peers.slice(0, limits.copies);
    // The owner counts on this copy; its lease will come.
    if (keepers.some(({ ringId }) => ringId === self.ringId)) return;
    const span = this.#spansOf(range).find(
      ({ first, last }) => first <= position && position <= last,
    );
    if (span === undefined) return;
    const page = table.list(position, span.last, undefined, HANDED_OVER_MAX);
    const entries = page.items.filter((entry) => !this.covers(entry.position));
    this.#isHandingOver = true;
    start(handOver({ self, keepers, entries, table }), ({ isDone, given }) => {
      this.#isHandingOver = false;
      stats.count('given', given);
      if (isDone) stats.count('handedOver', entries.length);
      if (!isDone) return;
      this.#handOverFrom = position;
      this.#handOverAtMs = 0;
    });
  }

  #collect(nowMs: number): void {
    const { table, limits, ring, drop, stats, clock } = this.#deps;
    const top = ring.ringSize - 1;
    const { items, next } = table.list(0, top, this.#collectAfter, COLLECT_PAGE);
    this.#collectAfter = next;
    this.#collectAtMs = nowMs + (next === undefined ? COLLECT_MS : 0);
    const dead = items.filter(({ endMs }) => isCollectable(endMs, clock.wallMs(), limits.graceMs));
    if (dead.length === 0) return;
    const claims = dead.map((entry): Claim => ({ id: entry, version: entry.version }));
    drop(claims, (dropped) => stats.count('collected', dropped));
  }

  /** Each set that this peer is in gets one peer more when it goes: that one needs the records. */
  *#farewell(): TableTalk<boolean> {
    const { copies } = this.#deps.limits;
    const { self, successors } = this.#view;
    const own = this.ownSet;
    let isDone = true;
    for (const { range, peers } of [...(own === undefined ? [] : [own]), ...this.coverage.sets]) {
      const myIndex = peers.findIndex(({ ringId }) => ringId === self.ringId);
      if (myIndex === -1 || myIndex >= copies) continue;
      // In a ring of no more peers than copies, the others have everything; they get what they lack.
      const heirs = successors.slice(0, copies - myIndex);
      for (const heir of heirs) isDone = (yield* this.#giveRange(range, heir)) && isDone;
    }
    return isDone && this.#firstForeign(0) === undefined;
  }

  *#giveRange(range: Range, partner: PeerRef): TableTalk<boolean> {
    const { table, tree, stats } = this.#deps;
    const spans = this.#spansOf(range);
    const { self } = this.#view;
    const direction = 'push';
    const result = yield* synchronize({ self, partner, spans, direction, tree, table });
    stats.count('given', result.given);
    return result.isDone;
  }
}

function* cover(to: PeerRef, set: ReplicaSet, isWhole: boolean): TableTalk<boolean> {
  return answerOf(yield { to, question: { kind: 'cover', set, isWhole } }, 'noted') !== undefined;
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
