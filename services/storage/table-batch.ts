/**
 * Writes that go to disk together, settled one after the other on top of what is there.
 */
import { positionOfKey } from '../hash/core/digest.js';
import type { RingId } from '../peer/core/ring-space.js';
import type { TableRecord } from '../dht/core/record.js';
import {
  addSizes,
  entryOf,
  hasRoom,
  settle,
  writtenOf,
  type Held,
  type TableRoom,
} from '../dht/core/settle.js';
import type { Entry, TableSize, Write, Written } from '../dht/core/table.js';
import { decodeEntry, decodeRecord, encodeEntry, encodeRecord, entryKeyOf } from './table-rows.js';

/** A write and the row key of the record it is about. */
export type Step = { readonly write: Write; readonly rowKey: Buffer };

/** A row to be put, or to be removed when it is undefined. */
export type RowChange = { readonly key: Buffer; readonly row: Buffer | undefined };

export type TableBatchOptions = TableRoom & { readonly ringSize: number; readonly graceMs: number };

type Place = { readonly rowKey: Buffer; readonly bytes: number; readonly held: Held };
type Change = Place & {
  readonly position: RingId;
  readonly row: Buffer | undefined;
  readonly after: TableRecord | undefined;
};

export class TableBatch {
  readonly #options: TableBatchOptions;
  readonly #rowOnDisk: (rowKey: Buffer) => Buffer | undefined;
  readonly #changes = new Map<string, Change>();
  #size: TableSize;

  constructor(
    options: TableBatchOptions,
    size: TableSize,
    rowOnDisk: (rowKey: Buffer) => Buffer | undefined,
  ) {
    this.#options = options;
    this.#size = size;
    this.#rowOnDisk = rowOnDisk;
  }

  /** Size of the table with the changes. */
  get size(): TableSize {
    return this.#size;
  }

  /** Returns how the write ends when the batch is durable. */
  apply({ write, rowKey }: Step, nowMs: number): Written {
    const { ringSize, graceMs } = this.#options;
    const id = rowKey.toString('latin1');
    const place = this.#changes.get(id) ?? this.#placeOnDisk(rowKey);
    const { key } = write.kind === 'merge' ? write.record : write.id;
    const position = positionOfKey(key, ringSize);
    const { after, changes } = settle(place.held, write, { nowMs, graceMs });
    if (changes) {
      const change = changeOf(rowKey, position, after);
      const growth = {
        records: Number(after !== undefined) - Number(place.held !== undefined),
        bytes: change.bytes - place.bytes,
      };
      if (!hasRoom(this.#size, growth, this.#options)) return { kind: 'full' };
      this.#size = addSizes(this.#size, growth);
      this.#changes.set(id, change);
    }
    const written = writtenOf(place.held, after, { position, nowMs });
    if (place.held !== 'damaged' || written.kind !== 'kept') return written;
    return { ...written, before: this.#entryOnDisk(position, rowKey) };
  }

  /** What is to be changed on disk, every row once. */
  rows(): readonly RowChange[] {
    return [...this.#changes.values()].flatMap(({ rowKey, position, row, after }) => {
      const entryKey = entryKeyOf(position, rowKey);
      const entryRow = after && encodeEntry(entryKey, entryOf(after, position));
      return [
        { key: rowKey, row },
        { key: entryKey, row: entryRow },
      ];
    });
  }

  /** What the index says of a record that is damaged itself. */
  #entryOnDisk(position: RingId, rowKey: Buffer): Entry | undefined {
    const key = entryKeyOf(position, rowKey);
    const row = this.#rowOnDisk(key);
    const entry = row && decodeEntry(key, row);
    return entry === 'damaged' ? undefined : entry;
  }

  #placeOnDisk(rowKey: Buffer): Place {
    const row = this.#rowOnDisk(rowKey);
    if (row === undefined) return { rowKey, bytes: 0, held: undefined };
    return { rowKey, bytes: rowKey.length + row.length, held: decodeRecord(rowKey, row) };
  }
}

function changeOf(rowKey: Buffer, position: RingId, after: TableRecord | undefined): Change {
  const row = after && encodeRecord(rowKey, after);
  const bytes = row === undefined ? 0 : rowKey.length + row.length;
  return { rowKey, bytes, held: after, position, row, after };
}
