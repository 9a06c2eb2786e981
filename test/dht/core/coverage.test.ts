import { describe, expect, it } from 'vitest';
import { Coverage, LEASE_MS } from '../../../services/dht/core/coverage.js';
import type { ReplicaSet } from '../../../services/dht/core/replica-set.js';
import { peer } from '../../peer/ring-text.js';

const RING_SIZE = 64;
const LEASES_MAX = 64;

const setOf = (after: number, upTo: number): ReplicaSet => ({
  range: { after, upTo },
  peers: [peer(upTo), peer(20)],
});

const create = (ringSize = RING_SIZE) => new Coverage(ringSize);

describe('Coverage', () => {
  it('covers nothing at first', () => {
    const coverage = create();
    expect(coverage.setFor(5)).toBeUndefined();
    expect(coverage.isWholeAt(5)).toBe(false);
    expect({ spans: coverage.spans, whole: coverage.wholeSpans, sets: coverage.sets }).toEqual({
      spans: [],
      whole: [],
      sets: [],
    });
  });

  it.each([
    { position: 10, isIn: false },
    { position: 11, isIn: true },
    { position: 15, isIn: true },
    { position: 16, isIn: false },
  ])('has a lease for $position behind 10 up to 15: $isIn', ({ position, isIn }) => {
    const coverage = create();
    coverage.grant(setOf(10, 15), true, 0);
    expect(coverage.setFor(position)).toEqual(isIn ? setOf(10, 15) : undefined);
    expect(coverage.isWholeAt(position)).toBe(isIn);
  });

  it('has the spans of all leases, and of those that are whole', () => {
    const coverage = create();
    coverage.grant(setOf(60, 5), true, 0);
    coverage.grant(setOf(5, 9), false, 0);
    expect(coverage.spans).toEqual([
      { first: 0, last: 9 },
      { first: 61, last: 63 },
    ]);
    expect(coverage.wholeSpans).toEqual([
      { first: 0, last: 5 },
      { first: 61, last: 63 },
    ]);
    expect(coverage.sets).toEqual([setOf(60, 5), setOf(5, 9)]);
  });

  it('takes the last word of an owner', () => {
    const coverage = create();
    coverage.grant(setOf(10, 15), true, 0);
    coverage.grant(setOf(12, 15), false, 1);
    expect(coverage.setFor(12)).toBeUndefined();
    expect(coverage.setFor(13)).toEqual(setOf(12, 15));
    expect(coverage.isWholeAt(13)).toBe(false);
  });

  it('believes the nearer of two owners of one position, in whatever order they came', () => {
    const [older, newer] = [setOf(10, 30), setOf(10, 15)];
    for (const order of [
      [older, newer],
      [newer, older],
    ]) {
      const coverage = create();
      for (const set of order) coverage.grant(set, set === older, 0);
      expect(coverage.setFor(12)).toEqual(newer);
      expect(coverage.isWholeAt(12)).toBe(false);
      expect(coverage.setFor(16)).toEqual(older);
      expect(coverage.isWholeAt(16)).toBe(true);
    }
  });

  it('believes the nearer owner also behind position 0', () => {
    const coverage = create();
    coverage.grant(setOf(50, 10), true, 0);
    coverage.grant(setOf(50, 2), false, 0);
    expect(coverage.setFor(60)).toEqual(setOf(50, 2));
    expect(coverage.setFor(5)).toEqual(setOf(50, 10));
  });

  it('ends a lease that is not renewed', () => {
    const coverage = create();
    coverage.grant(setOf(10, 15), true, 0);
    coverage.grant(setOf(15, 30), true, 1);
    coverage.expire(LEASE_MS - 1);
    expect(coverage.sets).toHaveLength(2);
    coverage.expire(LEASE_MS);
    expect(coverage.sets).toEqual([setOf(15, 30)]);
    coverage.grant(setOf(15, 30), true, LEASE_MS);
    coverage.expire(LEASE_MS + 1);
    expect(coverage.sets).toEqual([setOf(15, 30)]);
  });

  it('ends a lease that is revoked, and all when it is cleared', () => {
    const coverage = create();
    for (const set of [setOf(10, 15), setOf(15, 30), setOf(30, 40)]) coverage.grant(set, true, 0);
    coverage.revoke(15);
    coverage.revoke(16);
    expect(coverage.sets).toEqual([setOf(15, 30), setOf(30, 40)]);
    coverage.clear();
    expect(coverage.spans).toEqual([]);
  });

  it('keeps no more leases than it may, and gives up the one renewed longest ago', () => {
    const coverage = create(1_000);
    const sets = Array.from({ length: LEASES_MAX + 1 }, (_, index) => setOf(index, index + 1));
    for (const set of sets.slice(0, LEASES_MAX)) coverage.grant(set, true, 0);
    coverage.grant(sets[0]!, true, 1);
    coverage.grant(sets[LEASES_MAX]!, true, 2);
    expect(coverage.sets).toHaveLength(LEASES_MAX);
    expect(coverage.setFor(1)).toEqual(sets[0]);
    expect(coverage.setFor(2)).toBeUndefined();
  });

  it('covers a ring of one position', () => {
    const coverage = create(1);
    coverage.grant({ range: { after: 0, upTo: 0 }, peers: [peer(0)] }, true, 0);
    expect(coverage.wholeSpans).toEqual([{ first: 0, last: 0 }]);
  });
});
