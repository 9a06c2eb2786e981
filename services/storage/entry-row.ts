/**
 * A row of the embedded store: the revision, 8 bytes big-endian; when the entry has a lease, its length
 * in ms, 4 bytes big-endian; and the value. Revisions stay below 2^53, so the first byte is free to
 * tell whether there is a lease.
 */
import type { StoreEntry } from './store.js';

const REVISION_BYTES = 8;
const TTL_BYTES = 4;
const LEASE_TAG = 0x80;

/** Returns the row with no revision yet: a commit gets it in its transaction. */
export function rowOf(value: Uint8Array, ttlMs: number | undefined): Buffer {
  if (ttlMs === undefined) return Buffer.concat([Buffer.alloc(REVISION_BYTES), value]);
  const head = Buffer.alloc(REVISION_BYTES + TTL_BYTES);
  head.writeUInt8(LEASE_TAG);
  head.writeUInt32BE(ttlMs, REVISION_BYTES);
  return Buffer.concat([head, value]);
}

/** Writes the revision into a row. */
export function stamp(row: Buffer, revision: number): void {
  const tag = row.readUInt8() & LEASE_TAG;
  row.writeUInt32BE(Math.floor(revision / 2 ** 32), 0);
  row.writeUInt32BE(revision % 2 ** 32, 4);
  row.writeUInt8(row.readUInt8() | tag);
}

export function revisionOf(row: Buffer): number {
  return (row.readUInt32BE() & 0x7fff_ffff) * 2 ** 32 + row.readUInt32BE(4);
}

/** How long the entry lives without renewal; undefined: for good. */
export function ttlMsOf(row: Buffer): number | undefined {
  return hasLease(row) ? row.readUInt32BE(REVISION_BYTES) : undefined;
}

export function entryOf(key: string, row: Buffer): StoreEntry {
  const valueOffset = REVISION_BYTES + (hasLease(row) ? TTL_BYTES : 0);
  return { key, value: row.subarray(valueOffset), revision: revisionOf(row) };
}

function hasLease(row: Buffer): boolean {
  return (row.readUInt8() & LEASE_TAG) !== 0;
}
