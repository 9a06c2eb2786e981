/**
 * Records, and what names and measures them, between the wire and the core of the table.
 *
 * The bounds are checked here and not by rules in the proto: one question that breaks a bound is to be
 * refused by itself, while the stream goes on for the others; and such rules cost three times what
 * reading the bytes does. Everything that is refused throws `REQUEST_INVALID`, or `RING_ID_OUT_OF_RANGE`.
 */
import type * as wire from '../../proto/gen/ringbinder/internal/v1/table_service.js';
import { RingbinderError } from '../errors.js';
import { peerFromWire, peerToWire } from '../peer/wire.js';
import { ringIdFromWire } from '../rpc/wire-ring-id.js';
import { FANOUT, LEAF_LEVEL, type PartDigest, type TreePart } from './core/merkle.js';
import type { Claim } from './core/messages.js';
import {
  KEY_BYTES_MAX,
  VALUE_BYTES_MAX,
  type Content,
  type RecordId,
  type TableRecord,
} from './core/record.js';
import type { ReplicaSet } from './core/replica-set.js';
import type { Span } from './core/span.js';
import type { Entry } from './core/table.js';
import { COUNTER_MAX, type Version } from './core/version.js';

/** Longest address of a holder. */
const ADDRESS_BYTES_MAX = 4_096;
/** Most peers of a replica set: the longest successor list has 16. */
const SET_PEERS_MAX = 256;
/** A UTF-16 unit has at most so many bytes in UTF-8. */
const UTF8_BYTES_PER_UNIT = 3;
const SAFE_MAX = BigInt(Number.MAX_SAFE_INTEGER);

const DELETION: NonNullable<wire.TableRecord['content']> = { $case: 'deletion', value: {} };

/** Says that a field breaks a rule. */
export function invalid(field: string, description: string): RingbinderError {
  const violations = [{ field, description }];
  return new RingbinderError(
    'REQUEST_INVALID',
    `${field}: ${description}`,
    { fields: field },
    { violations },
  );
}

/** Returns what a message must have. */
export function present<Value>(value: Value | undefined, field: string): Value {
  if (value === undefined) throw invalid(field, 'must be there');
  return value;
}

/** Returns a list that has at most so many items. */
export function atMost<Item>(
  items: readonly Item[],
  itemsMax: number,
  field: string,
): readonly Item[] {
  if (items.length <= itemsMax) return items;
  throw invalid(field, `must have at most ${itemsMax} items`);
}

/** Returns a text that has at most so many bytes. */
export function shortText(text: string, bytesMax: number, field: string): string {
  if (text.length * UTF8_BYTES_PER_UNIT <= bytesMax) return text;
  if (Buffer.byteLength(text, 'utf8') <= bytesMax) return text;
  throw invalid(field, `must be at most ${bytesMax} bytes`);
}

export function keyFromWire(key: string): string {
  if (key === '') throw invalid('key', 'must be at least 1 bytes');
  return shortText(key, KEY_BYTES_MAX, 'key');
}

function addressFromWire(address: string | undefined): string | undefined {
  return address === undefined ? undefined : shortText(address, ADDRESS_BYTES_MAX, 'address');
}

function safeInteger(value: bigint, field: string): number {
  if (value <= SAFE_MAX && value >= -SAFE_MAX) return Number(value);
  throw invalid(field, 'must be at most 2^53 - 1');
}

function endFromWire(ms: number | undefined, field: string): number | undefined {
  if (ms === undefined || Number.isFinite(ms)) return ms;
  throw invalid(field, 'must be finite');
}

/** A view of the same bytes, as generated code wants them. */
function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes)
    ? bytes
    : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

export function versionToWire({ wallMs, counter, writer }: Version): wire.TableVersion {
  return { wallMs: BigInt(wallMs), counter, writer: BigInt(writer) };
}

export function versionFromWire(version: wire.TableVersion | undefined, ringSize: number): Version {
  const { wallMs, counter, writer } = present(version, 'version');
  if (counter > COUNTER_MAX) throw invalid('version.counter', `must be at most ${COUNTER_MAX}`);
  return {
    wallMs: safeInteger(wallMs, 'version.wall_ms'),
    counter,
    writer: ringIdFromWire(writer, ringSize),
  };
}

export function optionalVersionToWire(version: Version | undefined): wire.TableVersion | undefined {
  return version === undefined ? undefined : versionToWire(version);
}

export function optionalVersionFromWire(
  version: wire.TableVersion | undefined,
  ringSize: number,
): Version | undefined {
  return version === undefined ? undefined : versionFromWire(version, ringSize);
}

export function idToWire({ key, address }: RecordId): wire.TableRecordId {
  return { key, address };
}

export function idFromWire(id: wire.TableRecordId | undefined): RecordId {
  const { key, address } = present(id, 'id');
  return { key: keyFromWire(key), address: addressFromWire(address) };
}

export function recordToWire(record: TableRecord): wire.TableRecord {
  return {
    key: record.key,
    address: record.address,
    version: versionToWire(record.version),
    content: contentToWire(record.content),
    expiresAtMs: record.expiresAtMs,
  };
}

function contentToWire(content: Content): NonNullable<wire.TableRecord['content']> {
  switch (content.kind) {
    case 'value':
      return { $case: 'value', value: asBuffer(content.bytes) };
    case 'holder':
      return { $case: 'since', value: versionToWire(content.since) };
    case 'deleted':
      return DELETION;
  }
}

export function recordFromWire(record: wire.TableRecord, ringSize: number): TableRecord {
  const address = addressFromWire(record.address);
  const content = contentFromWire(record.content, ringSize);
  if (content.kind === 'value' && address !== undefined) {
    throw invalid('address', 'must not be there beside a value');
  }
  if (content.kind === 'holder' && address === undefined) {
    throw invalid('address', 'must be there for a holder');
  }
  return {
    key: keyFromWire(record.key),
    address,
    version: versionFromWire(record.version, ringSize),
    content,
    expiresAtMs: endFromWire(record.expiresAtMs, 'expires_at_ms'),
  };
}

function contentFromWire(content: wire.TableRecord['content'], ringSize: number): Content {
  switch (content?.$case) {
    case 'value':
      if (content.value.length > VALUE_BYTES_MAX) {
        throw invalid('value', `must be at most ${VALUE_BYTES_MAX} bytes`);
      }
      return { kind: 'value', bytes: content.value };
    case 'since':
      return { kind: 'holder', since: versionFromWire(content.value, ringSize) };
    case 'deletion':
      return { kind: 'deleted' };
    case undefined:
      throw invalid('content', 'must be one that this peer knows');
  }
}

export function recordsFromWire(
  records: readonly wire.TableRecord[],
  recordsMax: number,
  ringSize: number,
): readonly TableRecord[] {
  return atMost(records, recordsMax, 'records').map((it) => recordFromWire(it, ringSize));
}

export function claimToWire({ id, version }: Claim): wire.TableClaim {
  return { id: idToWire(id), version: versionToWire(version) };
}

export function claimFromWire({ id, version }: wire.TableClaim, ringSize: number): Claim {
  return { id: idFromWire(id), version: versionFromWire(version, ringSize) };
}

export function entryToWire(entry: Entry): wire.TableEntry {
  return {
    id: idToWire(entry),
    position: BigInt(entry.position),
    version: versionToWire(entry.version),
    endMs: entry.endMs,
  };
}

export function entryFromWire(entry: wire.TableEntry, ringSize: number): Entry {
  return {
    ...idFromWire(entry.id),
    position: ringIdFromWire(entry.position, ringSize),
    version: versionFromWire(entry.version, ringSize),
    endMs: endFromWire(entry.endMs, 'end_ms'),
  };
}

export function spanToWire({ first, last }: Span): wire.TableSpan {
  return { first: BigInt(first), last: BigInt(last) };
}

export function spanFromWire(span: wire.TableSpan, ringSize: number): Span {
  const first = ringIdFromWire(span.first, ringSize);
  const last = ringIdFromWire(span.last, ringSize);
  if (first > last) throw invalid('span', 'must not end before it begins');
  return { first, last };
}

export function setToWire({ range, peers }: ReplicaSet): wire.ReplicaSet {
  return {
    after: BigInt(range.after),
    upTo: BigInt(range.upTo),
    peers: peers.map(peerToWire),
  };
}

export function setFromWire(set: wire.ReplicaSet, ringSize: number): ReplicaSet {
  return {
    range: {
      after: ringIdFromWire(set.after, ringSize),
      upTo: ringIdFromWire(set.upTo, ringSize),
    },
    peers: atMost(set.peers, SET_PEERS_MAX, 'peers').map((it) => peerFromWire(it, ringSize)),
  };
}

export function partFromWire({ level, index }: wire.TreePart): TreePart {
  if (level > LEAF_LEVEL) throw invalid('level', `must be at most ${LEAF_LEVEL}`);
  if (index >= FANOUT ** level) throw invalid('index', 'must be below the parts of its level');
  return { level, index };
}

export function digestToWire({ count, high, low }: PartDigest): wire.PartDigest {
  return { count, high, low };
}
