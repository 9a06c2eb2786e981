/**
 * What becomes of a row of the table when a write meets it. Every implementation of `Table` asks
 * here, so that a write ends alike on disk, in memory and in the simulator.
 *
 * A row may be damaged. A record that is merged over it takes its place, whatever its version,
 * because nothing is known of what was there. A drop removes it, because the id is what is meant.
 */
import { endOf, isCollectable, isLive, merge, type RecordId, type TableRecord } from './record.js';
import type { Entry, TableSize, Write, Written } from './table.js';
import { compareVersions } from './version.js';
import type { RingId } from '../../peer/core/ring-space.js';

/** What a row holds; undefined when there is none. */
export type Held = TableRecord | 'damaged' | undefined;

export type When = { readonly nowMs: number; readonly graceMs: number };

export type Settled = {
  /** The record that the row holds afterwards; undefined for no row. Of use only if it changes. */
  readonly after: TableRecord | undefined;
  readonly changes: boolean;
};

/** Most that a table takes. */
export type TableRoom = { readonly recordsMax: number; readonly bytesMax: number };

/** Which record a write is about. */
export function idOf(write: Write): RecordId {
  return write.kind === 'merge' ? write.record : write.id;
}

/**
 * Returns what the row is to be afterwards. A dead record that could be collected at once is not
 * taken in where there is nothing for it to win over.
 */
export function settle(before: Held, write: Write, { nowMs, graceMs }: When): Settled {
  if (write.kind === 'drop') {
    if (before === undefined) return { after: undefined, changes: false };
    const isMeant = before === 'damaged' || compareVersions(before.version, write.version) === 0;
    return isMeant ? { after: undefined, changes: true } : { after: before, changes: false };
  }
  const { record } = write;
  if (before === 'damaged') return { after: record, changes: true };
  if (before === undefined) {
    const isTaken = !isCollectable(endOf(record), nowMs, graceMs);
    return { after: isTaken ? record : undefined, changes: isTaken };
  }
  const after = merge(before, record);
  return { after, changes: after !== before };
}

/** Tells the caller how a write ended. */
export function writtenOf(
  before: Held,
  after: TableRecord | undefined,
  { position, nowMs }: { readonly position: RingId; readonly nowMs: number },
): Written {
  const readable = before === 'damaged' ? undefined : before;
  return {
    kind: 'kept',
    before: readable && entryOf(readable, position),
    after: after && entryOf(after, position),
    wasLive: readable !== undefined && isLive(readable, nowMs),
  };
}

/** Returns what repair needs to know of a record. */
export function entryOf(record: TableRecord, position: RingId): Entry {
  const { key, address, version } = record;
  return { key, address, position, version, endMs: endOf(record) };
}

/** Whether a table of a size may grow by so much. One that is too full already may still shrink. */
export function hasRoom(size: TableSize, growth: TableSize, room: TableRoom): boolean {
  return (
    (growth.records <= 0 || size.records + growth.records <= room.recordsMax) &&
    (growth.bytes <= 0 || size.bytes + growth.bytes <= room.bytesMax)
  );
}

/** Adds two sizes, of which one may be a difference. */
export function addSizes(one: TableSize, other: TableSize): TableSize {
  return { records: one.records + other.records, bytes: one.bytes + other.bytes };
}
