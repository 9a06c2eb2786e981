/**
 * Keeps the copies where they belong, without anybody reading a key.
 *
 * As owner: makes sure that everyone in its set has the same records (`synchronize.ts`), at once when
 * the set or the range has changed, and now and then; and tells them that they keep a copy. As keeper
 * of records that are not its own any more: hands them over (`hand-over.ts`). As anyone: collects the
 * dead. One comparison and one handing over at a time, so that calls go first.
 */
import type { PeerRef, RingId } from '../../peer/core/ring-space.js';
import { handOver } from './hand-over.js';
import type { Keeping, Partner } from './keeping.js';
import type { MerkleTree } from './merkle.js';
import { answerOf, type Claim, type RingAccess, type TableTalk } from './messages.js';
import { OldRecords } from './out-of-touch.js';
import { isCollectable } from './record.js';
import type { ReplicaSet, Replication } from './replica-set.js';
import { isCovered, type Range, type Span } from './span.js';
import type { TableStats } from './stats.js';
import { synchronize } from './synchronize.js';
import type { Entry, Table } from './table.js';
import type { TableClock } from './table-clock.js';

export type CaretakerLimits = Replication & {
  /** Time between two comparisons with a peer when nothing has changed. */
  readonly repairIntervalMs: number;
  /** How long the dead are kept. */
  readonly graceMs: number;
};

export type CaretakerDeps = {
  readonly ring: RingAccess;
  readonly keeping: Keeping;
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
/** Time between two looks whether this peer is in touch. */
const TOUCH_MS = 1_000;
/** A tick that comes later than this: this process stood still, and others may have taken its place. */
const STALL_MS = 5_000;

export class Caretaker {
  readonly #deps: CaretakerDeps;
  readonly oldRecords: OldRecords;
  #tickedAtMs: number | undefined;
  #placeSinceMs: number | undefined;
  #coverAtMs = 0;
  #isComparing = false;
  /** When each peer that failed a comparison may be tried again. */
  readonly #notBeforeMs = new Map<RingId, number>();
  #isHandingOver = false;
  #handOverAtMs = 0;
  /** Where the next look for records of others begins. */
  #handOverFrom = 0;
  #collectAtMs = 0;
  #collectAfter: string | undefined;
  #touchAtMs = 0;

  constructor(deps: CaretakerDeps) {
    this.#deps = deps;
    this.oldRecords = new OldRecords(deps);
  }

  tick(): void {
    const { keeping, clock } = this.#deps;
    const nowMs = clock.steadyMs();
    if (this.#tickedAtMs !== undefined && nowMs - this.#tickedAtMs > STALL_MS) keeping.startAnew();
    this.#tickedAtMs = nowMs;
    keeping.expire();
    keeping.look();
    if (keeping.changedAtMs !== this.#placeSinceMs) this.#beginAnew(keeping.changedAtMs);
    if (!keeping.view.isMember) return;
    if (nowMs >= this.#coverAtMs) this.#coverAll(nowMs);
    if (nowMs >= this.#collectAtMs) this.#collect(nowMs);
    if (this.oldRecords.isOutOfTouch) return this.oldRecords.tick();
    if (nowMs >= this.#touchAtMs) this.#judgeTouch(nowMs);
    this.#repair(nowMs);
  }

  /** The place has changed: those who keep copies hear of it at once. */
  #beginAnew(placeSinceMs: number): void {
    this.#placeSinceMs = placeSinceMs;
    this.#coverAtMs = 0;
    this.#notBeforeMs.clear();
  }

  /** Whether all copies of what this peer owns are the same, and it keeps nothing for others. */
  get isSettled(): boolean {
    return this.#deps.keeping.isOwnSettled && this.#firstForeign(0) === undefined;
  }

  /**
   * Gives everything to those who will keep it once this peer is gone; tells whether they have it. All
   * over again when its place has changed meanwhile, or an owner has made it a keeper of more: else what
   * was nobody's at first and its own in the end would be given to nobody, or to one who has left.
   */
  handAllOver(done: (isDone: boolean) => void): void {
    const { keeping, start } = this.#deps;
    keeping.look();
    const { view, keptSpans } = keeping;
    start(this.#farewell(), (isGiven) => {
      if (!isGiven) return done(false);
      this.#handOverRest((isDone) => {
        keeping.look();
        const isAsBefore = keeping.view === view && isCovered(keeping.keptSpans, keptSpans);
        if (isDone && !isAsBefore) this.handAllOver(done);
        else done(isDone);
      });
    });
  }

  #coverAll(nowMs: number): void {
    const { keeping, start } = this.#deps;
    this.#coverAtMs = nowMs + COVER_MS;
    const set = keeping.ownSet;
    if (set === undefined) return;
    // Those behind the keepers are told as well: they may have been keepers until now.
    for (const { peer, isGranted } of keeping.partners) {
      start(cover(peer, set, isGranted), () => undefined);
    }
  }

  #repair(nowMs: number): void {
    const partner = this.#isComparing ? undefined : this.#duePartner(nowMs);
    if (partner !== undefined) this.#compareWith(partner);
    if (this.#isHandingOver || nowMs < this.#handOverAtMs) return;
    if (nowMs < this.#deps.keeping.changedAtMs + SETTLED_MS) return;
    this.#handOverAtMs = nowMs + HAND_OVER_MS;
    this.#handOverNext();
  }

  // Comparing

  #duePartner(nowMs: number): Partner | undefined {
    const { keeping, limits } = this.#deps;
    const isWhole = keeping.ownPlace?.isWhole;
    if (isWhole === undefined) return undefined;
    return (isWhole ? keeping.keepers : keeping.partners).find((partner) => {
      const { comparedAtMs, isGranted, peer } = partner;
      if (nowMs < (this.#notBeforeMs.get(peer.ringId) ?? 0)) return false;
      const isNew = comparedAtMs === undefined || (isWhole && !isGranted);
      return isNew || nowMs >= comparedAtMs + limits.repairIntervalMs;
    });
  }

  #compareWith({ peer: partner }: Partner): void {
    const { keeping, table, tree, start, stats, clock } = this.#deps;
    const place = keeping.ownPlace;
    if (place === undefined) return;
    const { self } = place;
    const spans = keeping.spansOf(place.range);
    this.#isComparing = true;
    // Whoever keeps no copies is asked for what it has, and not given what it would have to drop.
    const isKeeper = keeping.keepers.some(({ peer }) => peer.ringId === partner.ringId);
    const direction = isKeeper ? 'both' : 'pull';
    const talk = synchronize({ self, partner, spans, direction, tree, table });
    start(talk, ({ isDone, wasPartnerWhole, given }) => {
      this.#isComparing = false;
      stats.count('given', given);
      this.#notBeforeMs.delete(partner.ringId);
      if (!isDone) {
        this.#notBeforeMs.set(partner.ringId, clock.steadyMs() + RETRY_MS);
        return;
      }
      stats.count('comparisons', 1);
      if (keeping.compared(place, partner, wasPartnerWhole)) this.#coverAtMs = 0;
    });
  }

  // Handing over

  /**
   * Looks for a record that others should keep, and gives it and those around it to them. When they do
   * not take it, those of other owners come first: each attempt takes its time.
   */
  #handOverNext(): void {
    const entry = this.#firstForeign(this.#handOverFrom);
    if (entry === undefined) {
      this.#handOverFrom = 0;
      return;
    }
    this.#isHandingOver = true;
    this.#deps.findSet(entry.position, (set) => {
      const last = set && this.#spanAt(entry.position, set.range)?.last;
      this.#handOverFrom = ((last ?? entry.position) + 1) % this.#deps.ring.ringSize;
      const keepers = set?.peers.slice(0, this.#deps.limits.copies) ?? [];
      // Where this peer is a keeper itself, the owner counts on its copy; the lease will come.
      if (set === undefined || this.#isAmong(keepers)) {
        this.#isHandingOver = false;
        return;
      }
      this.#handOverTo(keepers, set.range, entry, (isDone) => {
        this.#isHandingOver = false;
        if (!isDone) return;
        this.#handOverFrom = entry.position;
        this.#handOverAtMs = 0;
      });
    });
  }

  /** Before this peer goes: what others should have, and has not been handed over yet. */
  #handOverRest(done: (isDone: boolean) => void): void {
    const { keeping, limits, findSet } = this.#deps;
    const entry = this.#firstForeign(0);
    if (entry === undefined) return done(true);
    findSet(entry.position, (set) => {
      if (set === undefined) return done(false);
      const { ringId: self } = keeping.view.self;
      const others = set.peers.filter(({ ringId }) => ringId !== self);
      this.#handOverTo(others.slice(0, limits.copies), set.range, entry, (isDone) => {
        if (isDone) this.#handOverRest(done);
        else done(false);
      });
    });
  }

  #isAmong(peers: readonly PeerRef[]): boolean {
    const { ringId: self } = this.#deps.keeping.view.self;
    return peers.some(({ ringId }) => ringId === self);
  }

  #firstForeign(from: RingId): Entry | undefined {
    const { keeping, table } = this.#deps;
    for (const { first, last } of keeping.foreignSpans()) {
      if (last < from) continue;
      const [entry] = table.list(Math.max(first, from), last, undefined, 1).items;
      if (entry !== undefined) return entry;
    }
    return undefined;
  }

  /** Gives a record, and those behind it in the same range that are foreign too, to their keepers. */
  #handOverTo(
    keepers: readonly PeerRef[],
    range: Range,
    { position }: Entry,
    done: (isDone: boolean) => void,
  ): void {
    const { keeping, table, stats, start } = this.#deps;
    const { self } = keeping.view;
    const span = this.#spanAt(position, range);
    if (span === undefined || keepers.length === 0) return done(false);
    const page = table.list(position, span.last, undefined, HANDED_OVER_MAX);
    const entries = page.items.filter((entry) => keeping.isForeign(entry.position));
    const isOld = (entry: Entry): boolean => this.oldRecords.isOld(entry);
    const isForgettable = (entry: Entry): boolean => this.oldRecords.isForgettable(entry);
    const talk = handOver({ self, keepers, entries, table, isOld, isForgettable });
    start(talk, ({ isDone, given }) => {
      stats.count('given', given);
      if (isDone) stats.count('handedOver', entries.length);
      done(isDone);
    });
  }

  #spanAt(position: RingId, range: Range): Span | undefined {
    const spans = this.#deps.keeping.spansOf(range);
    return spans.find(({ first, last }) => first <= position && position <= last);
  }

  /** Each set that this peer is in gets one peer more when it goes: that one needs the records. */
  *#farewell(): TableTalk<boolean> {
    const { keeping, limits } = this.#deps;
    const { self, successors } = keeping.view;
    let isDone = true;
    for (const { range, peers } of keeping.sets) {
      const myIndex = peers.findIndex(({ ringId }) => ringId === self.ringId);
      if (myIndex === -1 || myIndex >= limits.copies) continue;
      // In a ring of no more peers than copies, the others have everything; they get what they lack.
      const heirs = successors.slice(0, limits.copies - myIndex);
      for (const heir of heirs) isDone = (yield* this.#giveRange(range, heir)) && isDone;
    }
    return isDone;
  }

  *#giveRange(range: Range, partner: PeerRef): TableTalk<boolean> {
    const { keeping, table, tree, stats } = this.#deps;
    const spans = keeping.spansOf(range);
    const { self } = keeping.view;
    const direction = 'push';
    const result = yield* synchronize({ self, partner, spans, direction, tree, table });
    stats.count('given', result.given);
    return result.isDone;
  }

  // The dead, and the forgotten

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

  /** In touch is who has all that it should, and nothing that others should have. */
  #judgeTouch(nowMs: number): void {
    this.#touchAtMs = nowMs + TOUCH_MS;
    const isInTouch = this.#deps.keeping.isWholeEverywhere && this.#firstForeign(0) === undefined;
    if (isInTouch) this.oldRecords.comeInTouch();
  }
}

function* cover(to: PeerRef, set: ReplicaSet, isWhole: boolean): TableTalk<boolean> {
  return answerOf(yield { to, question: { kind: 'cover', set, isWhole } }, 'noted') !== undefined;
}
