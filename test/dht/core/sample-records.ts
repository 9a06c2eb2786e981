/** Records and peers for tests of the table's core. */
import { positionOfKey } from '../../../services/hash/core/digest.js';
import type { RecordId, TableRecord } from '../../../services/dht/core/record.js';
import type { Version } from '../../../services/dht/core/version.js';

/** The time of day in these tests, unless a test says otherwise. */
export const NOW_MS = 1_000_000;

export const version = (wallMs: number, counter = 0, writer = 7): Version => ({
  wallMs,
  counter,
  writer,
});

export function value(key: string, wallMs = NOW_MS, text = `${key}@${wallMs}`): TableRecord {
  const content = { kind: 'value', bytes: Buffer.from(text) } as const;
  return { key, address: undefined, version: version(wallMs), content, expiresAtMs: undefined };
}

export function holder(key: string, address: string, wallMs = NOW_MS): TableRecord {
  const content = { kind: 'holder', since: version(wallMs) } as const;
  return { key, address, version: version(wallMs), content, expiresAtMs: undefined };
}

export function deleted(record: TableRecord, wallMs = record.version.wallMs + 1): TableRecord {
  const content = { kind: 'deleted' } as const;
  return { ...record, version: version(wallMs), content, expiresAtMs: undefined };
}

export const valueId = (key: string): RecordId => ({ key, address: undefined });
export const idOf = ({ key, address }: RecordId): RecordId => ({ key, address });

/** What is kept under a key: its bytes as text, `deleted` or nothing. */
export function textOf(record: TableRecord | 'damaged' | undefined): string | undefined {
  if (record === undefined || record === 'damaged') return record;
  const { content } = record;
  return content.kind === 'value' ? Buffer.from(content.bytes).toString() : content.kind;
}

/** `a@5` for a value, `a#h@5` for a holder. */
export function nameOfRecord({ key, address, version: { wallMs } }: TableRecord): string {
  return `${key}${address === undefined ? '' : `#${address}`}@${wallMs}`;
}

/** The first `count` of the keys `k0`, `k1`, ... whose position passes. */
export function keysWhere(
  ringSize: number,
  count: number,
  isMeant: (position: number) => boolean,
): readonly string[] {
  const keys: string[] = [];
  for (let index = 0; keys.length < count; index += 1) {
    if (isMeant(positionOfKey(`k${index}`, ringSize))) keys.push(`k${index}`);
  }
  return keys;
}
