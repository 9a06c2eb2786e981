import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  AHEAD_MS_MAX,
  COUNTER_MAX,
  compareVersions,
  HybridClock,
  isNewer,
  isTooFarAhead,
  versionText,
  type Version,
} from '../../../services/dht/core/version.js';

const few = fc.integer({ min: 0, max: 3 });
const counters = fc.oneof(few, fc.constantFrom(COUNTER_MAX - 1, COUNTER_MAX));
const versions: fc.Arbitrary<Version> = fc.record({
  wallMs: few,
  counter: counters,
  writer: fc.oneof(few, fc.constant(2 ** 53 - 1)),
});

/** Late enough that no version of these tests is too far ahead. */
const NOW_MS = Number.MAX_SAFE_INTEGER;

describe('HybridClock', () => {
  it('gives versions later than all that it gave and saw, whatever the time of day does', () => {
    const steps = fc.array(
      fc.oneof(
        fc.record({ see: versions }),
        fc.record({ nowMs: fc.integer({ min: 0, max: 5 }), writer: few }),
      ),
      { maxLength: 50 },
    );
    fc.assert(
      fc.property(steps, (all) => {
        const clock = new HybridClock();
        let latest: Version | undefined;
        for (const step of all) {
          if ('see' in step) {
            clock.see(step.see, NOW_MS);
            if (isNewer(step.see, latest)) latest = step.see;
            continue;
          }
          const next = clock.next(step.nowMs, step.writer);
          expect(isNewer(next, latest)).toBe(true);
          expect(next.wallMs).toBeGreaterThanOrEqual(step.nowMs);
          expect(next.counter).toBeLessThanOrEqual(COUNTER_MAX);
          latest = next;
        }
      }),
      { numRuns: 1_000 },
    );
  });

  it('follows the time of day, and counts within a millisecond', () => {
    const clock = new HybridClock();
    expect(clock.next(5, 1)).toEqual({ wallMs: 5, counter: 0, writer: 1 });
    expect(clock.next(5, 2)).toEqual({ wallMs: 5, counter: 1, writer: 2 });
    expect(clock.next(4, 1)).toEqual({ wallMs: 5, counter: 2, writer: 1 });
    expect(clock.next(6, 1)).toEqual({ wallMs: 6, counter: 0, writer: 1 });
  });

  it('goes on to the next millisecond when the counter is used up', () => {
    const clock = new HybridClock();
    clock.see({ wallMs: 5, counter: COUNTER_MAX - 1, writer: 9 }, NOW_MS);
    expect(clock.next(5, 1)).toEqual({ wallMs: 5, counter: COUNTER_MAX, writer: 1 });
    expect(clock.next(5, 1)).toEqual({ wallMs: 6, counter: 0, writer: 1 });
    expect(clock.next(5, 1)).toEqual({ wallMs: 6, counter: 1, writer: 1 });
  });

  it('is not set back by older versions', () => {
    const clock = new HybridClock();
    clock.see({ wallMs: 5, counter: 7, writer: 1 }, NOW_MS);
    clock.see({ wallMs: 4, counter: 9, writer: 1 }, NOW_MS);
    clock.see({ wallMs: 5, counter: 6, writer: 1 }, NOW_MS);
    expect(clock.next(0, 1)).toEqual({ wallMs: 5, counter: 8, writer: 1 });
  });
});

describe('versionText', () => {
  it('is equal exactly when the versions are', () => {
    fc.assert(
      fc.property(versions, versions, (one, other) => {
        const areSame = compareVersions(one, other) === 0;
        expect(versionText(one) === versionText(other)).toBe(areSame);
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('compareVersions', () => {
  it('orders by time, then counter, then writer', () => {
    const ordered = [
      [1, 0, 0],
      [1, 0, 2 ** 53 - 1],
      [1, 1, 0],
      [2, 0, 0],
    ].map(([wallMs = 0, counter = 0, writer = 0]) => ({ wallMs, counter, writer }));
    for (const [index, one] of ordered.entries()) {
      for (const [at, other] of ordered.entries()) {
        expect(Math.sign(compareVersions(one, other))).toBe(Math.sign(index - at));
        expect(isNewer(one, other)).toBe(index > at);
      }
      expect(isNewer(one, undefined)).toBe(true);
    }
  });
});

describe('isTooFarAhead', () => {
  it('believes a version up to the bound', () => {
    const at = (wallMs: number) => ({ wallMs, counter: 0, writer: 1 });
    expect(isTooFarAhead(at(10 + AHEAD_MS_MAX), 10)).toBe(false);
    expect(isTooFarAhead(at(11 + AHEAD_MS_MAX), 10)).toBe(true);
  });
});
