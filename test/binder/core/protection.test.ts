import { describe, expect, it } from 'vitest';
import { Departures, mayRemove } from '../../../services/binder/core/protection.js';

const LIMITS = { share: 0.5, endpointsMin: 4 };

describe('mayRemove', () => {
  it.each([
    ['the only one', { live: 1, held: 0, departed: 0 }, true],
    ['all three of a small service', { live: 1, held: 0, departed: 2 }, true],
    ['the second of four', { live: 3, held: 0, departed: 1 }, true],
    ['the third of four', { live: 2, held: 0, departed: 2 }, false],
    ['the third of four whose second is held', { live: 3, held: 1, departed: 1 }, false],
    ['the first of five after one of them has come back', { live: 5, held: 0, departed: 0 }, true],
    [
      'one that is held, when others have come',
      { live: 10, held: 4, departed: 0, isHeld: true },
      true,
    ],
    [
      'one that is held, of a service that has become small',
      { live: 3, held: 2, departed: 0, isHeld: true },
      false,
    ],
  ])('judges %s', (_, situation, expected) => {
    expect(mayRemove({ isHeld: false, ...situation }, LIMITS)).toBe(expected);
  });

  it('protects nothing with a share of 1, and everything of a service with 0', () => {
    const situation = { live: 10, held: 0, departed: 9, isHeld: false };
    expect(mayRemove(situation, { ...LIMITS, share: 1 })).toBe(true);
    expect(mayRemove({ ...situation, departed: 0 }, { ...LIMITS, share: 0 })).toBe(false);
  });
});

describe('Departures', () => {
  it('counts those within a window', () => {
    const departures = new Departures();
    for (const atMs of [100, 200, 300]) departures.add(atMs);
    expect(departures.within(150, 300)).toBe(2);
    expect(departures.within(1_000, 300)).toBe(3);
    expect(departures.within(100, 1_000)).toBe(0);
  });
});
