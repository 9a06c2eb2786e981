import { describe, expect, it } from 'vitest';
import {
  judge,
  listingOf,
  ringIdKey,
  ringIdOfKey,
  startSearch,
} from '../../services/hash/core/assignment.js';

/** Searches a ring page by page, as the keeper does; counts the pages. */
function searchAll(taken: readonly number[], first: number, ringSize: number, limit: number) {
  const sorted = [...taken].sort((one, other) => one - other);
  let search = startSearch(first, ringSize);
  for (let pages = 1; ; pages += 1) {
    const { at } = search;
    const finding = judge(search, sorted.filter((ringId) => ringId >= at).slice(0, limit));
    if (finding.kind !== 'undecided') return { finding, pages };
    search = finding.search;
  }
}

const free = (ringId: number) => ({ kind: 'free', ringId });

describe('judge', () => {
  it.each([
    { title: 'the first choice, when it is free', taken: [], first: 2, expected: free(2) },
    { title: 'the first choice among others', taken: [1, 3], first: 2, expected: free(2) },
    { title: 'the next one clockwise', taken: [2], first: 2, expected: free(3) },
    { title: 'the end of a run', taken: [1, 2, 3], first: 2, expected: free(4) },
    { title: 'a gap between two runs', taken: [0, 1, 3, 4], first: 0, expected: free(2) },
    { title: 'position 0, past the end', taken: [4], first: 4, expected: free(0) },
    { title: 'a gap past the end', taken: [0, 1, 3, 4], first: 3, expected: free(2) },
    {
      title: 'the position before the first choice',
      taken: [0, 2, 3, 4],
      first: 2,
      expected: free(1),
    },
    {
      title: 'nothing on a full ring',
      taken: [0, 1, 2, 3, 4],
      first: 2,
      expected: { kind: 'full' },
    },
    {
      title: 'nothing on a full ring, from 0',
      taken: [0, 1, 2, 3, 4],
      first: 0,
      expected: { kind: 'full' },
    },
  ])('finds $title', ({ taken, first, expected }) => {
    for (const limit of [1, 2, 3, 5, 100]) {
      expect(searchAll(taken, first, 5, limit).finding).toEqual(expected);
    }
  });

  it('finds the only position of the smallest ring, and that it is full', () => {
    expect(searchAll([], 0, 1, 1).finding).toEqual(free(0));
    expect(searchAll([0], 0, 1, 1).finding).toEqual({ kind: 'full' });
  });

  it('looks at one page only, however many are taken elsewhere', () => {
    const taken = Array.from({ length: 10_000 }, (_, index) => index * 3);
    expect(searchAll(taken, 15_000, 2 ** 53, 2)).toEqual({ finding: free(15_001), pages: 1 });
  });

  it('agrees with a search one by one on every ring of six', () => {
    for (let mask = 0; mask < 64; mask += 1) {
      const taken = [0, 1, 2, 3, 4, 5].filter((ringId) => (mask >> ringId) & 1);
      for (let first = 0; first < 6; first += 1) {
        const clockwise = [0, 1, 2, 3, 4, 5].map((step) => (first + step) % 6);
        const expected = clockwise.find((ringId) => !taken.includes(ringId));
        const { finding } = searchAll(taken, first, 6, 2);
        expect(finding).toEqual(expected === undefined ? { kind: 'full' } : free(expected));
      }
    }
  });
});

describe('ringIdKey', () => {
  it.each([0, 9, 10, 2 ** 31, 2 ** 53 - 1])('keeps %d', (ringId) => {
    expect(ringIdOfKey(ringIdKey(ringId))).toBe(ringId);
  });

  it('sorts like the numbers', () => {
    const keys = [0, 9, 10, 99, 100, 2 ** 31, 2 ** 53 - 1].map(ringIdKey);
    expect([...keys].sort()).toEqual(keys);
  });
});

describe('listingOf', () => {
  it('includes the position it begins at', () => {
    expect(listingOf(startSearch(7, 10), 3).after).toBe(ringIdKey(6));
    expect(listingOf(startSearch(0, 10), 3).after).toBeUndefined();
  });
});
