/**
 * What a peer answers about its own copies. Everything it keeps goes through here: the hash tree and
 * those who wait for a key hear of each change once it is on disk.
 */
import { positionOfKey } from '../../hash/core/digest.js';
import type { PeerRef, RingId } from '../../peer/core/ring-space.js';
import type { Interests } from './interests.js';
import type { MerkleTree } from './merkle.js';
import type { Claim, StoredResult, StorePurpose, TableAnswer, TableQuestion } from './messages.js';
import type { TableRecord } from './record.js';
import type { Span } from './span.js';
import type { TableStats } from './stats.js';
import type { TableClock } from './table-clock.js';
import { collect } from './synchronize.js';
import type { Table, Write, Written } from './table.js';
import { compareVersions, isTooFarAhead, type HybridClock } from './version.js';

export type ReplicaDeps = {
  readonly ringSize: number;
  readonly table: Table;
  readonly tree: MerkleTree;
  readonly versions: HybridClock;
  readonly interests: Interests;
  readonly stats: TableStats;
  readonly clock: TableClock;
  /** Whether this peer has all records of these spans. */
  readonly isWhole: (spans: readonly Span[]) => boolean;
  readonly isWholeAt: (position: RingId) => boolean;
  /** A value is on disk that was not there before; these nodes want to hear of it. */
  readonly tell: (record: TableRecord, peers: readonly PeerRef[]) => void;
};

/** Questions about the copies; who keeps which is for the caretaker. */
export type ReplicaQuestion = Exclude<
  TableQuestion,
  { kind: 'changed' | 'describe-set' | 'cover' }
>;

type Reply = (answer: TableAnswer) => void;

const LISTED_MAX = 1_000;
/** Holders in one answer. */
export const HOLDERS_PAGE = 256;

export class Replica {
  readonly #deps: ReplicaDeps;

  constructor(deps: ReplicaDeps) {
    this.#deps = deps;
  }

  /** Calls `reply` once, at once or when the disk is done. */
  answer(from: PeerRef, question: ReplicaQuestion, reply: Reply): void {
    switch (question.kind) {
      case 'store':
        return this.#store(question.records, question.purpose, reply);
      case 'drop':
        return this.drop(question.claims, () => reply({ kind: 'noted' }));
      case 'watch':
        this.#deps.interests.add(question.key, from, this.#deps.clock.steadyMs());
        return reply(this.#fetch({ key: question.key, address: undefined }, question.known));
      case 'fetch':
        return reply(this.#fetch(question.id, question.known));
      default:
        return reply(this.#answerAtOnce(question));
    }
  }

  /** Takes these out of the table, where they still have these versions. */
  drop(claims: readonly Claim[], done: (dropped: number) => void): void {
    const writes = claims.map(({ id, version }): Write => ({ kind: 'drop', id, version }));
    this.#write(writes, (written) => {
      const dropped = written?.filter((it) => isChange(it) && it.after === undefined);
      done(dropped?.length ?? 0);
    });
  }

  #answerAtOnce(
    question: Exclude<ReplicaQuestion, { kind: 'store' | 'drop' | 'watch' | 'fetch' }>,
  ): TableAnswer {
    const { table, tree } = this.#deps;
    switch (question.kind) {
      case 'fetch-holders': {
        const { items, next } = table.holders(question.key, question.after, HOLDERS_PAGE);
        const isWhole = this.#isWholeFor(question.key);
        return { kind: 'holders', records: items, next, isWhole };
      }
      case 'compare': {
        const digests = question.parts.map((part) => tree.digestOf(part));
        return { kind: 'digests', digests, isWhole: this.#deps.isWhole(question.spans) };
      }
      case 'list': {
        const { first, last } = question.span;
        const { items, next } = table.list(first, last, question.after, LISTED_MAX);
        return { kind: 'entries', entries: items, next };
      }
      case 'take':
        return { kind: 'records', ...collect(table, question.ids) };
      case 'lacking': {
        const order = question.claims.map((claim) => this.#compareWith(claim));
        const absent = indexesOf(order, (it) => it === undefined);
        const older = indexesOf(order, (it) => it !== undefined && it < 0);
        const newer = indexesOf(order, (it) => it !== undefined && it > 0);
        const isWhole = question.claims.every(({ id }) => this.#isWholeFor(id.key));
        return { kind: 'lacking', absent, older, newer, standing: isWhole ? 'whole' : 'partial' };
      }
    }
  }

  #fetch(
    id: { readonly key: string; readonly address: string | undefined },
    known: TableRecord['version'] | undefined,
  ): TableAnswer {
    const found = this.#deps.table.read(id);
    const isSame =
      known !== undefined &&
      typeof found === 'object' &&
      compareVersions(found.version, known) === 0;
    return {
      kind: 'fetched',
      record: isSame ? 'same' : found,
      isWhole: this.#isWholeFor(id.key),
    };
  }

  #isWholeFor(key: string): boolean {
    return this.#deps.isWholeAt(positionOfKey(key, this.#deps.ringSize));
  }

  /** Below 0 when this peer has an older version, above 0 when a newer one; undefined when none. */
  #compareWith({ id, version }: Claim): number | undefined {
    const mine = this.#deps.table.entry(id);
    return mine && compareVersions(mine.version, version);
  }

  #store(records: readonly TableRecord[], purpose: StorePurpose, reply: Reply): void {
    const { clock, versions, stats } = this.#deps;
    const nowMs = clock.wallMs();
    if (records.some(({ version }) => isTooFarAhead(version, nowMs))) {
      return reply({ kind: 'ahead' });
    }
    for (const { version } of records) versions.see(version, nowMs);
    const writes = records.map((record): Write => ({ kind: 'merge', record }));
    this.#write(writes, (written) => {
      if (written === undefined) return reply({ kind: 'disk-failed' });
      stats.stored(purpose, written.filter(isChange).length);
      this.#tellOfChanges(records, written);
      reply(storedAnswer(records, written));
    });
  }

  #write(writes: readonly Write[], done: (written: readonly Written[] | undefined) => void): void {
    const { table, tree, clock } = this.#deps;
    table.write(
      writes,
      (written) => {
        if (written instanceof Error) return done(undefined);
        for (const it of written) {
          if (!isChange(it)) continue;
          if (it.before !== undefined) tree.remove(it.before);
          if (it.after !== undefined) tree.add(it.after);
        }
        done(written);
      },
      clock.wallMs(),
    );
  }

  #tellOfChanges(records: readonly TableRecord[], written: readonly Written[]): void {
    const { interests, clock, tell } = this.#deps;
    for (const [index, it] of written.entries()) {
      const record = records[index];
      if (record === undefined || record.address !== undefined || !isChange(it)) continue;
      const peers = interests.of(record.key, clock.steadyMs());
      if (peers.length > 0) tell(record, peers);
    }
  }
}

type Kept = Extract<Written, { kind: 'kept' }>;

function isChange(written: Written): written is Kept {
  if (written.kind !== 'kept') return false;
  const { before, after } = written;
  if (before === undefined || after === undefined) return before !== after;
  return compareVersions(before.version, after.version) !== 0;
}

function indexesOf(
  order: readonly (number | undefined)[],
  isMeant: (it: number | undefined) => boolean,
): readonly number[] {
  return order.flatMap((it, index) => (isMeant(it) ? [index] : []));
}

function storedAnswer(records: readonly TableRecord[], written: readonly Written[]): TableAnswer {
  const results: StoredResult[] = [];
  for (const [index, it] of written.entries()) {
    const record = records[index];
    if (it.kind === 'full' || record === undefined) return { kind: 'full' };
    results.push({ version: it.after?.version ?? record.version, wasLive: it.wasLive });
  }
  return { kind: 'stored', results };
}
