/**
 * Records of the table, and how two copies of one become one.
 *
 * A record is a register: the newest version wins (last writer wins). The value of a key is one
 * record; each holder of it is another, named by its address. A deletion is a record too, a
 * tombstone, so that it wins over older copies wherever they turn up; an expired record counts as
 * one. The dead are collected `graceMs` after their end, when every copy has long heard of it.
 */
import { compareVersions, type Version } from './version.js';

/** What a record is about: the value of a key, or one holder of it. */
export type RecordId = {
  /** UTF-8 text of 1 to `KEY_BYTES_MAX` bytes. */
  readonly key: string;
  /** The holder's address; undefined for the value. */
  readonly address: string | undefined;
};

export type Content =
  | { readonly kind: 'value'; readonly bytes: Uint8Array }
  /** `since` is the version of the first announcement: the order of arrival. */
  | { readonly kind: 'holder'; readonly since: Version }
  | { readonly kind: 'deleted' };

export type TableRecord = RecordId & {
  readonly version: Version;
  readonly content: Content;
  /** Milliseconds since the epoch; undefined for never. */
  readonly expiresAtMs: number | undefined;
};

export const KEY_BYTES_MAX = 512;
export const VALUE_BYTES_MAX = 2 ** 20;

/** Text that is the same for the same record, and only then. */
export function idText({ key, address }: RecordId): string {
  return address === undefined ? `v${key}` : `h${key.length}:${key}${address}`;
}

/**
 * When the record ceased, or will cease, to be there; undefined for never. Not before it was written: a
 * write that took longer than its value was to live still wins over what was there.
 */
export function endOf({ content, version, expiresAtMs }: TableRecord): number | undefined {
  if (content.kind === 'deleted') return version.wallMs;
  return expiresAtMs === undefined ? undefined : Math.max(expiresAtMs, version.wallMs);
}

export function isLive(record: TableRecord, nowMs: number): boolean {
  return (
    record.content.kind !== 'deleted' &&
    (record.expiresAtMs === undefined || record.expiresAtMs > nowMs)
  );
}

/** Whether a record that ended then need not be kept any longer. */
export function isCollectable(endMs: number | undefined, nowMs: number, graceMs: number): boolean {
  return endMs !== undefined && endMs + graceMs <= nowMs;
}

/**
 * The one of two copies that stays: commutative, associative and idempotent. Two with the same
 * version are the same unless somebody made a mistake; then the order below decides, everywhere alike.
 */
export function merge(one: TableRecord, other: TableRecord): TableRecord {
  const order = compareVersions(one.version, other.version) || compareBodies(one, other);
  return order >= 0 ? one : other;
}

const RANK: Readonly<Record<Content['kind'], number>> = { value: 0, holder: 1, deleted: 2 };

function compareBodies(one: TableRecord, other: TableRecord): number {
  return (
    RANK[one.content.kind] - RANK[other.content.kind] ||
    compareContents(one.content, other.content) ||
    compareEnds(one.expiresAtMs, other.expiresAtMs)
  );
}

function compareContents(one: Content, other: Content): number {
  if (one.kind === 'value' && other.kind === 'value') return compareBytes(one.bytes, other.bytes);
  if (one.kind === 'holder' && other.kind === 'holder') {
    return compareVersions(other.since, one.since);
  }
  return 0;
}

function compareBytes(one: Uint8Array, other: Uint8Array): number {
  const shared = Math.min(one.length, other.length);
  for (let index = 0; index < shared; index += 1) {
    const difference = (one[index] ?? 0) - (other[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return one.length - other.length;
}

/** The one that ends later comes later; never is last. */
function compareEnds(one: number | undefined, other: number | undefined): number {
  if (one === other) return 0;
  return (one ?? Number.POSITIVE_INFINITY) > (other ?? Number.POSITIVE_INFINITY) ? 1 : -1;
}
