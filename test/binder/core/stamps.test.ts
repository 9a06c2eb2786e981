import { describe, expect, it } from 'vitest';
import { givenAtMs, isTooFarAhead, Stamps } from '../../../services/binder/core/stamps.js';

const NOW_MS = 1_750_000_000_000;

describe('Stamps', () => {
  it('grow, also when the clock stands still or runs back', () => {
    const stamps = new Stamps('b1');
    const given = [NOW_MS, NOW_MS, NOW_MS - 5_000, NOW_MS + 1].map((nowMs) => stamps.next(nowMs));
    expect([...given].sort((one, other) => one - other)).toEqual(given);
    expect(new Set(given).size).toBe(4);
    expect(given.every(Number.isSafeInteger)).toBe(true);
  });

  it('are greater than what was seen of other binders', () => {
    const [one, other] = [new Stamps('b1'), new Stamps('b2')];
    const ahead = one.next(NOW_MS + 60_000);
    other.see(ahead);
    expect(other.next(NOW_MS)).toBeGreaterThan(ahead);
  });

  it('of two binders differ at the same moment', () => {
    expect(new Stamps('127.0.0.1:7400').next(NOW_MS)).not.toBe(
      new Stamps('127.0.0.1:7401').next(NOW_MS),
    );
  });

  it('tell when they were given, and when that can not be', () => {
    const stamp = new Stamps('b1').next(NOW_MS);
    expect(givenAtMs(stamp)).toBe(NOW_MS);
    expect(isTooFarAhead(stamp, NOW_MS - 3_600_000)).toBe(false);
    expect(isTooFarAhead(stamp, NOW_MS - 3_600_001)).toBe(true);
  });
});
