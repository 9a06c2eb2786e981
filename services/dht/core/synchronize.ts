/**
 * Making two peers' copies of a part of the ring the same, with few questions (anti-entropy).
 *
 * Their hash trees are compared from large parts to small ones. Where they differ, and few records are
 * left on either side, the records' versions are listed, and whoever has the newer one gives it to the
 * other. Nothing is taken away: a record that only one side has is given to the other.
 */
import type { Ask } from '../../peer/core/conversation.js';
import type { PeerRef } from '../../peer/core/ring-space.js';
import { childrenOf, isSameDigest, LEAF_LEVEL, type MerkleTree, type TreePart } from './merkle.js';
import {
  answerOf,
  type StorePurpose,
  type TableQuestion,
  type TableAnswer,
  type TableHeard,
  type TableTalk,
} from './messages.js';
import { idText, type RecordId, type TableRecord } from './record.js';
import type { Span } from './span.js';
import type { Entry, Table } from './table.js';
import { compareVersions, type Version } from './version.js';

export type SyncOptions = {
  readonly self: PeerRef;
  readonly partner: PeerRef;
  readonly spans: readonly Span[];
  /** `push` gives and takes nothing, `pull` the reverse. */
  readonly direction: 'both' | 'push' | 'pull';
  readonly tree: MerkleTree;
  readonly table: Table;
};

export type SyncResult = {
  /** False when the partner was silent or refused: nothing is known then. */
  readonly isDone: boolean;
  /** Whether the partner had all of it before: what it lacked did not exist. */
  readonly wasPartnerWhole: boolean;
  /** Records given and taken. */
  readonly given: number;
  readonly taken: number;
};

/** Parts compared with one question. */
const PARTS_MAX = 256;
/** Where neither side has more records, they are listed instead of compared further. */
const LISTED_MAX = 256;
const LIST_PAGE = 1_000;
const LISTS_AT_ONCE = 16;
/** Of one question that carries records: so many, and so many bytes; one record more is no harm. */
export const BATCH_RECORDS_MAX = 256;
export const BATCH_BYTES_MAX = 256 * 1024;

export function* synchronize(options: SyncOptions): TableTalk<SyncResult> {
  const session = new Session(options);
  const isDone = yield* session.run();
  const { wasPartnerWhole, given, taken } = session;
  return { isDone, wasPartnerWhole: isDone && wasPartnerWhole, given, taken };
}

type Difference = {
  readonly part: TreePart;
  /** Records on this side and on the other. */
  readonly counts: readonly [number, number];
};

type ListedPage = {
  readonly span: Span;
  readonly entries: readonly Entry[];
  readonly next: string | undefined;
};

class Session {
  readonly #options: SyncOptions;
  wasPartnerWhole = true;
  given = 0;
  taken = 0;

  constructor(options: SyncOptions) {
    this.#options = options;
  }

  *run(): TableTalk<boolean> {
    const listed = yield* this.#findDifferences();
    if (listed === undefined) return false;
    for (const some of chunksOf(listed, LISTS_AT_ONCE)) {
      if (!(yield* this.#exchange(some))) return false;
    }
    return true;
  }

  /** Spans in which the copies differ; undefined when the partner does not say. */
  *#findDifferences(): TableTalk<readonly Span[] | undefined> {
    const { spans, tree } = this.#options;
    const covered = spans.map((span) => tree.partsOf(span));
    const listed = covered.flatMap(({ ends }) => ends);
    let parts: readonly TreePart[] = covered.flatMap((it) => it.parts);
    for (let isFirst = true; isFirst || parts.length > 0; isFirst = false) {
      const different = yield* this.#compare(parts);
      if (different === undefined) return undefined;
      // So few that it takes fewer questions to list them all.
      if (isFirst && different.count <= LISTED_MAX && different.parts.length > 0) return spans;
      listed.push(...different.parts.filter(isListed).flatMap(({ part }) => spanList(tree, part)));
      parts = different.parts.filter((it) => !isListed(it)).flatMap(({ part }) => childrenOf(part));
    }
    return listed;
  }

  /** The parts of these that differ, and how many records all of them have. */
  *#compare(
    parts: readonly TreePart[],
  ): TableTalk<{ readonly parts: readonly Difference[]; readonly count: number } | undefined> {
    const { spans, tree } = this.#options;
    const different: Difference[] = [];
    let count = 0;
    // Without parts, the partner is asked all the same whether it is whole.
    for (const some of parts.length === 0 ? [parts] : chunksOf(parts, PARTS_MAX)) {
      const answer = yield* this.#ask({ kind: 'compare', parts: some, spans }, 'digests');
      if (answer?.digests.length !== some.length) return undefined;
      this.wasPartnerWhole &&= answer.isWhole;
      for (const [index, part] of some.entries()) {
        const theirs = answer.digests[index];
        const mine = tree.digestOf(part);
        if (theirs === undefined) continue;
        count += Math.max(mine.count, theirs.count);
        if (!isSameDigest(mine, theirs))
          different.push({ part, counts: [mine.count, theirs.count] });
      }
    }
    return { parts: different, count };
  }

  /** Lists some spans on both sides, and gives and takes what is newer. */
  *#exchange(spans: readonly Span[]): TableTalk<boolean> {
    const theirs = new Map<string, Version>();
    const wanted: RecordId[] = [];
    let asks = spans.map((span) => ({ span, after: undefined as string | undefined }));
    while (asks.length > 0) {
      const pages = yield* this.#list(asks);
      if (pages === undefined) return false;
      for (const entry of pages.flatMap(({ entries }) => entries)) {
        theirs.set(idText(entry), entry.version);
        if (isNewerThan(entry.version, this.#options.table.entry(entry))) wanted.push(entry);
      }
      asks = pages.flatMap(({ span, next }) => (next === undefined ? [] : [{ span, after: next }]));
    }
    const { direction } = this.#options;
    for (const span of direction === 'pull' ? [] : spans) {
      if (!(yield* this.#giveAll(span, theirs))) return false;
    }
    return direction === 'push' || (yield* this.#takeAll(wanted));
  }

  /** One page of each list, asked for at once; undefined when one of them does not come. */
  *#list(
    lists: readonly { readonly span: Span; readonly after: string | undefined }[],
  ): TableTalk<readonly ListedPage[] | undefined> {
    const to = this.#options.partner;
    const spanOf = new Map<Ask<TableQuestion>, Span>();
    for (const list of lists) spanOf.set({ to, question: { kind: 'list', ...list } }, list.span);
    const pages: ListedPage[] = [];
    let asks = [...spanOf.keys()];
    while (pages.length < lists.length) {
      const heard: TableHeard = yield asks;
      asks = [];
      const answer = answerOf(heard, 'entries');
      const span = spanOf.get(heard.ask);
      if (answer === undefined || span === undefined) return undefined;
      pages.push({ span, entries: answer.entries, next: answer.next });
    }
    return pages;
  }

  *#giveAll(span: Span, theirs: ReadonlyMap<string, Version>): TableTalk<boolean> {
    const { table, partner } = this.#options;
    let after: string | undefined;
    do {
      const page = table.list(span.first, span.last, after, LIST_PAGE);
      const ids = page.items.filter((entry) => {
        const version = theirs.get(idText(entry));
        return version === undefined || compareVersions(version, entry.version) < 0;
      });
      const given = yield* give({ table, to: partner, ids, purpose: 'transfer' });
      if (given === undefined) return false;
      this.given += given;
      after = page.next;
    } while (after !== undefined);
    return true;
  }

  *#takeAll(wanted: readonly RecordId[]): TableTalk<boolean> {
    const { self } = this.#options;
    let rest = wanted;
    while (rest.length > 0) {
      const answer = yield* this.#ask(
        { kind: 'take', ids: rest.slice(0, BATCH_RECORDS_MAX) },
        'records',
      );
      if (answer === undefined || answer.looked === 0) return false;
      rest = rest.slice(answer.looked);
      if (answer.records.length === 0) continue;
      const { records } = answer;
      const stored = yield {
        to: self,
        question: { kind: 'store', records, purpose: 'transfer' },
      };
      if (answerOf(stored, 'stored') === undefined) return false;
      this.taken += records.length;
    }
    return true;
  }

  *#ask<Kind extends TableAnswer['kind']>(
    question: TableQuestion,
    kind: Kind,
  ): TableTalk<Extract<TableAnswer, { kind: Kind }> | undefined> {
    return answerOf(yield { to: this.#options.partner, question }, kind);
  }
}

export type GiveOptions = {
  readonly table: Table;
  readonly to: PeerRef;
  readonly ids: readonly RecordId[];
  readonly purpose: StorePurpose;
};

/** Sends records in batches; returns how many, undefined when the peer did not take them. */
export function* give({ table, to, ids, purpose }: GiveOptions): TableTalk<number | undefined> {
  let given = 0;
  let rest = ids;
  while (rest.length > 0) {
    const { records, looked } = collect(table, rest);
    rest = rest.slice(looked);
    if (records.length === 0) continue;
    const heard = yield { to, question: { kind: 'store', records, purpose } };
    if (answerOf(heard, 'stored') === undefined) return undefined;
    given += records.length;
  }
  return given;
}

/** As many of the records as fit into one message; those that are gone or damaged are left out. */
export function collect(
  table: Table,
  ids: readonly RecordId[],
): { readonly records: readonly TableRecord[]; readonly looked: number } {
  const records: TableRecord[] = [];
  let bytes = 0;
  let looked = 0;
  for (const id of ids.slice(0, BATCH_RECORDS_MAX)) {
    looked += 1;
    const record = table.read(id);
    if (record === undefined || record === 'damaged') continue;
    records.push(record);
    bytes += sizeOf(record);
    if (bytes >= BATCH_BYTES_MAX) break;
  }
  return { records, looked };
}

function sizeOf({ key, address, content }: TableRecord): number {
  const valueBytes = content.kind === 'value' ? content.bytes.length : 0;
  return key.length + (address?.length ?? 0) + valueBytes + 64;
}

function isNewerThan(version: Version, mine: Entry | undefined): boolean {
  return mine === undefined || compareVersions(version, mine.version) > 0;
}

/** Whether to list a part rather than look into it further. */
function isListed({ part, counts: [mine, theirs] }: Difference): boolean {
  const isOneSided = mine === 0 || theirs === 0;
  return part.level === LEAF_LEVEL || isOneSided || Math.max(mine, theirs) <= LISTED_MAX;
}

function spanList(tree: MerkleTree, part: TreePart): readonly Span[] {
  const span = tree.spanOf(part);
  return span === undefined ? [] : [span];
}

function* chunksOf<Item>(items: readonly Item[], size: number): Generator<readonly Item[]> {
  for (let first = 0; first < items.length; first += size) yield items.slice(first, first + size);
}
