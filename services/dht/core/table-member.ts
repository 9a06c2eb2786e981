/**
 * One peer's part in the table as a whole: calls of applications (as their coordinator), questions of
 * other peers (as a replica), and the care for the copies.
 *
 * No I/O, clock or randomness: time comes through `now` and `tick`, the disk is a `Table`, the ring a
 * `RingAccess`, and what is to be asked goes out through `perform`, each to be reported once with
 * `answered` or `unanswered`.
 */
import { positionOfKey } from '../../hash/core/digest.js';
import type { RequestId } from '../../peer/core/messages.js';
import type { PeerRef, RingId } from '../../peer/core/ring-space.js';
import { Talks } from '../../peer/core/talks.js';
import { Caretaker, type CaretakerLimits } from './caretaker.js';
import { Headcount } from './headcount.js';
import { Keeping } from './keeping.js';
import { Interests } from './interests.js';
import { MerkleTree } from './merkle.js';
import {
  answerOf,
  type RingAccess,
  type RingView,
  type TableAnswer,
  type TableQuestion,
  type TableTalk,
} from './messages.js';
import { readRecords, type ReadOutcome, type ReadTarget } from './read.js';
import type { TableRecord } from './record.js';
import { HOLDERS_PAGE, Replica } from './replica.js';
import { quorumOf, type Quorum, type ReplicaSet } from './replica-set.js';
import { SetFinder } from './set-finder.js';
import { TableStats, type TableCounts } from './stats.js';
import type { Table } from './table.js';
import type { TableClock } from './table-clock.js';
import { HybridClock, type Version } from './version.js';
import { Wants, type WantListener } from './wants.js';
import { isWritten, writeRecord, type WriteOutcome } from './write.js';

export type TableLimits = CaretakerLimits;

export type TableEffect =
  | {
      readonly kind: 'ask';
      readonly requestId: RequestId;
      readonly to: PeerRef;
      readonly question: TableQuestion;
    }
  | { readonly kind: 'answer'; readonly requestId: RequestId; readonly answer: TableAnswer };

export type TableMemberDeps = {
  readonly ring: RingAccess;
  readonly limits: TableLimits;
  readonly table: Table;
  readonly clock: TableClock;
  readonly perform: (effect: TableEffect) => void;
};

/** What a call did, and on what it rests. */
export type Rests<Outcome> = {
  /** The peers asked: the first is the owner. Undefined when no way to it was found. */
  readonly set: ReplicaSet | undefined;
  readonly quorum: Quorum;
  readonly outcome: Outcome | undefined;
};

export type Written = Rests<WriteOutcome> & { readonly version: Version };

/** Writes that found something newer are made again with a later version, so often at most. */
const REWRITES_MAX = 3;
/** Questions that a peer does not answer before it knows which of its records are of the dead. */
const SPEAKS_OF_RECORDS: ReadonlySet<TableQuestion['kind']> = new Set([
  ...(['fetch', 'fetch-holders', 'watch', 'compare', 'list', 'take', 'lacking'] as const),
]);
/** Records read at start-up in one go. */
const LOAD_PAGE = 5_000;

export class TableMember {
  readonly #deps: TableMemberDeps;
  readonly #versions = new HybridClock();
  readonly #stats = new TableStats();
  readonly #tree: MerkleTree;
  readonly #interests = new Interests();
  readonly #headcount = new Headcount();
  readonly #talks: Talks<TableQuestion, TableAnswer>;
  readonly #keeping: Keeping;
  readonly #caretaker: Caretaker;
  readonly #sets: SetFinder;
  readonly #replica: Replica;
  readonly #wants: Wants;
  #nextRequestId = 1;
  /** The view in which members were counted last. */
  #countedIn: RingView | undefined;
  /** Takes no more writes: they would come after what it hands over. */
  #isLeaving = false;

  constructor(deps: TableMemberDeps) {
    this.#deps = deps;
    const { ring, limits, table, clock } = deps;
    this.#tree = new MerkleTree(ring.ringSize);
    this.#talks = new Talks<TableQuestion, TableAnswer>({
      self: () => ring.view().self,
      ask: (to, question) => this.#ask(to, question),
      askMyself: (question, reply) => this.#answer(ring.view().self, question, reply),
    });
    const start = this.#talks.start.bind(this.#talks);
    this.#keeping = new Keeping({ ring, replication: limits, clock });
    this.#caretaker = new Caretaker({
      ring,
      keeping: this.#keeping,
      limits,
      table,
      tree: this.#tree,
      stats: this.#stats,
      clock,
      start,
      findSet: (position, done) => this.#sets.find(position, true, done),
      drop: (claims, done) => this.#replica.drop(claims, done),
    });
    this.#sets = new SetFinder({ ring, keeping: this.#keeping, clock, start });
    this.#replica = new Replica({
      ringSize: ring.ringSize,
      table,
      tree: this.#tree,
      versions: this.#versions,
      interests: this.#interests,
      stats: this.#stats,
      clock,
      isWhole: (spans) => this.#keeping.isWhole(spans),
      isWholeAt: (position) => this.#keeping.isWholeAt(position),
      tell: (record, peers) => this.#tell(record, peers),
    });
    this.#wants = new Wants({
      clock,
      self: () => ring.view().self,
      quorum: () => this.#quorum(limits.readQuorum),
      findSet: (key, done) => this.#sets.find(this.positionOf(key), true, done),
      start,
    });
  }

  get counts(): TableCounts {
    return this.#stats.counts;
  }

  get headcount(): Headcount {
    return this.#headcount;
  }

  /** Whether all copies of what this peer owns are known to be the same. */
  get isSettled(): boolean {
    return this.#caretaker.isSettled;
  }

  get wantCount(): number {
    return this.#wants.count;
  }

  get interestCount(): number {
    return this.#interests.count;
  }

  /** When all of this peer's records were last known to be as others have them; to be kept on disk. */
  get inTouchAtMs(): number {
    return this.#caretaker.oldRecords.inTouchAtMs;
  }

  /** What was kept of `inTouchAtMs` in an earlier life; to be told before the first tick. */
  wasInTouchAt(ms: number): void {
    this.#caretaker.oldRecords.wasInTouchAt(ms);
  }

  /** Takes up what is in the table, page by page; to be called until it returns undefined. */
  load(after: string | undefined): string | undefined {
    const top = this.#deps.ring.ringSize - 1;
    const { items, next } = this.#deps.table.list(0, top, after, LOAD_PAGE);
    const nowMs = this.#deps.clock.wallMs();
    for (const entry of items) {
      this.#tree.add(entry);
      this.#versions.see(entry.version, nowMs);
    }
    return next;
  }

  tick(): void {
    this.#countMembers();
    this.#interests.expire(this.#deps.clock.steadyMs());
    this.#caretaker.tick();
    this.#wants.tick();
  }

  // Calls

  /** Writes a record: `draft` makes it with the version it is given. */
  write(
    key: string,
    wanted: number,
    draft: (version: Version) => TableRecord,
    done: (written: Written) => void,
  ): void {
    const { clock, ring } = this.#deps;
    let wasLive = false;
    const attempt = (triesLeft: number, isFresh: boolean): void => {
      this.#sets.find(this.positionOf(key), isFresh, (set) => {
        const version = this.#versions.next(clock.wallMs(), ring.view().self.ringId);
        const quorum = this.#quorum(wanted);
        if (set === undefined) return done({ set, quorum, outcome: undefined, version });
        this.#talks.start(writeRecord(draft(version), set.peers, quorum), (outcome) => {
          const isEnough = isWritten({ outcome, quorum });
          wasLive ||= outcome.wasLive;
          if (outcome.newer !== undefined) this.#versions.see(outcome.newer, clock.wallMs());
          const isToBeRepeated = isEnough ? outcome.newer !== undefined : !isFresh;
          if (isToBeRepeated && triesLeft > 1) return attempt(triesLeft - 1, !isEnough);
          return done({ set, quorum, outcome: { ...outcome, wasLive }, version });
        });
      });
    };
    attempt(REWRITES_MAX, false);
  }

  /** Reads from as many peers as wanted; gives those that lag behind what they lack. */
  read(
    key: string,
    wanted: number,
    target: ReadTarget,
    done: (read: Rests<ReadOutcome>) => void,
  ): void {
    const { ring } = this.#deps;
    const position = this.positionOf(key);
    const quorum = this.#quorum(wanted);
    const own = this.#readHere(position, target, quorum);
    if (own !== undefined) return done(own);
    let repaired = 0;
    const attempt = (isFresh: boolean): void => {
      this.#sets.find(position, isFresh, (set) => {
        if (set === undefined) return done({ set, quorum, outcome: undefined });
        const talk = readRecords(target, ring.view().self, set.peers, quorum);
        this.#talks.start(talk, (outcome) => {
          repaired += outcome.repaired;
          if (outcome.counted < quorum.required && !isFresh) return attempt(true);
          return done({ set, quorum, outcome: { ...outcome, repaired } });
        });
      });
    };
    attempt(false);
  }

  /** A read that needs one answer, which this peer has: without asking anyone, itself included. */
  #readHere(position: RingId, target: ReadTarget, quorum: Quorum): Rests<ReadOutcome> | undefined {
    if (quorum.required > 1 || this.#isSilent) return undefined;
    const set = this.#keeping.wholeSetFor(position);
    const records = set && this.#recordsHere(target);
    if (set === undefined || records === undefined) return undefined;
    const versions = target.kind === 'record' ? records.map(({ version }) => version) : [];
    const outcome = {
      asked: 1,
      answered: 1,
      counted: 1,
      records,
      versions,
      repaired: 0,
      damaged: 0,
    };
    return { set, quorum, outcome };
  }

  /** What the table has of a target; undefined when that is not said in one go. */
  #recordsHere(target: ReadTarget): readonly TableRecord[] | undefined {
    const { table } = this.#deps;
    if (target.kind === 'watched') return undefined;
    if (target.kind === 'holders') {
      const { items, next } = table.holders(target.key, undefined, HOLDERS_PAGE);
      return next === undefined ? items : undefined;
    }
    const record = table.read(target.id);
    if (record === 'damaged') return undefined;
    return record === undefined ? [] : [record];
  }

  /** Whether this peer speaks of no records now. */
  get #isSilent(): boolean {
    return this.#caretaker.oldRecords.isOutOfTouch || !this.#deps.ring.view().isMember;
  }

  /** Returns how to stop. */
  want(key: string, listener: WantListener): () => void {
    return this.#wants.add(key, listener);
  }

  /** Gives everything to those who will keep it once this peer is gone; tells whether they have it. */
  handAllOver(done: (isDone: boolean) => void): void {
    this.#isLeaving = true;
    this.#keeping.stopTaking();
    const { table, clock } = this.#deps;
    // What is on its way to the disk belongs to it.
    const begin = (): void => {
      this.#caretaker.handAllOver((isDone) => done(isDone && !this.#isCutOff));
    };
    table.write([], begin, clock.wallMs());
  }

  /** Alone, and others should be there. */
  get #isCutOff(): boolean {
    return this.#deps.ring.view().successors.length === 0 && this.#headcount.count > 1;
  }

  /** This peer does not leave after all. */
  stay(): void {
    this.#isLeaving = false;
    this.#keeping.takeAgain();
  }

  /** A member has left the ring by its own will. */
  departed(peer: PeerRef): void {
    this.#headcount.depart(peer);
  }

  positionOf(key: string): RingId {
    return positionOfKey(key, this.#deps.ring.ringSize);
  }

  #quorum(wanted: number): Quorum {
    if (this.#deps.ring.view() !== this.#countedIn) this.#countMembers();
    return quorumOf(wanted, this.#deps.limits.copies, this.#headcount.count);
  }

  #countMembers(): void {
    const { ring, clock } = this.#deps;
    const view = ring.view();
    this.#countedIn = view;
    if (!view.isMember) return;
    const { self, predecessor, successors } = view;
    const before = predecessor === undefined ? [] : [predecessor];
    this.#headcount.see([self, ...before, ...successors], clock.steadyMs());
  }

  // Questions

  /** A question of another peer. */
  asked(requestId: RequestId, from: PeerRef, question: TableQuestion): void {
    this.#answer(from, question, (answer) => {
      this.#deps.perform({ kind: 'answer', requestId, answer });
    });
  }

  answered(requestId: RequestId, answer: TableAnswer, elapsedMs: number): void {
    this.#talks.resume(requestId, { kind: 'answered', answer, elapsedMs });
  }

  unanswered(requestId: RequestId, elapsedMs: number): void {
    const ask = this.#talks.resume(requestId, { kind: 'unanswered', elapsedMs });
    if (ask === undefined) return;
    this.#sets.forget(ask.to);
    if (ask.question.kind === 'changed') this.#interests.drop(ask.question.record.key, ask.to);
  }

  #answer(from: PeerRef, question: TableQuestion, reply: (answer: TableAnswer) => void): void {
    const { ring, clock } = this.#deps;
    const isRefused = this.#isLeaving && question.kind === 'store';
    if (isRefused || !ring.view().isMember) return reply({ kind: 'not-member' });
    if (this.#caretaker.oldRecords.isOutOfTouch && SPEAKS_OF_RECORDS.has(question.kind)) {
      const standing = 'out-of-touch';
      const isVote = question.kind === 'lacking';
      return reply(
        isVote
          ? { kind: 'lacking', absent: [], older: [], newer: [], standing }
          : { kind: 'not-member' },
      );
    }
    switch (question.kind) {
      case 'changed':
        this.#versions.see(question.record.version, clock.wallMs());
        this.#wants.hear(question.record);
        return reply({ kind: 'noted' });
      case 'cover':
        this.#keeping.takeCover(question.set, question.isWhole);
        return reply({ kind: 'noted' });
      case 'describe-set': {
        this.#keeping.look();
        const set = this.#keeping.ownSet;
        return reply(set === undefined ? { kind: 'not-member' } : { kind: 'set', set });
      }
      default:
        this.#keeping.look();
        return this.#replica.answer(from, question, reply);
    }
  }

  #tell(record: TableRecord, peers: readonly PeerRef[]): void {
    for (const peer of peers) this.#talks.start(tell(peer, record), () => undefined);
  }

  #ask(to: PeerRef, question: TableQuestion): RequestId {
    const requestId = this.#nextRequestId;
    this.#nextRequestId += 1;
    this.#deps.perform({ kind: 'ask', requestId, to, question });
    return requestId;
  }
}

function* tell(to: PeerRef, record: TableRecord): TableTalk<boolean> {
  return answerOf(yield { to, question: { kind: 'changed', record } }, 'noted') !== undefined;
}
