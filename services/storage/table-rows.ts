/**
 * Rows of the table on disk, as bytes. Numbers are big-endian; `f64` is an IEEE double, which holds
 * every safe integer.
 *
 * | row key                              | row                                                    |
 * | ------------------------------------ | ------------------------------------------------------ |
 * | `v` key                              | the record of the value                                |
 * | `h` key 0xFF SHA-256(address)        | the record of a holder                                 |
 * | `p` position u64, one of the above   | its entry: what repair needs, in order of position     |
 *
 * 0xFF never occurs in UTF-8: no two ids have the same row key, and the holders of a key stand
 * together. Keys have up to 512 bytes and addresses up to 4,096, so a row key has up to 555 bytes,
 * well below the 1,978 that LMDB takes with pages of 4 KiB.
 *
 * | record | bytes                                                                               |
 * | ------ | ----------------------------------------------------------------------------------- |
 * | 0      | CRC-32 of the row key and then of everything behind this, u32                       |
 * | 4      | format, u8                                                                          |
 * | 5      | kind, u8: 0 a value, 1 a holder, 2 deleted                                          |
 * | 6      | version: time, counter, writer, 3 × f64                                             |
 * | 30     | expiry, f64; infinity for never                                                     |
 * | 38     | value: its bytes. Holder: `since`, 3 × f64, and its address. Deleted: its address   |
 *
 * An entry is the same up to 38, with the end of the record for the expiry, followed by the address.
 * The checksum covers the row key, so a row under another one's key is damaged too.
 */
import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import {
  KEY_BYTES_MAX,
  type Content,
  type RecordId,
  type TableRecord,
} from '../dht/core/record.js';
import type { Entry } from '../dht/core/table.js';
import type { Version } from '../dht/core/version.js';
import type { RingId } from '../peer/core/ring-space.js';

const FORMAT = 1;
const FORMAT_OFFSET = 4;
const KIND_OFFSET = 5;
const VERSION_OFFSET = 6;
const VERSION_BYTES = 24;
const END_OFFSET = VERSION_OFFSET + VERSION_BYTES;
const HEAD_BYTES = END_OFFSET + 8;

/** An index is what a row states. */
const KINDS = ['value', 'holder', 'deleted'] as const satisfies readonly Content['kind'][];
const ENTRY_KIND = KINDS.length;

const VALUE_TAG = Buffer.from('v');
const HOLDER_TAG = Buffer.from('h');
const POSITION_TAG = 0x70;
const SEPARATOR = Buffer.from([0xff]);
const DIGEST_BYTES = 32;
const BEHIND_DIGESTS = Buffer.alloc(DIGEST_BYTES + 1, 0xff);
/** Where an id begins in the row key of an entry. */
const ENTRY_ID_OFFSET = 1 + 8;

/** Returns the row key of a record. Throws a `RangeError` when its key is too long. */
export function rowKeyOf({ key, address }: RecordId): Buffer {
  const keyBytes = Buffer.from(key, 'utf8');
  if (keyBytes.length > KEY_BYTES_MAX) {
    throw new RangeError(`a key has ${keyBytes.length} bytes, at most ${KEY_BYTES_MAX} allowed`);
  }
  if (address === undefined) return Buffer.concat([VALUE_TAG, keyBytes]);
  const digest = createHash('sha256').update(address, 'utf8').digest();
  return Buffer.concat([HOLDER_TAG, keyBytes, SEPARATOR, digest]);
}

/** Returns what the row keys of all values whose key has a prefix begin with, and no others. */
export function valuesPrefixOf(prefix: string): Buffer {
  return Buffer.concat([VALUE_TAG, Buffer.from(prefix, 'utf8')]);
}

/** Returns what the row keys of all holders of a key begin with, and no others. */
export function holdersPrefixOf(key: string): Buffer {
  return Buffer.concat([HOLDER_TAG, Buffer.from(key, 'utf8'), SEPARATOR]);
}

/** Returns what stands behind the row keys of all holders of a key, by their prefix. */
export function holdersEndOf(prefix: Buffer): Buffer {
  return Buffer.concat([prefix, BEHIND_DIGESTS]);
}

/** Returns what the row keys of all entries at a position begin with, and no others. */
export function positionPrefixOf(position: RingId): Buffer {
  return entryKeyOf(position, Buffer.alloc(0));
}

/** Returns the row key of the entry of the record under a row key. */
export function entryKeyOf(position: RingId, rowKey: Buffer): Buffer {
  const entryKey = Buffer.allocUnsafe(ENTRY_ID_OFFSET + rowKey.length);
  entryKey.writeUInt8(POSITION_TAG);
  entryKey.writeUInt32BE(Math.floor(position / 2 ** 32), 1);
  entryKey.writeUInt32BE(position % 2 ** 32, 5);
  entryKey.set(rowKey, ENTRY_ID_OFFSET);
  return entryKey;
}

/** Whether a row key is that of an entry. */
export function isEntryKey(key: Buffer): boolean {
  return key[0] === POSITION_TAG;
}

/** Returns the row key of the record that an entry is about. */
export function recordKeyOf(entryKey: Buffer): Buffer {
  return entryKey.subarray(ENTRY_ID_OFFSET);
}

/** Returns the position in the row key of an entry. */
export function positionIn(entryKey: Buffer): RingId {
  return entryKey.readUInt32BE(1) * 2 ** 32 + entryKey.readUInt32BE(5);
}

/** Returns the key in the row key of a record. */
export function keyIn(rowKey: Buffer): string {
  const end = isValueKey(rowKey) ? rowKey.length : rowKey.length - DIGEST_BYTES - 1;
  return rowKey.toString('utf8', 1, end);
}

export function encodeRecord(rowKey: Buffer, record: TableRecord): Buffer {
  const { content, address = '' } = record;
  const body = content.kind === 'value' ? content.bytes : Buffer.from(address, 'utf8');
  const bodyOffset = HEAD_BYTES + (content.kind === 'holder' ? VERSION_BYTES : 0);
  const row = Buffer.allocUnsafe(bodyOffset + body.length);
  writeHead(row, { kind: KINDS.indexOf(content.kind), ...record, endMs: record.expiresAtMs });
  if (content.kind === 'holder') writeVersion(row, content.since, HEAD_BYTES);
  row.set(body, bodyOffset);
  return withChecksum(rowKey, row);
}

/** Returns the record in a row, of which it keeps the memory; never throws. */
export function decodeRecord(rowKey: Buffer, row: Buffer): TableRecord | 'damaged' {
  if (!isWhole(rowKey, row)) return 'damaged';
  const isValue = isValueKey(rowKey);
  const kind = KINDS[row.readUInt8(KIND_OFFSET)];
  const addressOffset = HEAD_BYTES + (kind === 'holder' ? VERSION_BYTES : 0);
  if (kind === undefined || row.length < addressOffset) return 'damaged';
  if (kind !== 'deleted' && isValue !== (kind === 'value')) return 'damaged';
  return {
    key: keyIn(rowKey),
    address: isValue ? undefined : row.toString('utf8', addressOffset),
    version: readVersion(row, VERSION_OFFSET),
    content: contentOf(kind, row),
    expiresAtMs: readEnd(row),
  };
}

export function encodeEntry(entryKey: Buffer, entry: Entry): Buffer {
  const address = Buffer.from(entry.address ?? '', 'utf8');
  const row = Buffer.allocUnsafe(HEAD_BYTES + address.length);
  writeHead(row, { kind: ENTRY_KIND, ...entry });
  row.set(address, HEAD_BYTES);
  return withChecksum(entryKey, row);
}

/** Returns the entry in a row; never throws. */
export function decodeEntry(entryKey: Buffer, row: Buffer): Entry | 'damaged' {
  if (!isWhole(entryKey, row) || row.readUInt8(KIND_OFFSET) !== ENTRY_KIND) return 'damaged';
  const rowKey = recordKeyOf(entryKey);
  return {
    key: keyIn(rowKey),
    address: isValueKey(rowKey) ? undefined : row.toString('utf8', HEAD_BYTES),
    position: positionIn(entryKey),
    version: readVersion(row, VERSION_OFFSET),
    endMs: readEnd(row),
  };
}

function isValueKey(rowKey: Buffer): boolean {
  return rowKey[0] === VALUE_TAG[0];
}

function contentOf(kind: Content['kind'], row: Buffer): Content {
  if (kind === 'value') return { kind, bytes: row.subarray(HEAD_BYTES) };
  if (kind === 'holder') return { kind, since: readVersion(row, HEAD_BYTES) };
  return { kind };
}

type Head = {
  readonly kind: number;
  readonly version: Version;
  readonly endMs: number | undefined;
};

function writeHead(row: Buffer, { kind, version, endMs }: Head): void {
  row.writeUInt8(FORMAT, FORMAT_OFFSET);
  row.writeUInt8(kind, KIND_OFFSET);
  writeVersion(row, version, VERSION_OFFSET);
  row.writeDoubleBE(endMs ?? Number.POSITIVE_INFINITY, END_OFFSET);
}

function writeVersion(row: Buffer, { wallMs, counter, writer }: Version, offset: number): void {
  row.writeDoubleBE(wallMs, offset);
  row.writeDoubleBE(counter, offset + 8);
  row.writeDoubleBE(writer, offset + 16);
}

function readVersion(row: Buffer, offset: number): Version {
  return {
    wallMs: row.readDoubleBE(offset),
    counter: row.readDoubleBE(offset + 8),
    writer: row.readDoubleBE(offset + 16),
  };
}

function readEnd(row: Buffer): number | undefined {
  const endMs = row.readDoubleBE(END_OFFSET);
  return endMs === Number.POSITIVE_INFINITY ? undefined : endMs;
}

function withChecksum(rowKey: Buffer, row: Buffer): Buffer {
  row.writeUInt32BE(checksumOf(rowKey, row));
  return row;
}

function isWhole(rowKey: Buffer, row: Buffer): boolean {
  return (
    row.length >= HEAD_BYTES &&
    row.readUInt32BE() === checksumOf(rowKey, row) &&
    row.readUInt8(FORMAT_OFFSET) === FORMAT
  );
}

function checksumOf(rowKey: Buffer, row: Buffer): number {
  return crc32(row.subarray(FORMAT_OFFSET), crc32(rowKey));
}
