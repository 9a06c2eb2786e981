import { describe, expect, it } from 'vitest';
import { RateLimit, withRate } from '../../services/legacy/core/rate-limit.js';

describe('RateLimit', () => {
  it('lets a burst pass, then as many as the rate, for each host by itself', () => {
    const limit = new RateLimit({ perSecond: 10, burst: 3, hostsMax: 100 });
    expect([0, 0, 0, 0].map((nowMs) => limit.take('a', nowMs))).toEqual([true, true, true, false]);
    expect(limit.take('b', 0)).toBe(true);
    expect(limit.take('a', 99)).toBe(false);
    expect(limit.take('a', 100)).toBe(true);
    expect(limit.take('a', 101)).toBe(false);
    expect([1e6, 1e6, 1e6, 1e6].map((nowMs) => limit.take('a', nowMs))).toEqual([
      true,
      true,
      true,
      false,
    ]);
  });

  it('keeps no more hosts than it may, and forgets the one heard longest ago', () => {
    const limit = new RateLimit({ perSecond: 1, burst: 1, hostsMax: 2 });
    for (const host of ['a', 'b', 'a', 'c']) limit.take(host, 0);
    expect(limit.take('a', 0)).toBe(false);
    expect(limit.take('b', 0)).toBe(true);
  });
});

describe('withRate', () => {
  const limits = { perSecond: 10, burst: 7, hostsMax: 3 };

  it('changes the rate and twice as much at once, and nothing without a rate', () => {
    expect(withRate(limits, 50)).toEqual({ perSecond: 50, burst: 100, hostsMax: 3 });
    expect(withRate(limits, undefined)).toEqual(limits);
  });
});
