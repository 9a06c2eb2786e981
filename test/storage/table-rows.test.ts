import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Content, TableRecord } from '../../services/dht/core/record.js';
import { entryOf } from '../../services/dht/core/settle.js';
import {
  decodeEntry,
  decodeRecord,
  encodeEntry,
  encodeRecord,
  entryKeyOf,
  keyIn,
  positionIn,
  rowKeyOf,
} from '../../services/storage/table-rows.js';

const positions = fc.maxSafeNat();
const versions = fc.record({
  wallMs: fc.maxSafeNat(),
  counter: fc.nat(2 ** 16 - 1),
  writer: positions,
});
const keys = fc.string({ unit: 'binary', minLength: 1, maxLength: 20 });
const ends = fc.option(fc.maxSafeNat(), { nil: undefined });
const deleted = fc.constant<Content>({ kind: 'deleted' });
const values: fc.Arbitrary<TableRecord> = fc.record({
  key: keys,
  address: fc.constant(undefined),
  version: versions,
  content: fc.oneof(
    fc
      .uint8Array({ maxLength: 40 })
      .map((bytes): Content => ({ kind: 'value', bytes: Buffer.from(bytes) })),
    deleted,
  ),
  expiresAtMs: ends,
});
const holders: fc.Arbitrary<TableRecord> = fc.record({
  key: keys,
  address: fc.string({ unit: 'binary', maxLength: 20 }),
  version: versions,
  content: fc.oneof(
    versions.map((since): Content => ({ kind: 'holder', since })),
    deleted,
  ),
  expiresAtMs: ends,
});
const records = fc.oneof(values, holders);

/** The row of a record and the row of its entry, each with its key and how it is read. */
function rowsOf(record: TableRecord, position: number) {
  const rowKey = rowKeyOf(record);
  const entryKey = entryKeyOf(position, rowKey);
  const entry = entryOf(record, position);
  return [
    { key: rowKey, row: encodeRecord(rowKey, record), expected: record, decode: decodeRecord },
    { key: entryKey, row: encodeEntry(entryKey, entry), expected: entry, decode: decodeEntry },
  ];
}

describe('a row of the table', () => {
  it('gives back what was put into it', () => {
    fc.assert(
      fc.property(records, positions, (record, position) => {
        for (const { key, row, expected, decode } of rowsOf(record, position)) {
          expect(decode(key, row)).toEqual(expected);
        }
        expect(keyIn(rowKeyOf(record))).toBe(record.key);
        expect(positionIn(entryKeyOf(position, rowKeyOf(record)))).toBe(position);
      }),
    );
  });

  it('is damaged when any one of its bytes is another, or of its key', () => {
    fc.assert(
      fc.property(
        records,
        positions,
        fc.integer({ min: 1, max: 255 }),
        (record, position, flip) => {
          for (const { key, row, decode } of rowsOf(record, position)) {
            for (const bytes of [row, key]) {
              for (let index = 0; index < bytes.length; index += 1) {
                bytes[index]! ^= flip;
                expect(decode(key, row)).toBe('damaged');
                bytes[index]! ^= flip;
              }
            }
          }
        },
      ),
    );
  });

  it('is damaged when its end is missing, or something follows', () => {
    fc.assert(
      fc.property(records, positions, (record, position) => {
        for (const { key, row, decode } of rowsOf(record, position)) {
          for (let length = 0; length < row.length; length += 1) {
            expect(decode(key, row.subarray(0, length))).toBe('damaged');
          }
          expect(decode(key, Buffer.concat([row, Buffer.alloc(1)]))).toBe('damaged');
        }
      }),
    );
  });

  it('is damaged when it is anything', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 600 }), fc.uint8Array(), (key, row) => {
        expect(decodeRecord(Buffer.from(key), Buffer.from(row))).toBe('damaged');
        expect(decodeEntry(Buffer.from(key), Buffer.from(row))).toBe('damaged');
      }),
    );
  });

  it('is damaged under the key of another record, and as an entry when it is none', () => {
    fc.assert(
      fc.property(records, records, positions, (one, other, position) => {
        const [rowKey, otherKey] = [rowKeyOf(one), rowKeyOf(other)];
        fc.pre(!rowKey.equals(otherKey));
        expect(decodeRecord(otherKey, encodeRecord(rowKey, one))).toBe('damaged');
        const entryKey = entryKeyOf(position, rowKey);
        expect(decodeEntry(entryKey, encodeRecord(entryKey, one))).toBe('damaged');
        expect(decodeRecord(rowKey, encodeEntry(rowKey, entryOf(one, position)))).toBe('damaged');
      }),
    );
  });
});

describe('rowKeyOf', () => {
  it('stays below what LMDB takes for the longest key and address', () => {
    const longest = rowKeyOf({ key: 'k'.repeat(512), address: 'a'.repeat(4_096) });
    expect(entryKeyOf(2 ** 53 - 1, longest).length).toBe(555);
    expect(() => rowKeyOf({ key: 'k'.repeat(513), address: undefined })).toThrow(RangeError);
  });

  it('orders entries by position', () => {
    fc.assert(
      fc.property(positions, positions, records, records, (one, other, first, second) => {
        const order = entryKeyOf(one, rowKeyOf(first)).compare(entryKeyOf(other, rowKeyOf(second)));
        if (one !== other) expect(Math.sign(order)).toBe(Math.sign(one - other));
      }),
    );
  });
});
