/**
 * Where a node keeps its records: what the core reads at once and writes durably.
 *
 * Three implementations behind one contract suite (`test/contract/table-contract.ts`): LMDB, memory,
 * and the simulator's disk.
 */
import type { RingId } from '../../peer/core/ring-space.js';
import type { RecordId, TableRecord } from './record.js';
import type { Version } from './version.js';

/** What repair needs to know of a record. */
export type Entry = RecordId & {
  readonly position: RingId;
  readonly version: Version;
  /** When it ceased or will cease to be there (`endOf`); undefined for never. */
  readonly endMs: number | undefined;
};

export type Write =
  /** Keeps the newer one of this record and the one that is there. */
  | { readonly kind: 'merge'; readonly record: TableRecord }
  /** Takes the record out of this node's table, if it still has this version. */
  | { readonly kind: 'drop'; readonly id: RecordId; readonly version: Version };

/** How one write ended. */
export type Written =
  | {
      readonly kind: 'kept';
      /** What was there before; of a damaged record, what the index says of it. */
      readonly before: Entry | undefined;
      /** What is there now. */
      readonly after: Entry | undefined;
      /** Whether a live value or holder was there before. */
      readonly wasLive: boolean;
    }
  /** The table has no room left; nothing was changed. */
  | { readonly kind: 'full' };

/** One page of a listing. */
export type Page<Item> = {
  readonly items: readonly Item[];
  /** Where the next page begins; undefined on the last one. */
  readonly next: string | undefined;
};

/** A value of this node, without its bytes. */
export type StoredValue = {
  readonly key: string;
  readonly sizeBytes: number;
  readonly version: Version;
  readonly expiresAtMs: number | undefined;
};

export type TableSize = { readonly records: number; readonly bytes: number };

export interface Table {
  /**
   * The record as it is on disk; `damaged` when its checksum does not fit. Never sees a write that is
   * not durable yet.
   */
  read(id: RecordId): TableRecord | 'damaged' | undefined;

  /** What is known of a record without reading it whole. */
  entry(id: RecordId): Entry | undefined;

  /** Records with a position in `[first, last]`, in order of position; `after` is a page's `next`. */
  list(first: RingId, last: RingId, after: string | undefined, limit: number): Page<Entry>;

  /** Holders of a key, the dead ones too; damaged ones are left out. */
  holders(key: string, after: string | undefined, limit: number): Page<TableRecord>;

  /**
   * Values that are live, of keys with a prefix, in the order of their UTF-8 bytes; `after` is a key.
   * Damaged ones are left out. Looks at no more than ten times `limit` rows: a page may be short.
   */
  values(
    prefix: string,
    after: string | undefined,
    limit: number,
    nowMs: number,
  ): Page<StoredValue>;

  /**
   * Applies the writes in order, together or not at all. Calls `done` later, never at once, when they
   * are durable: neither kill -9 nor power loss takes them back. Calls it with an error when the disk
   * failed; then nothing is known of them.
   */
  write(
    writes: readonly Write[],
    done: (written: readonly Written[] | Error) => void,
    nowMs: number,
  ): void;

  readonly size: TableSize;
}
