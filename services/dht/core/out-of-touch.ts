/**
 * What a peer does with its records when it was out of touch for so long that deletions may have been
 * forgotten meanwhile: the tombstone is collected, and its old copy would bring the dead back.
 *
 * It asks those who keep the same records. What one of them has in a newer version it drops at once,
 * whatever that one's word is worth otherwise: the newer one may be a tombstone, and collected before
 * the rest is settled. What they lack who have everything was deleted: it drops that too. What one of
 * them has as well, it keeps; and the rest, when there is nobody who has everything: they were all away
 * like itself, and nobody has collected anything. Until that is settled for all of them, it speaks of
 * none.
 */
import type { PeerRef, RingId } from '../../peer/core/ring-space.js';
import { answerOf, type Claim, type RingAccess, type TableTalk } from './messages.js';
import type { ReplicaSet, Replication } from './replica-set.js';
import { isInRange } from './span.js';
import type { Entry, Page, Table } from './table.js';
import type { TableClock } from './table-clock.js';

export type ForgottenOptions = {
  /** Records of one replica set. */
  readonly entries: readonly Entry[];
  /** The others who keep them. */
  readonly keepers: readonly PeerRef[];
};

export type Forgotten = {
  /** What may be forgotten, whatever becomes of the others. */
  readonly claims: readonly Claim[];
  /** What the word on the others is worth: it settles them; somebody did not say; nobody has everything. */
  readonly word: 'settled' | 'somebody-silent' | 'nobody-whole';
};

export function* findForgotten({ entries, keepers }: ForgottenOptions): TableTalk<Forgotten> {
  const claims = entries.map((entry): Claim => ({ id: entry, version: entry.version }));
  const lackedBy = claims.map(() => 0);
  const outdated = new Set<number>();
  let votes = 0;
  let silent = 0;
  for (const to of keepers) {
    const answer = answerOf(yield { to, question: { kind: 'lacking', claims } }, 'lacking');
    if (answer === undefined) silent += 1;
    for (const index of answer?.newer ?? []) outdated.add(index);
    if (answer?.standing !== 'whole') continue;
    votes += 1;
    for (const index of answer.absent) lackedBy[index] = (lackedBy[index] ?? 0) + 1;
  }
  const isDeleted = (index: number): boolean => votes > 0 && lackedBy[index] === votes;
  const undecided = silent > 0 ? 'somebody-silent' : 'nobody-whole';
  return {
    claims: claims.filter((_, index) => outdated.has(index) || isDeleted(index)),
    word: votes > 0 ? 'settled' : undecided,
  };
}

export type OldRecordsDeps = {
  readonly ring: RingAccess;
  readonly limits: Pick<Replication, 'copies'> & { readonly graceMs: number };
  readonly table: Table;
  readonly clock: TableClock;
  readonly start: <Result>(talk: TableTalk<Result>, done: (result: Result) => void) => void;
  readonly findSet: (position: RingId, done: (set: ReplicaSet | undefined) => void) => void;
  readonly drop: (claims: readonly Claim[], done: (dropped: number) => void) => void;
};

const RETRY_MS = 1_000;
const PAGE = 256;
/** What can't be settled for so long is kept, */
const UNSETTLED_MS_MAX = 15 * 60 * 1_000;
/** and what nobody has everything of for so long. Others may still be getting it. */
const NOBODY_WHOLE_MS = 10_000;

/** Knows whether this peer is out of touch, and ends that. */
export class OldRecords {
  readonly #deps: OldRecordsDeps;
  #inTouchAtMs: number;
  #isOutOfTouch = false;
  /** Since when it has asked: as a member, for nobody else is given an answer. */
  #sinceMs: number | undefined;
  #isBusy = false;
  #nextAtMs = 0;
  /** The next ones: from this position on, behind this page. */
  #from = 0;
  #after: string | undefined;

  constructor(deps: OldRecordsDeps) {
    this.#deps = deps;
    this.#inTouchAtMs = deps.clock.wallMs();
  }

  /** When all of this peer's records were last known to be as the others have them. */
  get inTouchAtMs(): number {
    return this.#inTouchAtMs;
  }

  get isOutOfTouch(): boolean {
    return this.#isOutOfTouch;
  }

  /**
   * Before the first tick: when this peer was in touch last, in a life before this one. After half of
   * the grace period it must not take its old records for granted: clocks differ.
   */
  wasInTouchAt(ms: number): void {
    const { clock, limits } = this.#deps;
    this.#inTouchAtMs = ms;
    this.#isOutOfTouch = clock.wallMs() - ms >= limits.graceMs / 2;
  }

  /** Whether a record is older than half of the grace period: its deletion may be forgotten soon. */
  isOld({ version }: Entry): boolean {
    const { clock, limits } = this.#deps;
    return version.wallMs <= clock.wallMs() - limits.graceMs / 2;
  }

  /**
   * Whether a record that is not this peer's to keep may have been deleted and collected while it was
   * here: when it was not in touch for the whole grace period. A deletion is later than what it deletes,
   * so nothing younger was; and who has nothing of that may simply not have been given it yet.
   */
  isForgettable({ version }: Entry): boolean {
    const { clock, limits } = this.#deps;
    const sinceMs = clock.wallMs() - limits.graceMs;
    return this.#inTouchAtMs <= sinceMs && version.wallMs <= sinceMs;
  }

  /** This peer has all that it should, and nothing that others should have. */
  comeInTouch(): void {
    this.#isOutOfTouch = false;
    this.#inTouchAtMs = this.#deps.clock.wallMs();
  }

  /** Settles the next old records, a few of one replica set at a time. */
  tick(): void {
    const { table, ring, findSet, clock } = this.#deps;
    const nowMs = clock.steadyMs();
    const sinceMs = (this.#sinceMs ??= nowMs);
    if (this.#isBusy || nowMs < this.#nextAtMs) return;
    const page = table.list(this.#from, ring.ringSize - 1, this.#after, PAGE);
    const [first] = page.items;
    if (first === undefined || nowMs >= sinceMs + UNSETTLED_MS_MAX) {
      return this.comeInTouch();
    }
    this.#isBusy = true;
    findSet(first.position, (set) => {
      this.#isBusy = false;
      this.#nextAtMs = nowMs + RETRY_MS;
      if (set !== undefined) this.#settle(set, page, nowMs < sinceMs + NOBODY_WHOLE_MS);
    });
  }

  #settle({ range, peers }: ReplicaSet, { items, next }: Page<Entry>, isEarly: boolean): void {
    const { limits, ring, start, drop } = this.#deps;
    const { ringId: self } = ring.view().self;
    const keepers = peers.slice(0, limits.copies).filter(({ ringId }) => ringId !== self);
    const end = items.findIndex(({ position }) => !isInRange(position, range));
    const ofSet = end === -1 ? items : items.slice(0, end);
    const entries = ofSet.filter((entry) => this.isOld(entry));
    this.#isBusy = true;
    start(findForgotten({ entries, keepers }), ({ claims, word }) => {
      this.#isBusy = false;
      if (claims.length > 0) drop(claims, () => undefined);
      if (word === 'somebody-silent' || (word === 'nobody-whole' && isEarly)) return;
      this.#nextAtMs = 0;
      this.#from = items[end]?.position ?? this.#from;
      this.#after = end === -1 ? next : undefined;
      if (end === -1 && next === undefined) this.comeInTouch();
    });
  }
}
