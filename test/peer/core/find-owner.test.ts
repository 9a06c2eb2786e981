import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  findOwner,
  USUAL_MANNER,
  type LookupManner,
} from '../../../services/peer/core/find-owner.js';
import type { PeerRef } from '../../../services/peer/core/ring-space.js';
import { RouteCache } from '../../../services/peer/core/route-cache.js';
import { namesOf, nameOf, peer, peers } from '../ring-text.js';
import { IdealRing, RING_SIZE } from './ideal-ring.js';
import { alive } from './lone-machine.js';
import { talk } from './talk.js';

const RING = [10, 100, 200, 300, 400, 500, 600, 700, 800, 900];

/** p10 looks a position up, with these peers in its cache. */
function find(
  position: number,
  remembered: readonly PeerRef[],
  manner: Partial<LookupManner> = {},
  ring = new IdealRing(RING),
) {
  const self = ring.members[0]!;
  const cache = new RouteCache({ self, ringSize: RING_SIZE, routesMax: 64 });
  for (const one of remembered) cache.learn(one);
  const options = {
    ...ring.optionsOf(self, position),
    cached: () => cache.firstFrom(position, RING_SIZE),
  };
  const { owner, hops, timeouts } = ring.run(findOwner(options, { ...USUAL_MANNER, ...manner }));
  return {
    owner: owner === undefined ? 'nobody' : nameOf(owner),
    hops: namesOf(hops.map((hop) => hop.peer)),
    count: hops.length,
    timeouts,
    asked: ring.asked,
  };
}

describe('findOwner, with a cache', () => {
  it('takes one hop to the member that is remembered', () => {
    expect(find(650, peers(700))).toMatchObject({ owner: 'p700', hops: '[p700]', timeouts: 0 });
  });

  it('takes a later life than the one that is remembered', () => {
    const options = {
      self: peer(20),
      position: 65,
      here: () => ({ kind: 'next-hop', peer: peer(40) }) as const,
      predecessor: () => peer(10),
      asksMax: 20,
      cached: () => peer(70, 2),
    };
    const voices = { 'p70.any ping': alive(peer(70, 5), peer(60)) };
    const { result, asks } = talk(findOwner(options, USUAL_MANNER), voices);
    expect(result).toMatchObject({ owner: peer(70, 5), hops: [{ peer: peer(70, 5) }] });
    expect(asks).toEqual(['p70.any ping']);
  });

  it('is corrected by one that stands too far', () => {
    expect(find(650, peers(800))).toMatchObject({ owner: 'p700', hops: '[p800 p700]' });
  });

  it('walks when one correction was not enough', () => {
    const { owner, asked } = find(650, peers(900));
    expect(owner).toBe('p700');
    expect(asked.slice(0, 3)).toEqual([
      'p900.any ping',
      'p800.any ping',
      'p600 find-successor 650',
    ]);
  });

  it.each([
    { title: 'is silent', wrong: peer(660), timeouts: 1 },
    { title: 'stands elsewhere', wrong: { ...peer(660), address: 'p300' }, timeouts: 0 },
    { title: 'was never so late in its lives', wrong: peer(700, 99), timeouts: 0 },
  ])('walks when the one that is remembered $title', ({ wrong, timeouts }) => {
    expect(find(650, [wrong])).toMatchObject({ owner: 'p700', timeouts });
  });

  it('asks its own successor, whoever is remembered', () => {
    expect(find(50, peers(60, 900)).asked).toEqual(['p100 ping']);
  });

  it('goes the whole way when it is told to', () => {
    const plain = find(650, peers(700), { usesCache: false });
    expect(plain.count).toBeGreaterThan(1);
    expect(plain.owner).toBe('p700');
  });
});

const ringIds = fc.uniqueArray(fc.nat(RING_SIZE - 1), { minLength: 1, maxLength: 24 });
const poison = fc.record({
  ringId: fc.nat(RING_SIZE - 1),
  address: fc.nat(RING_SIZE - 1).map((at) => `p${at}`),
  incarnation: fc.constantFrom(1, 1, 2, 900),
});
const manner = fc.record({
  mode: fc.constantFrom('iterative' as const, 'recursive' as const),
  parallelism: fc.constantFrom(1, 2, 3),
});

describe('findOwner, on any ideal ring', () => {
  it('finds the same owner in every manner, whatever the cache holds', () => {
    fc.assert(
      fc.property(
        ringIds,
        fc.array(poison, { maxLength: 40 }),
        fc.nat(RING_SIZE - 1),
        manner,
        (ids, poisons, position, how) => {
          const ring = new IdealRing(ids);
          const said = poisons.map((one, index) => {
            // Half of the lies are about members that there are.
            const member = ring.members[one.ringId % ring.members.length];
            return index % 2 === 0 && member !== undefined
              ? { ...one, ringId: member.ringId }
              : one;
          });
          expect(find(position, said, how, ring).owner).toBe(nameOf(ring.ownerOf(position)));
        },
      ),
      { numRuns: 500 },
    );
  });

  it('pays one hop more at most for one wrong entry', () => {
    fc.assert(
      fc.property(ringIds, poison, fc.nat(RING_SIZE - 1), (ids, wrong, position) => {
        const plain = find(position, [], { usesCache: false }, new IdealRing(ids));
        const ring = new IdealRing(ids);
        const right = ring.members.filter(({ ringId }) => ringId !== wrong.ringId);
        const misled = find(position, [...right, wrong], {}, ring);
        expect(misled.asked.length).toBeLessThanOrEqual(1 + Math.max(1, plain.asked.length));
      }),
      { numRuns: 500 },
    );
  });
});
