import { describe, expect, it } from 'vitest';
import type { TableRecord } from '../../../services/dht/core/record.js';
import { hasRoom, settle, type Held } from '../../../services/dht/core/settle.js';
import type { Write } from '../../../services/dht/core/table.js';

const GRACE_MS = 100;
const NOW_MS = 1_000;
const ID = { key: 'a', address: undefined };

function value(wallMs: number, text = 'v', expiresAtMs?: number): TableRecord {
  const content = { kind: 'value', bytes: Buffer.from(text) } as const;
  return { ...ID, version: { wallMs, counter: 0, writer: 1 }, content, expiresAtMs };
}

const deleted = (wallMs: number): TableRecord => ({
  ...value(wallMs),
  content: { kind: 'deleted' },
});
const merging = (record: TableRecord): Write => ({ kind: 'merge', record });
const dropping = ({ version }: TableRecord): Write => ({ kind: 'drop', id: ID, version });

type Row = {
  readonly title: string;
  readonly before: Held;
  readonly write: Write;
  /** What the row holds afterwards; `unchanged` when nothing is to be written. */
  readonly expected: TableRecord | 'none' | 'unchanged';
};

describe('settle', () => {
  it.each<Row>([
    {
      title: 'takes a record where nothing is',
      before: undefined,
      write: merging(value(1)),
      expected: value(1),
    },
    {
      title: 'takes a tombstone whose grace is not over',
      before: undefined,
      write: merging(deleted(NOW_MS - GRACE_MS + 1)),
      expected: deleted(NOW_MS - GRACE_MS + 1),
    },
    {
      title: 'ignores a tombstone whose grace is over, where nothing is',
      before: undefined,
      write: merging(deleted(NOW_MS - GRACE_MS)),
      expected: 'unchanged',
    },
    {
      title: 'takes a value that has expired and whose grace is not over',
      before: undefined,
      write: merging(value(1, 'v', NOW_MS - GRACE_MS + 1)),
      expected: value(1, 'v', NOW_MS - GRACE_MS + 1),
    },
    {
      title: 'ignores an expired value whose grace is over, where nothing is',
      before: undefined,
      write: merging(value(1, 'v', NOW_MS - GRACE_MS)),
      expected: 'unchanged',
    },
    {
      title: 'puts a newer record in the place of an older one',
      before: value(1),
      write: merging(value(2)),
      expected: value(2),
    },
    {
      title: 'puts a collectable tombstone in the place of an older record',
      before: value(1),
      write: merging(deleted(2)),
      expected: deleted(2),
    },
    {
      title: 'leaves a newer record alone',
      before: value(2),
      write: merging(value(1)),
      expected: 'unchanged',
    },
    {
      title: 'leaves the same record alone',
      before: value(1),
      write: merging(value(1)),
      expected: 'unchanged',
    },
    {
      title: 'leaves the later one of two bodies of one version alone',
      before: value(1, 'b'),
      write: merging(value(1, 'a')),
      expected: 'unchanged',
    },
    {
      title: 'takes the later one of two bodies of one version, like every other node',
      before: value(1, 'a'),
      write: merging(value(1, 'b')),
      expected: value(1, 'b'),
    },
    {
      title: 'takes a record in the place of a damaged one',
      before: 'damaged',
      write: merging(value(1)),
      expected: value(1),
    },
    {
      title: 'takes even a collectable record in the place of a damaged one',
      before: 'damaged',
      write: merging(deleted(1)),
      expected: deleted(1),
    },
    {
      title: 'drops a record of the version that is meant',
      before: value(1),
      write: dropping(value(1)),
      expected: 'none',
    },
    {
      title: 'does not drop a newer record',
      before: value(2),
      write: dropping(value(1)),
      expected: 'unchanged',
    },
    {
      title: 'does not drop an older record',
      before: value(1),
      write: dropping(value(2)),
      expected: 'unchanged',
    },
    {
      title: 'drops a damaged record',
      before: 'damaged',
      write: dropping(value(1)),
      expected: 'none',
    },
    {
      title: 'has nothing to drop where nothing is',
      before: undefined,
      write: dropping(value(1)),
      expected: 'unchanged',
    },
  ])('$title', ({ before, write, expected }) => {
    const settled = settle(before, write, { nowMs: NOW_MS, graceMs: GRACE_MS });
    expect(settled).toEqual(
      expected === 'unchanged'
        ? { after: before, changes: false }
        : { after: expected === 'none' ? undefined : expected, changes: true },
    );
  });
});

describe('hasRoom', () => {
  const room = { recordsMax: 10, bytesMax: 100 };
  it.each([
    { size: [9, 90], growth: [1, 10], expected: true },
    { size: [10, 90], growth: [1, 10], expected: false },
    { size: [9, 91], growth: [1, 10], expected: false },
    { size: [10, 100], growth: [0, 0], expected: true },
    { size: [20, 200], growth: [0, -1], expected: true },
    { size: [20, 50], growth: [0, 1], expected: true },
    { size: [20, 50], growth: [-1, 1], expected: true },
    { size: [20, 200], growth: [-1, 1], expected: false },
  ])('answers $expected for $growth on top of $size', ({ size, growth, expected }) => {
    const sizeOf = ([records = 0, bytes = 0]: readonly number[]) => ({ records, bytes });
    expect(hasRoom(sizeOf(size), sizeOf(growth), room)).toBe(expected);
  });
});
