import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  endOf,
  idText,
  isCollectable,
  isLive,
  merge,
  type Content,
  type TableRecord,
} from '../../../services/dht/core/record.js';
import { compareVersions } from '../../../services/dht/core/version.js';

type Triple = [TableRecord, TableRecord, TableRecord];

/** Few of each, so that equal ones are common. */
const few = fc.integer({ min: 0, max: 2 });
const versions = fc.record({ wallMs: few, counter: few, writer: few });
const contents = fc.oneof<fc.Arbitrary<Content>[]>(
  fc.record({ kind: fc.constant('value'), bytes: fc.uint8Array({ max: 2, maxLength: 3 }) }),
  fc.record({ kind: fc.constant('holder'), since: versions }),
  fc.record({ kind: fc.constant('deleted') }),
);
const records: fc.Arbitrary<TableRecord> = fc.record({
  key: fc.constant('a'),
  address: fc.constant(undefined),
  version: versions,
  content: contents,
  expiresAtMs: fc.option(few, { nil: undefined }),
});
const sameVersion: fc.Arbitrary<Triple> = fc
  .tuple(versions, records, records, records)
  .map(([version, one, other, third]) => [
    { ...one, version },
    { ...other, version },
    { ...third, version },
  ]);
const triples = fc.oneof<fc.Arbitrary<Triple>[]>(fc.tuple(records, records, records), sameVersion);

describe('merge', () => {
  it('is commutative, associative and idempotent', () => {
    fc.assert(
      fc.property(triples, ([one, other, third]) => {
        expect(merge(one, other)).toEqual(merge(other, one));
        expect(merge(merge(one, other), third)).toEqual(merge(one, merge(other, third)));
        expect(merge(one, one)).toBe(one);
        expect(merge(one, { ...one })).toBe(one);
      }),
      { numRuns: 2_000 },
    );
  });

  it('keeps one of the two, and the newer one when their versions differ', () => {
    fc.assert(
      fc.property(records, records, (one, other) => {
        const kept = merge(one, other);
        expect([one, other]).toContain(kept);
        const order = compareVersions(one.version, other.version);
        if (order !== 0) expect(kept).toBe(order > 0 ? one : other);
      }),
    );
  });
});

describe('idText', () => {
  it('is the same for the same record only', () => {
    const texts = fc.string({ unit: fc.constantFrom('a', ':', '1', 'h', 'v'), maxLength: 4 });
    const ids = fc.record({ key: texts, address: fc.option(texts, { nil: undefined }) });
    fc.assert(
      fc.property(ids, ids, (one, other) => {
        const areSame = one.key === other.key && one.address === other.address;
        expect(idText(one) === idText(other)).toBe(areSame);
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('isLive', () => {
  const base: TableRecord = {
    key: 'a',
    address: undefined,
    version: { wallMs: 10, counter: 0, writer: 1 },
    content: { kind: 'value', bytes: new Uint8Array() },
    expiresAtMs: undefined,
  };
  const deleted: TableRecord = { ...base, content: { kind: 'deleted' } };
  it.each([
    { title: 'never ends', record: base, live: true, end: undefined },
    { title: 'ends later', record: { ...base, expiresAtMs: 21 }, live: true, end: 21 },
    { title: 'ends now', record: { ...base, expiresAtMs: 20 }, live: false, end: 20 },
    { title: 'was deleted', record: deleted, live: false, end: 10 },
  ])('answers $live for a record that $title', ({ record, live, end }) => {
    expect(isLive(record, 20)).toBe(live);
    expect(endOf(record)).toBe(end);
    expect(isCollectable(end, (end ?? 0) + 5, 5)).toBe(end !== undefined);
    expect(isCollectable(end, (end ?? 0) + 4, 5)).toBe(false);
  });
});
