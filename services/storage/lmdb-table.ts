/**
 * The table on disk: one LMDB database in one directory, used by one process.
 *
 * Writes that are handed over while a commit is under way, or in the same turn of the event loop,
 * share one transaction and one flush to disk. Only one transaction is under way at a time and
 * nobody else writes, so what is on disk is what the next one begins with.
 *
 * `batch` is atomic as long as nothing calls a synchronous transaction meanwhile, for which lmdb
 * would commit the half that it has; none is called once the table is open. And lmdb carries out the
 * other half of a batch when one `put` in it throws, so nothing may throw there: what can throw is
 * done before.
 *
 * The rows of records and entries are in `table-rows.ts`. The row `m` is the format of the database,
 * u8, then ring size, number of records and their bytes, 3 × f64, and the CRC-32 of all this, u32.
 */
import { crc32 } from 'node:zlib';
import { KEY_BYTES_MAX, isLive, type RecordId, type TableRecord } from '../dht/core/record.js';
import { entryOf, idOf, type TableRoom } from '../dht/core/settle.js';
import type {
  Entry,
  Page,
  StoredValue,
  Table,
  TableSize,
  Write,
  Written,
} from '../dht/core/table.js';
import { positionOfKey } from '../hash/core/digest.js';
import type { RingId } from '../peer/core/ring-space.js';
import { turnEnd } from '../system/turn.js';
import { openEnvironment, type LmdbDatabase } from './lmdb-environment.js';
import { TableBatch, type RowChange, type Step } from './table-batch.js';
import {
  decodeEntry,
  decodeRecord,
  entryKeyOf,
  holdersEndOf,
  holdersPrefixOf,
  isEntryKey,
  keyIn,
  positionIn,
  positionPrefixOf,
  recordKeyOf,
  rowKeyOf,
  valuesPrefixOf,
} from './table-rows.js';

const PAGE_BYTES = 4096;
const META_KEY = Buffer.from('m');
const META_BYTES = 1 + 3 * 8 + 4;
const META_CHECKSUM_OFFSET = META_BYTES - 4;
const FORMAT = 1;
/** One transaction takes no more calls than this, */
const BATCH_CALLS_MAX = 512;
/** As few are never cut in two. */
const BATCH_CALLS_MIN = 24;
/** and ends with the call that brings it to so many bytes of values. */
const BATCH_BYTES_MAX = 8 * 2 ** 20;
/** Longer than every row key: a bound is cut here, which does not change what lies behind it. */
const BOUND_BYTES_MAX = 2 * KEY_BYTES_MAX;
/** How many rows `values` looks at for each one that it may return. */
const LOOKS_PER_VALUE = 10;

export type LmdbTableOptions = TableRoom & {
  readonly ringSize: number;
  /** How long a dead record is kept. */
  readonly graceMs: number;
};

export type LmdbTable = Table & {
  /** Waits for the writes under way, then lets go of the directory. Harmless when repeated. */
  close(): Promise<void>;
};

type Done = Parameters<Table['write']>[1];
type Call = {
  readonly steps: readonly Step[];
  readonly done: Done;
  readonly nowMs: number;
};
type Row = { readonly key: Buffer; readonly value: Buffer };
type Looked<Item> = { readonly item: Item | undefined; readonly next: string };

/**
 * Opens the table in a directory and creates what is missing. Throws an `Error` that names the
 * directory when it can't be read or written, or holds something else, or the records of a ring of
 * another size. The caller holds the lock of the directory (`data-dir.ts`).
 */
export async function openLmdbTable(
  directory: string,
  options: LmdbTableOptions,
): Promise<LmdbTable> {
  try {
    const database = openEnvironment(directory, PAGE_BYTES);
    try {
      return new OpenTable(database, options, sizeIn(database, options.ringSize));
    } catch (thrown) {
      await database.close();
      throw thrown;
    }
  } catch (cause) {
    throw new Error(`cannot open the table in ${directory}: ${messageOf(cause)}`, { cause });
  }
}

class OpenTable implements LmdbTable {
  readonly #database: LmdbDatabase;
  readonly #options: LmdbTableOptions;
  #size: TableSize;
  #queue: Call[] = [];
  /** Settles when the queue has run empty; undefined when it is. */
  #draining: Promise<void> | undefined;
  #closing: Promise<void> | undefined;

  constructor(database: LmdbDatabase, options: LmdbTableOptions, size: TableSize) {
    this.#database = database;
    this.#options = options;
    this.#size = size;
  }

  get size(): TableSize {
    return this.#size;
  }

  read(id: RecordId): TableRecord | 'damaged' | undefined {
    this.#assertOpen();
    const rowKey = rowKeyOf(id);
    const row = this.#database.get(rowKey);
    return row && decodeRecord(rowKey, row);
  }

  entry(id: RecordId): Entry | undefined {
    this.#assertOpen();
    const key = entryKeyOf(positionOfKey(id.key, this.#options.ringSize), rowKeyOf(id));
    const value = this.#database.get(key);
    return value && this.#entryIn({ key, value });
  }

  list(first: RingId, last: RingId, after: string | undefined, limit: number): Page<Entry> {
    const rows = this.#rows(positionPrefixOf(first), after);
    return pageOf(rows, { limit, looksMax: limit }, (row) => {
      if (!isEntryKey(row.key) || positionIn(row.key) > last) return undefined;
      return { item: this.#entryIn(row), next: tokenOf(row.key) };
    });
  }

  holders(key: string, after: string | undefined, limit: number): Page<TableRecord> {
    const prefix = holdersPrefixOf(key);
    return pageOf(
      this.#rows(prefix, after, holdersEndOf(prefix)),
      { limit, looksMax: limit },
      (row) => {
        if (!startsWith(row.key, prefix)) return undefined;
        const record = decodeRecord(row.key, row.value);
        return { item: record === 'damaged' ? undefined : record, next: tokenOf(row.key) };
      },
    );
  }

  values(
    prefix: string,
    after: string | undefined,
    limit: number,
    nowMs: number,
  ): Page<StoredValue> {
    const prefixBytes = valuesPrefixOf(prefix);
    const behind = after === undefined ? undefined : tokenOf(valuesPrefixOf(after));
    const looksMax = limit * LOOKS_PER_VALUE;
    return pageOf(this.#rows(prefixBytes, behind), { limit, looksMax }, ({ key, value }) => {
      if (!startsWith(key, prefixBytes)) return undefined;
      return { item: storedValueOf(decodeRecord(key, value), nowMs), next: keyIn(key) };
    });
  }

  write(writes: readonly Write[], done: Done, nowMs: number): void {
    const steps = writes.map((write) => ({ write, rowKey: rowKeyOf(idOf(write)) }));
    if (this.#closing !== undefined) {
      queueMicrotask(() => done(closedError()));
      return;
    }
    this.#queue.push({ steps, done, nowMs });
    this.#draining ??= this.#drain();
  }

  async close(): Promise<void> {
    this.#closing ??= (this.#draining ?? Promise.resolve()).then(() => this.#database.close());
    await this.#closing;
  }

  async #drain(): Promise<void> {
    do {
      await turnEnd();
      const calls = this.#takeCalls();
      const written = await this.#commit(calls);
      for (const [index, { done }] of calls.entries()) {
        done(written instanceof Error ? written : (written[index] ?? []));
      }
    } while (this.#queue.length > 0);
    this.#draining = undefined;
  }

  /**
   * The calls of the next transaction, at least one. Of many that wait, half: callers who wait for
   * theirs go on while the rest is written, instead of all at the same time, again and again.
   */
  #takeCalls(): readonly Call[] {
    const half = Math.ceil(this.#queue.length / 2);
    const callsMax = Math.min(BATCH_CALLS_MAX, Math.max(BATCH_CALLS_MIN, half));
    let bytes = 0;
    const end = this.#queue.findIndex(({ steps }, index) => {
      if (index === callsMax || bytes >= BATCH_BYTES_MAX) return true;
      for (const { write } of steps) bytes += valueBytesOf(write);
      return false;
    });
    return this.#queue.splice(0, end === -1 ? this.#queue.length : end);
  }

  /** Returns how every write of every call ended, or why the transaction failed. */
  async #commit(calls: readonly Call[]): Promise<readonly (readonly Written[])[] | Error> {
    try {
      const batch = new TableBatch(this.#options, this.#size, (key) => this.#database.get(key));
      const written = calls.map(({ steps, nowMs }) =>
        steps.map((step) => batch.apply(step, nowMs)),
      );
      const rows = batch.rows();
      if (rows.length > 0) await this.#put(rows, metaRowOf(this.#options.ringSize, batch.size));
      this.#size = batch.size;
      return written;
    } catch (thrown) {
      return await commitErrorOf(thrown);
    }
  }

  async #put(rows: readonly RowChange[], metaRow: Buffer): Promise<void> {
    await this.#database.batch(() => {
      for (const { key, row } of rows) {
        if (row === undefined) void this.#database.remove(key);
        else void this.#database.put(key, row);
      }
      void this.#database.put(META_KEY, metaRow);
    });
  }

  /**
   * Yields the rows at and behind a bound, or behind the one that a token names; before `end`, so that
   * what stands there, which may be large, is not even read.
   */
  *#rows(bound: Buffer, after: string | undefined, end?: Buffer): Generator<Row> {
    this.#assertOpen();
    const behind = after === undefined ? undefined : rowKeyIn(after);
    const start = behind !== undefined && behind.compare(bound) > 0 ? behind : bound;
    const range = { start: start.subarray(0, BOUND_BYTES_MAX), ...(end && { end }) };
    for (const row of this.#database.getRange(range)) {
      if (behind === undefined || !behind.equals(row.key)) yield row;
    }
  }

  /** Answers from the record when the entry is damaged. */
  #entryIn({ key, value }: Row): Entry | undefined {
    const entry = decodeEntry(key, value);
    if (entry !== 'damaged') return entry;
    const rowKey = recordKeyOf(key);
    const row = this.#database.get(rowKey);
    const record = row === undefined ? 'damaged' : decodeRecord(rowKey, row);
    return record === 'damaged' ? undefined : entryOf(record, positionIn(key));
  }

  #assertOpen(): void {
    if (this.#closing !== undefined) throw closedError();
  }
}

/** Takes rows until the page is full, or `look` says that it has seen the last one. */
function pageOf<Item>(
  rows: Iterable<Row>,
  { limit, looksMax }: { readonly limit: number; readonly looksMax: number },
  look: (row: Row) => Looked<Item> | undefined,
): Page<Item> {
  const items: Item[] = [];
  let looks = 0;
  let next: string | undefined;
  for (const row of rows) {
    const looked = look(row);
    if (looked === undefined) break;
    if (items.length === limit || looks === looksMax) return { items, next };
    if (looked.item !== undefined) items.push(looked.item);
    looks += 1;
    next = looked.next;
  }
  return { items, next: undefined };
}

function storedValueOf(record: TableRecord | 'damaged', nowMs: number): StoredValue | undefined {
  if (record === 'damaged' || record.content.kind !== 'value' || !isLive(record, nowMs)) {
    return undefined;
  }
  const { key, version, content, expiresAtMs } = record;
  return { key, sizeBytes: content.bytes.length, version, expiresAtMs };
}

function valueBytesOf(write: Write): number {
  return write.kind === 'merge' && write.record.content.kind === 'value'
    ? write.record.content.bytes.length
    : 0;
}

function startsWith(bytes: Buffer, prefix: Buffer): boolean {
  return prefix.equals(bytes.subarray(0, prefix.length));
}

function tokenOf(rowKey: Buffer): string {
  return rowKey.toString('base64url');
}

function rowKeyIn(token: string): Buffer {
  return Buffer.from(token, 'base64url');
}

/** Returns the size that the database states. Throws when it is none of ours, or of another ring. */
function sizeIn(database: LmdbDatabase, ringSize: number): TableSize {
  const meta = database.get(META_KEY);
  if (meta === undefined && database.getKeysCount({ limit: 1 }) === 0) {
    const size = { records: 0, bytes: 0 };
    database.putSync(META_KEY, metaRowOf(ringSize, size));
    return size;
  }
  if (meta?.length !== META_BYTES || meta.readUInt8() !== FORMAT) {
    throw new Error('it holds a database of another program or version');
  }
  if (meta.readUInt32BE(META_CHECKSUM_OFFSET) !== checksumOf(meta)) {
    throw new Error('its row about the table is damaged');
  }
  const theirs = meta.readDoubleBE(1);
  if (theirs !== ringSize) {
    throw new Error(`it holds records of a ring of size ${theirs}, not ${ringSize}`);
  }
  return { records: meta.readDoubleBE(9), bytes: meta.readDoubleBE(17) };
}

function metaRowOf(ringSize: number, { records, bytes }: TableSize): Buffer {
  const meta = Buffer.alloc(META_BYTES);
  meta.writeUInt8(FORMAT);
  meta.writeDoubleBE(ringSize, 1);
  meta.writeDoubleBE(records, 9);
  meta.writeDoubleBE(bytes, 17);
  meta.writeUInt32BE(checksumOf(meta), META_CHECKSUM_OFFSET);
  return meta;
}

function checksumOf(meta: Buffer): number {
  return crc32(meta.subarray(0, META_CHECKSUM_OFFSET));
}

/** What lmdb says of a failed commit, or else what was thrown. */
async function commitErrorOf(thrown: unknown): Promise<Error> {
  const cause = await causeOf(thrown);
  return new Error(`the table can't be written: ${messageOf(cause)}`, { cause });
}

/** lmdb rejects with an error that carries a promise, which rejects with the reason. */
async function causeOf(thrown: unknown): Promise<unknown> {
  if (!(thrown instanceof Error) || !('commitError' in thrown)) return thrown;
  try {
    return await thrown.commitError;
  } catch (reason) {
    return reason;
  }
}

function closedError(): Error {
  return new Error('the table is closed');
}

function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
