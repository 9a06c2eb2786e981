import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { PeerRef } from '../../../services/peer/core/ring-space.js';
import { RouteCache } from '../../../services/peer/core/route-cache.js';
import { nameOf, namesOf, peer, peers } from '../ring-text.js';

const RING_SIZE = 64;

function cacheOf(all: readonly PeerRef[], routesMax = 8): RouteCache {
  const cache = new RouteCache({ self: peer(20), ringSize: RING_SIZE, routesMax });
  for (const one of all) cache.learn(one);
  return cache;
}

const firstFrom = (cache: RouteCache, position: number, stepsMax = RING_SIZE): string => {
  const first = cache.firstFrom(position, stepsMax);
  return first === undefined ? 'nobody' : nameOf(first);
};

describe('RouteCache.firstFrom', () => {
  it.each([
    { title: 'before all', position: 5, first: 'p10' },
    { title: 'at one', position: 30, first: 'p30' },
    { title: 'just after one', position: 31, first: 'p50' },
    { title: 'after all', position: 51, first: 'p10' },
  ])('finds the first member from a position $title', ({ position, first }) => {
    expect(firstFrom(cacheOf(peers(50, 10, 30)), position)).toBe(first);
  });

  it.each([
    { stepsMax: 19, first: 'nobody' },
    { stepsMax: 20, first: 'p10' },
  ])('looks no farther than $stepsMax steps', ({ stepsMax, first }) => {
    expect(firstFrom(cacheOf(peers(10, 30)), 54, stepsMax)).toBe(first);
  });

  it('finds nobody in an empty one', () => {
    expect(firstFrom(cacheOf([]), 5)).toBe('nobody');
  });
});

describe('RouteCache.learn', () => {
  it('keeps one life of each member, in ring order', () => {
    expect(namesOf(cacheOf(peers(50, 10, 30, 10)).peers())).toBe('[p10 p30 p50]');
  });

  it('takes a later life for an earlier one, and not the other way', () => {
    const cache = cacheOf([peer(30, 2), peer(30, 3), peer(30, 2)]);
    expect(namesOf(cache.peers())).toBe('[p30.3]');
  });

  it('keeps neither itself nor a life that is not named', () => {
    expect(cacheOf([peer(20, 5), peer(30, 0)]).size).toBe(0);
  });

  it('makes room by dropping the one heard of longest ago', () => {
    const cache = cacheOf(peers(10, 30, 40), 3);
    cache.learn(peer(10));
    cache.learn(peer(50));
    expect(namesOf(cache.peers())).toBe('[p10 p40 p50]');
  });

  it('keeps nothing when it may keep nothing', () => {
    const cache = cacheOf(peers(10, 30), 0);
    cache.hear(peer(40));
    cache.forget(peer(10));
    expect(cache.size).toBe(0);
  });
});

describe('RouteCache.forget', () => {
  it('drops that life and those before it, and no later one', () => {
    const cache = cacheOf([peer(10, 2), peer(30, 2), peer(40, 2)]);
    for (const gone of [peer(10, 2), peer(30, 3), peer(40, 1)]) cache.forget(gone);
    expect(namesOf(cache.peers())).toBe('[p40.2]');
  });

  it('means the life that it knows when none is named, at that address', () => {
    const cache = cacheOf([peer(30, 2), peer(40, 2)]);
    cache.forget(peer(30, 0));
    cache.forget({ ...peer(40, 0), address: 'elsewhere' });
    expect(namesOf(cache.peers())).toBe('[p40.2]');
  });

  it('does not believe others who go on naming that life, only a later one', () => {
    const cache = cacheOf([peer(30, 2)]);
    cache.forget(peer(30, 2));
    cache.learn(peer(30, 2));
    expect(cache.size).toBe(0);
    cache.learn(peer(30, 3));
    expect(namesOf(cache.peers())).toBe('[p30.3]');
  });
});

describe('RouteCache.hear', () => {
  it('believes a member of itself, whatever was said of it', () => {
    const cache = cacheOf([{ ...peer(30, 900), address: 'elsewhere' }]);
    cache.hear(peer(30, 2));
    expect(cache.peers()).toEqual([peer(30, 2)]);
    cache.forget(peer(30, 2));
    cache.hear(peer(30, 2));
    expect(cache.size).toBe(1);
  });
});

describe('RouteCache', () => {
  it('finds what a plain search finds, within its bound, after any changes', () => {
    const change = fc.record({
      kind: fc.constantFrom('learn' as const, 'hear' as const, 'forget' as const),
      ringId: fc.nat(RING_SIZE - 1),
      life: fc.nat(3),
    });
    fc.assert(
      fc.property(fc.array(change, { maxLength: 80 }), fc.nat(RING_SIZE - 1), (all, position) => {
        const cache = cacheOf([], 8);
        for (const { kind, ringId, life } of all) cache[kind](peer(ringId, life));
        const ringIds = cache.peers().map(({ ringId }) => ringId);
        expect(ringIds).toEqual([...new Set(ringIds)].sort((one, other) => one - other));
        expect(ringIds.length).toBeLessThanOrEqual(8);
        const first = ringIds.find((ringId) => ringId >= position) ?? ringIds[0];
        expect(cache.firstFrom(position, RING_SIZE)?.ringId).toBe(first);
      }),
    );
  });
});
