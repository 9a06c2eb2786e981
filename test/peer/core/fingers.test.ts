import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Fingers } from '../../../services/peer/core/fingers.js';
import { clockwise, distance } from '../../../services/peer/core/ring-space.js';
import { nameOf, namesOf, peer, peers } from '../ring-text.js';

const tableOf = (fingers: Fingers) =>
  fingers.entries().map(({ start, peer: there }) => `${start} ${nameOf(there)}`);

/** p10 on a ring of 64, with lists that reach to p14. */
const NEAR = peers(12, 14);

describe('Fingers', () => {
  it('skips what its successors cover', () => {
    expect(new Fingers(peer(10), 64).next(NEAR)).toBe(18);
    expect(new Fingers(peer(10), 64).next(peers(12))).toBe(14);
    expect(new Fingers(peer(10), 64).next(peers(11))).toBe(12);
  });

  it('asks for the same position until it is told the owner', () => {
    const fingers = new Fingers(peer(10), 64);
    expect([fingers.next(NEAR), fingers.next(NEAR)]).toEqual([18, 18]);
  });

  it('settles every finger up to the owner by one lookup', () => {
    const fingers = new Fingers(peer(10), 64);
    fingers.next(NEAR);
    fingers.store(peer(26));
    expect(tableOf(fingers)).toEqual(['18 p26', '26 p26']);
    expect(fingers.next(NEAR)).toBe(42);
    fingers.store(peer(50));
    expect(tableOf(fingers)).toEqual(['18 p26', '26 p26', '42 p50']);
  });

  it('says once that a round is complete, then begins again', () => {
    const fingers = new Fingers(peer(10), 64);
    fingers.next(NEAR);
    fingers.store(peer(60));
    expect([fingers.next(NEAR), fingers.next(NEAR)]).toEqual([undefined, 18]);
  });

  it('has nothing to look up without a successor', () => {
    const fingers = new Fingers(peer(10), 64);
    fingers.next(NEAR);
    fingers.store(peer(26));
    expect(fingers.next([])).toBeUndefined();
    expect(fingers.next(NEAR)).toBe(18);
  });

  it.each([
    { title: 'nobody was found', owner: undefined },
    { title: 'the owner is the peer itself', owner: peer(10) },
  ])('drops a finger and goes on when $title', ({ owner }) => {
    const fingers = new Fingers(peer(10), 64);
    fingers.next(NEAR);
    fingers.store(peer(26));
    while (fingers.next(NEAR) !== undefined) fingers.store(undefined);
    fingers.next(NEAR);
    fingers.store(owner);
    expect(tableOf(fingers)).toEqual(['26 p26']);
    expect(fingers.next(NEAR)).toBe(26);
  });

  it('drops a finger that its successors have come to cover', () => {
    const fingers = new Fingers(peer(10), 64);
    fingers.next(peers(12));
    fingers.store(peer(20));
    expect(tableOf(fingers)).toEqual(['14 p20', '18 p20']);
    while (fingers.next(NEAR) !== undefined) fingers.store(undefined);
    fingers.next(NEAR);
    expect(tableOf(fingers)).toEqual(['18 p20']);
  });

  it('replaces the owner of a former round', () => {
    const fingers = new Fingers(peer(10), 64);
    for (const owner of [26, 22]) {
      fingers.next(NEAR);
      fingers.store(peer(owner));
      while (fingers.next(NEAR) !== undefined) fingers.store(peer(50));
    }
    expect(tableOf(fingers)[0]).toBe('18 p22');
  });

  it.each([
    { title: 'a power of two', size: 32, starts: [2, 4, 8, 16] },
    { title: 'one more than a power of two', size: 33, starts: [2, 4, 8, 16, 32] },
    { title: 'one less than a power of two', size: 31, starts: [2, 4, 8, 16] },
    { title: 'the smallest with a finger', size: 3, starts: [2] },
    { title: 'the smallest without', size: 2, starts: [] },
  ])('has a finger for every power of two below a ring size of $title', ({ size, starts }) => {
    const fingers = new Fingers(peer(0), size);
    const asked: number[] = [];
    for (let at = fingers.next(peers(1)); at !== undefined; at = fingers.next(peers(1))) {
      asked.push(at);
      fingers.store(undefined);
    }
    expect(asked).toEqual(starts);
  });

  it('reaches across the closing of the circle', () => {
    expect(new Fingers(peer(45), 50).next(peers(49))).toBe(3);
  });

  it('forgets a life wherever it stands, and only that', () => {
    const fingers = new Fingers(peer(10), 64);
    fingers.next(NEAR);
    fingers.store(peer(26));
    fingers.next(NEAR);
    fingers.store(peer(50));
    fingers.forget(peer(26, 2));
    expect(namesOf([...fingers.peers()])).toBe('[p26 p26 p50]');
    fingers.forget(peer(26));
    expect(namesOf([...fingers.peers()])).toBe('[p50]');
  });

  it('points at the owner of every position that it stands for, by few lookups', () => {
    const ring = fc.uniqueArray(fc.nat(99), { minLength: 2, maxLength: 20 });
    fc.assert(
      fc.property(ring, fc.integer({ min: 100, max: 300 }), (ringIds, size) => {
        const [self = 0, ...others] = ringIds;
        const far = (to: number) => distance(self, to, size);
        const ordered = [...others].sort((one, other) => far(one) - far(other));
        const ownerOf = (start: number) => ordered.find((it) => far(it) >= far(start)) ?? self;
        const list = peers(...ordered.slice(0, 3));
        const fingers = new Fingers(peer(self), size);
        let lookups = 0;
        for (let at = fingers.next(list); at !== undefined; at = fingers.next(list)) {
          lookups += 1;
          fingers.store(peer(ownerOf(at)));
        }
        const powers = Array.from({ length: 9 }, (_, power) => 2 ** power);
        const starts = powers
          .filter((offset) => offset < size && offset > far(list.at(-1)?.ringId ?? 0))
          .map((offset) => clockwise(self, offset, size))
          .filter((start) => ownerOf(start) !== self);
        expect(tableOf(fingers)).toEqual(starts.map((start) => `${start} p${ownerOf(start)}`));
        expect(lookups).toBeLessThanOrEqual(9);
      }),
    );
  });
});
