import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { positionOfKey } from '../../../services/hash/core/digest.js';
import {
  childrenOf,
  FANOUT,
  isSameDigest,
  LEAF_LEVEL,
  MerkleTree,
  type TreePart,
} from '../../../services/dht/core/merkle.js';
import type { TableRecord } from '../../../services/dht/core/record.js';
import { entryOf } from '../../../services/dht/core/settle.js';
import { union, type Span } from '../../../services/dht/core/span.js';
import type { Entry } from '../../../services/dht/core/table.js';
import { holder, value } from './sample-records.js';

const RING_SIZE = 2 ** 31;
const ROOT: TreePart = { level: 0, index: 0 };

const entry = (record: TableRecord, ringSize = RING_SIZE): Entry =>
  entryOf(record, positionOfKey(record.key, ringSize));

function treeOf(entries: readonly Entry[], ringSize = RING_SIZE): MerkleTree {
  const tree = new MerkleTree(ringSize);
  for (const each of entries) tree.add(each);
  return tree;
}

/** The parts of two trees that differ, from the root on. */
function differing(one: MerkleTree, other: MerkleTree): readonly TreePart[] {
  const visit = (part: TreePart): readonly TreePart[] => {
    if (isSameDigest(one.digestOf(part), other.digestOf(part))) return [];
    return [part, ...(part.level === LEAF_LEVEL ? [] : childrenOf(part).flatMap(visit))];
  };
  return visit(ROOT);
}

/** Every part that has a position, from the root to its leaf. */
function pathOf(tree: MerkleTree, position: number): readonly TreePart[] {
  const path: TreePart[] = [];
  let candidates: readonly TreePart[] = [ROOT];
  while (path.length <= LEAF_LEVEL) {
    const next = candidates.find((part) => {
      const span = tree.spanOf(part);
      return span !== undefined && span.first <= position && position <= span.last;
    });
    if (next === undefined) throw new Error(`no part has ${position}`);
    path.push(next);
    candidates = childrenOf(next);
  }
  return path;
}

const entries = fc
  .uniqueArray(fc.integer({ min: 0, max: 200 }), { maxLength: 30 })
  .map((numbers) =>
    numbers.map((number) =>
      entry(number % 3 === 0 ? holder(`k${number}`, 'h') : value(`k${number}`, number)),
    ),
  );

describe('MerkleTree.add', () => {
  it('leads to the same tree in whatever order the records come', () => {
    const orders = entries.chain((some) =>
      fc.tuple(fc.constant(some), fc.shuffledSubarray(some, { minLength: some.length })),
    );
    fc.assert(
      fc.property(orders, ([some, shuffled]) => {
        expect(differing(treeOf(some), treeOf(shuffled))).toEqual([]);
      }),
      { numRuns: 20 },
    );
  });

  it.each([
    { title: 'another key', other: value('b', 1) },
    { title: 'another version', other: value('a', 2) },
    { title: 'a holder instead of the value', other: holder('a', 'a', 1) },
  ])('changes the digest for $title', ({ other }) => {
    const [one, two] = [value('a', 1), other].map((record) =>
      treeOf([entry(record)]).digestOf(ROOT),
    );
    expect(one).not.toEqual(two);
    expect(one?.count).toBe(1);
  });

  it('changes exactly the parts from the root to the leaf of the record', () => {
    const sizes = fc.constantFrom(1, 7, 65_536, 65_537, RING_SIZE, 2 ** 53);
    fc.assert(
      fc.property(sizes, fc.integer({ min: 0, max: 50 }), (ringSize, number) => {
        const some = Array.from({ length: 20 }, (_, index) => entry(value(`s${index}`), ringSize));
        const added = entry(value(`k${number}`), ringSize);
        const [before, after] = [treeOf(some, ringSize), treeOf([...some, added], ringSize)];
        expect(differing(before, after)).toEqual(pathOf(after, added.position));
      }),
      { numRuns: 30 },
    );
  });
});

describe('MerkleTree.remove', () => {
  it('leaves no trace of a record that was added', () => {
    fc.assert(
      fc.property(entries, entries, (some, others) => {
        const tree = treeOf(some);
        for (const each of others) tree.add(each);
        for (const each of others) tree.remove(each);
        expect(differing(tree, treeOf(some))).toEqual([]);
        for (const each of some) tree.remove(each);
        expect(tree.digestOf(ROOT)).toEqual({ count: 0, high: 0, low: 0 });
      }),
      { numRuns: 20 },
    );
  });
});

describe('MerkleTree.digestOf', () => {
  it('counts in each part the records of its positions', () => {
    const some = Array.from({ length: 300 }, (_, index) => entry(value(`k${index}`)));
    const tree = treeOf(some);
    for (const part of childrenOf(ROOT)) {
      const span = tree.spanOf(part)!;
      const inPart = some.filter((it) => it.position >= span.first && it.position <= span.last);
      expect(tree.digestOf(part).count).toBe(inPart.length);
    }
    expect(tree.digestOf(ROOT).count).toBe(300);
  });

  it.each([
    { level: LEAF_LEVEL, index: FANOUT ** LEAF_LEVEL },
    { level: LEAF_LEVEL + 1, index: 0 },
  ])('answers with nothing for a part that does not exist: $level/$index', (part) => {
    expect(treeOf([entry(value('a'))]).digestOf(part)).toEqual({ count: 0, high: 0, low: 0 });
  });
});

describe('MerkleTree.spanOf', () => {
  it.each([
    { ringSize: 1, part: ROOT, expected: { first: 0, last: 0 } },
    { ringSize: 7, part: ROOT, expected: { first: 0, last: 6 } },
    { ringSize: 7, part: { level: 3, index: 0 }, expected: { first: 0, last: 6 } },
    { ringSize: 7, part: { level: 4, index: 6 }, expected: { first: 6, last: 6 } },
    { ringSize: 7, part: { level: 4, index: 7 }, expected: undefined },
    {
      ringSize: 65_537,
      part: { level: 4, index: 32_768 },
      expected: { first: 65_536, last: 65_536 },
    },
    { ringSize: 2 ** 53, part: ROOT, expected: { first: 0, last: 2 ** 53 - 1 } },
    {
      ringSize: 2 ** 53,
      part: { level: 4, index: 65_535 },
      expected: { first: 2 ** 53 - 2 ** 37, last: 2 ** 53 - 1 },
    },
  ])('answers with the positions of $part in a ring of $ringSize', (row) => {
    expect(new MerkleTree(row.ringSize).spanOf(row.part)).toEqual(row.expected);
  });

  it.each([1, 7, 16, 17, 65_536, 65_537, RING_SIZE, 2 ** 53])(
    'cuts each part of a ring of %i into its children, with nothing left over',
    (ringSize) => {
      const tree = new MerkleTree(ringSize);
      let part: TreePart = ROOT;
      while (part.level < LEAF_LEVEL) {
        const children = childrenOf(part).flatMap((child) => tree.spanOf(child) ?? []);
        expect(union(children)).toEqual([tree.spanOf(part)]);
        const lengths = children.reduce((sum, { first, last }) => sum + (last - first) + 1, 0);
        const own: Span = tree.spanOf(part)!;
        expect(lengths).toBe(own.last - own.first + 1);
        part = childrenOf(part).findLast((child) => tree.spanOf(child) !== undefined)!;
      }
    },
  );
});

describe('MerkleTree.partsOf', () => {
  const RING_SIZES = [1, 7, 65_536, 65_537, 2 ** 31, 2 ** 53];
  const trees = new Map(RING_SIZES.map((ringSize) => [ringSize, new MerkleTree(ringSize)]));

  const anySpan = fc.constantFrom(...RING_SIZES).chain((ringSize) => {
    const positions = fc.integer({ min: 0, max: ringSize - 1 });
    return fc.tuple(fc.constant(ringSize), positions, positions);
  });

  it('covers exactly the span, each position once', () => {
    fc.assert(
      fc.property(anySpan, ([ringSize, one, other]) => {
        const span = { first: Math.min(one, other), last: Math.max(one, other) };
        const tree = trees.get(ringSize)!;
        const { parts, ends } = tree.partsOf(span);
        const all = [...parts.flatMap((part) => tree.spanOf(part) ?? []), ...ends];
        expect(union(all)).toEqual([span]);
        const sorted = all.sort((a, b) => a.first - b.first);
        for (const [index, { first }] of sorted.entries()) {
          const before = sorted[index - 1];
          if (before !== undefined) expect(first).toBe(before.last + 1);
        }
        expect(ends.length).toBeLessThanOrEqual(2);
      }),
      { numRuns: 300 },
    );
  });

  it('agrees with a naive count of positions on a small ring', () => {
    const tree = trees.get(7)!;
    for (let first = 0; first < 7; first += 1) {
      for (let last = first; last < 7; last += 1) {
        const { parts, ends } = tree.partsOf({ first, last });
        const spans = [...parts.flatMap((part) => tree.spanOf(part) ?? []), ...ends];
        const positions = spans.flatMap((span) =>
          Array.from({ length: span.last - span.first + 1 }, (_, step) => span.first + step),
        );
        expect(positions.sort()).toEqual(
          Array.from({ length: last - first + 1 }, (_, step) => first + step),
        );
      }
    }
  });

  it.each(RING_SIZES)('answers with the root for a whole ring of %i', (ringSize) => {
    const whole = trees.get(ringSize)!.partsOf({ first: 0, last: ringSize - 1 });
    expect(whole).toEqual({ parts: [ROOT], ends: [] });
  });

  it('names few parts, whatever the span', () => {
    fc.assert(
      fc.property(anySpan, ([ringSize, one, other]) => {
        const span = { first: Math.min(one, other), last: Math.max(one, other) };
        const { parts } = trees.get(ringSize)!.partsOf(span);
        expect(parts.length).toBeLessThanOrEqual(2 * (FANOUT - 1) * LEAF_LEVEL);
      }),
      { numRuns: 300 },
    );
  });

  it('leaves a span within one leaf as it is', () => {
    const span = { first: 5, last: 9 };
    expect(trees.get(2 ** 53)!.partsOf(span)).toEqual({ parts: [], ends: [span] });
  });
});

describe('isSameDigest', () => {
  const digest = { count: 1, high: 2, low: 3 };
  it.each([
    { other: { ...digest }, expected: true },
    { other: { ...digest, count: 2 }, expected: false },
    { other: { ...digest, high: 3 }, expected: false },
    { other: { ...digest, low: 2 }, expected: false },
  ])('answers $expected for $other', ({ other, expected }) => {
    expect(isSameDigest(digest, other)).toBe(expected);
  });
});
