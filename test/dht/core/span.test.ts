import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  difference,
  isCovered,
  isInRange,
  isInSpans,
  isSameRange,
  spansOf,
  union,
  type Span,
} from '../../../services/dht/core/span.js';

const RING_MAX = 2 ** 53;

const span = (first: number, last: number): Span => ({ first, last });
const spans = (...pairs: readonly (readonly [number, number])[]) =>
  pairs.map(([first, last]) => span(first, last));

/** The positions of spans, one by one. */
function positionsOf(some: readonly Span[]): readonly number[] {
  const all = some.flatMap(({ first, last }) =>
    Array.from({ length: last - first + 1 }, (_, step) => first + step),
  );
  return [...new Set(all)].sort((one, other) => one - other);
}

/** In order, apart from each other, and none of them empty. */
function expectTidy(some: readonly Span[]): void {
  for (const [index, { first, last }] of some.entries()) {
    expect(first).toBeLessThanOrEqual(last);
    const before = some[index - 1];
    if (before !== undefined) expect(first).toBeGreaterThan(before.last + 1);
  }
}

/** On a small ring, so that they meet, touch and overlap. */
const someSpans = fc.array(
  fc
    .tuple(fc.integer({ min: 0, max: 15 }), fc.integer({ min: 0, max: 15 }))
    .map(([one, other]) => span(Math.min(one, other), Math.max(one, other))),
  { maxLength: 5 },
);

describe('spansOf', () => {
  it.each([
    { title: 'a piece', after: 2, upTo: 5, ringSize: 10, expected: spans([3, 5]) },
    { title: 'one position', after: 4, upTo: 5, ringSize: 10, expected: spans([5, 5]) },
    {
      title: 'what ends at zero',
      after: 7,
      upTo: 0,
      ringSize: 10,
      expected: spans([0, 0], [8, 9]),
    },
    { title: 'what begins at zero', after: 9, upTo: 3, ringSize: 10, expected: spans([0, 3]) },
    { title: 'zero alone', after: 9, upTo: 0, ringSize: 10, expected: spans([0, 0]) },
    { title: 'what passes zero', after: 7, upTo: 1, ringSize: 10, expected: spans([0, 1], [8, 9]) },
    { title: 'the last position', after: 8, upTo: 9, ringSize: 10, expected: spans([9, 9]) },
    { title: 'the whole ring', after: 4, upTo: 4, ringSize: 10, expected: spans([0, 9]) },
    { title: 'a ring of one position', after: 0, upTo: 0, ringSize: 1, expected: spans([0, 0]) },
    {
      title: 'the whole of the largest ring',
      after: 7,
      upTo: 7,
      ringSize: RING_MAX,
      expected: spans([0, RING_MAX - 1]),
    },
    {
      title: 'all but one of the largest ring',
      after: RING_MAX - 1,
      upTo: RING_MAX - 2,
      ringSize: RING_MAX,
      expected: spans([0, RING_MAX - 2]),
    },
  ])('answers with $title', ({ after, upTo, ringSize, expected }) => {
    expect(spansOf({ after, upTo }, ringSize)).toEqual(expected);
  });

  it('has exactly the positions of the range', () => {
    const ranges = fc.integer({ min: 1, max: 8 }).chain((ringSize) => {
      const position = fc.integer({ min: 0, max: ringSize - 1 });
      return fc.record({ ringSize: fc.constant(ringSize), after: position, upTo: position });
    });
    fc.assert(
      fc.property(ranges, ({ ringSize, after, upTo }) => {
        const range = { after, upTo };
        const all = Array.from({ length: ringSize }, (_, position) => position);
        const found = spansOf(range, ringSize);
        expect(positionsOf(found)).toEqual(all.filter((position) => isInRange(position, range)));
        expectTidy(found);
      }),
    );
  });
});

describe('isInRange', () => {
  it.each([
    { position: 2, expected: false },
    { position: 3, expected: true },
    { position: 5, expected: true },
    { position: 6, expected: false },
  ])('answers $expected for $position behind 2 up to 5', ({ position, expected }) => {
    expect(isInRange(position, { after: 2, upTo: 5 })).toBe(expected);
  });
});

describe('isSameRange', () => {
  it('compares both ends', () => {
    expect(isSameRange({ after: 1, upTo: 2 }, { after: 1, upTo: 2 })).toBe(true);
    expect(isSameRange({ after: 1, upTo: 2 }, { after: 0, upTo: 2 })).toBe(false);
    expect(isSameRange({ after: 1, upTo: 2 }, { after: 1, upTo: 3 })).toBe(false);
  });
});

describe('union', () => {
  it.each([
    { title: 'nothing', of: [], expected: [] },
    { title: 'spans that touch', of: spans([4, 5], [0, 3]), expected: spans([0, 5]) },
    { title: 'spans that overlap', of: spans([0, 4], [3, 6]), expected: spans([0, 6]) },
    { title: 'a span within another', of: spans([0, 9], [3, 4]), expected: spans([0, 9]) },
    { title: 'the same twice', of: spans([3, 4], [3, 4]), expected: spans([3, 4]) },
    { title: 'spans apart', of: spans([5, 6], [0, 3]), expected: spans([0, 3], [5, 6]) },
  ])('joins $title', ({ of, expected }) => {
    expect(union(of)).toEqual(expected);
  });

  it('has the positions of all, in as few spans as possible', () => {
    fc.assert(
      fc.property(someSpans, (some) => {
        const joined = union(some);
        expect(positionsOf(joined)).toEqual(positionsOf(some));
        expectTidy(joined);
      }),
    );
  });
});

describe('difference', () => {
  it('leaves the ends of a span whose middle is taken', () => {
    expect(difference(spans([0, RING_MAX - 1]), spans([5, RING_MAX - 3]))).toEqual(
      spans([0, 4], [RING_MAX - 2, RING_MAX - 1]),
    );
  });

  it('has the positions of the first that the others have not', () => {
    fc.assert(
      fc.property(someSpans, someSpans, (some, others) => {
        const left = difference(some, others);
        const taken = new Set(positionsOf(others));
        expect(positionsOf(left)).toEqual(positionsOf(some).filter((it) => !taken.has(it)));
        expectTidy(left);
      }),
      { numRuns: 500 },
    );
  });
});

describe('isCovered', () => {
  it.each([
    { of: [], by: [], expected: true },
    { of: spans([3, 5]), by: spans([3, 4], [5, 5]), expected: true },
    { of: spans([3, 5]), by: spans([3, 4], [6, 9]), expected: false },
    { of: spans([0, 0]), by: [], expected: false },
  ])('answers $expected for $of by $by', ({ of, by, expected }) => {
    expect(isCovered(of, by)).toBe(expected);
  });

  it('is true exactly when nothing is left over', () => {
    fc.assert(
      fc.property(someSpans, someSpans, (some, others) => {
        const theirs = new Set(positionsOf(others));
        expect(isCovered(some, others)).toBe(positionsOf(some).every((it) => theirs.has(it)));
      }),
    );
  });
});

describe('isInSpans', () => {
  it('is true for the positions of the spans, their ends included', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 15 }), someSpans, (position, some) => {
        expect(isInSpans(position, some)).toBe(positionsOf(some).includes(position));
      }),
    );
  });
});
