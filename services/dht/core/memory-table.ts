/**
 * The table of tests, of the simulator and of `--ephemeral`: keeps nothing beyond the process.
 *
 * Ids are held as byte strings: one character, U+0000 to U+00FF, for each byte. JavaScript compares
 * those in the order that the contract asks for.
 *
 * | byte string                           | stands for              |
 * | ------------------------------------- | ----------------------- |
 * | `v` key                               | the value of a key      |
 * | `h` key 0xFF address                  | one holder of a key     |
 * | position in 14 hex digits, one of the above | the same, by position |
 *
 * 0xFF never occurs in UTF-8, so no key with its separator is the beginning of another one.
 */
import { positionOfKey } from '../../hash/core/digest.js';
import type { RingId } from '../../peer/core/ring-space.js';
import { isLive, type RecordId, type TableRecord } from './record.js';
import { addSizes, entryOf, hasRoom, idOf, settle, writtenOf, type TableRoom } from './settle.js';
import { SortedKeys } from './sorted-keys.js';
import type { Entry, Page, StoredValue, Table, TableSize, Write, Written } from './table.js';

/** What a row takes beside its key, address and value. */
const ROW_BYTES = 64;
const POSITION_DIGITS = 14;
const SEPARATOR = '\u00FF';
/** How many rows `values` looks at for each one that it may return. */
const LOOKS_PER_VALUE = 10;

export type MemoryTableOptions = TableRoom & {
  readonly ringSize: number;
  readonly graceMs: number;
  /** Calls later, never at once, and in the order of the calls. */
  readonly later: (act: () => void) => void;
};

export class MemoryTable implements Table {
  readonly #options: MemoryTableOptions;
  readonly #records = new Map<string, TableRecord>();
  readonly #ids = new SortedKeys();
  readonly #positions = new SortedKeys();
  #size: TableSize = { records: 0, bytes: 0 };

  constructor(options: MemoryTableOptions) {
    this.#options = options;
  }

  get size(): TableSize {
    return this.#size;
  }

  read(id: RecordId): TableRecord | undefined {
    return this.#records.get(byteStringOf(id));
  }

  list(first: RingId, last: RingId, after: string | undefined, limit: number): Page<Entry> {
    const lowest = digitsOf(first);
    const highest = digitsOf(last);
    const from = after !== undefined && after > lowest ? after : lowest;
    const items: Entry[] = [];
    let latest: string | undefined;
    for (const positioned of this.#positions.from(from)) {
      const digits = positioned.slice(0, POSITION_DIGITS);
      if (digits > highest) break;
      if (positioned === after) continue;
      if (items.length === limit) return { items, next: latest };
      const record = this.#records.get(positioned.slice(POSITION_DIGITS));
      if (record !== undefined) items.push(entryOf(record, Number.parseInt(digits, 16)));
      latest = positioned;
    }
    return { items, next: undefined };
  }

  holders(key: string, after: string | undefined, limit: number): Page<TableRecord> {
    const prefix = `h${bytesOf(key)}${SEPARATOR}`;
    const items: TableRecord[] = [];
    let latest: string | undefined;
    for (const id of this.#ids.from(after !== undefined && after > prefix ? after : prefix)) {
      if (!id.startsWith(prefix)) break;
      if (id === after) continue;
      if (items.length === limit) return { items, next: latest };
      const record = this.#records.get(id);
      if (record !== undefined) items.push(record);
      latest = id;
    }
    return { items, next: undefined };
  }

  values(
    prefix: string,
    after: string | undefined,
    limit: number,
    nowMs: number,
  ): Page<StoredValue> {
    const lowest = `v${bytesOf(prefix)}`;
    const behind = after === undefined ? undefined : `v${bytesOf(after)}`;
    const items: StoredValue[] = [];
    let looks = 0;
    let latest: string | undefined;
    for (const id of this.#ids.from(behind !== undefined && behind > lowest ? behind : lowest)) {
      if (!id.startsWith(lowest)) break;
      if (id === behind) continue;
      if (items.length === limit || looks === limit * LOOKS_PER_VALUE) {
        return { items, next: latest };
      }
      const record = this.#records.get(id);
      if (record !== undefined && isLive(record, nowMs)) items.push(...storedValueOf(record));
      looks += 1;
      latest = record?.key;
    }
    return { items, next: undefined };
  }

  write(
    writes: readonly Write[],
    done: (written: readonly Written[]) => void,
    nowMs: number,
  ): void {
    this.#options.later(() => done(writes.map((write) => this.#apply(write, nowMs))));
  }

  #apply(write: Write, nowMs: number): Written {
    const { ringSize, graceMs } = this.#options;
    const id = byteStringOf(idOf(write));
    const position = positionOfKey(idOf(write).key, ringSize);
    const before = this.#records.get(id);
    const { after, changes } = settle(before, write, { nowMs, graceMs });
    if (changes) {
      const growth = growthOf(id, before, after);
      if (!hasRoom(this.#size, growth, this.#options)) return { kind: 'full' };
      this.#size = addSizes(this.#size, growth);
      this.#set(id, position, after);
    }
    return writtenOf(before, after, { position, nowMs });
  }

  #set(id: string, position: RingId, after: TableRecord | undefined): void {
    const positioned = digitsOf(position) + id;
    if (after === undefined) {
      this.#records.delete(id);
      this.#ids.delete(id);
      this.#positions.delete(positioned);
      return;
    }
    if (!this.#records.has(id)) {
      this.#ids.add(id);
      this.#positions.add(positioned);
    }
    this.#records.set(id, after);
  }
}

function storedValueOf({ key, version, content, expiresAtMs }: TableRecord): StoredValue[] {
  if (content.kind !== 'value') return [];
  return [{ key, sizeBytes: content.bytes.length, version, expiresAtMs }];
}

function growthOf(
  id: string,
  before: TableRecord | undefined,
  after: TableRecord | undefined,
): TableSize {
  const records = (after === undefined ? 0 : 1) - (before === undefined ? 0 : 1);
  return { records, bytes: rowBytesOf(id, after) - rowBytesOf(id, before) };
}

function rowBytesOf(id: string, record: TableRecord | undefined): number {
  if (record === undefined) return 0;
  const { content } = record;
  return ROW_BYTES + id.length + (content.kind === 'value' ? content.bytes.length : 0);
}

function byteStringOf({ key, address }: RecordId): string {
  if (address === undefined) return `v${bytesOf(key)}`;
  return `h${bytesOf(key)}${SEPARATOR}${bytesOf(address)}`;
}

function bytesOf(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1');
}

function digitsOf(position: RingId): string {
  return position.toString(16).padStart(POSITION_DIGITS, '0');
}
