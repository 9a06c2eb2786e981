import { describe, expect, it } from 'vitest';
import { measureChurn } from '../../bench/chord-tables/churn.js';
import { keyPositions, measureLoad } from '../../bench/chord-tables/load-balance.js';
import { measureFailures } from '../../bench/chord-tables/massive-failure.js';
import { measurePathLength } from '../../bench/chord-tables/path-length.js';

describe('measurePathLength', () => {
  it('finds half of log2 N forwards at N = 256, within 5 %', () => {
    const options = { nodes: 256, successorsMax: 1, lookups: 4_000, rings: 4 };
    const { forwards } = measurePathLength(options);
    expect(forwards.mean).toBeGreaterThan(4 * 0.95);
    expect(forwards.mean).toBeLessThan(4 * 1.05);
    expect(forwards.first).toBeLessThanOrEqual(1);
    expect(forwards.last).toBe(7);
  });

  it('finds shorter ways with longer lists', () => {
    const [r1, r8] = [1, 8].map((successorsMax) =>
      measurePathLength({ nodes: 128, successorsMax, lookups: 1_000, rings: 1 }),
    );
    // The paper: half of log2 r shorter, the owner counted in both.
    expect(r1!.withOwner.mean - r8!.withOwner.mean).toBeGreaterThan(1);
    expect(r1!.withOwner.mean - r8!.withOwner.mean).toBeLessThan(2);
  });

  it('gives the same figures for the same seed', () => {
    const options = { nodes: 32, successorsMax: 2, lookups: 100, rings: 2 };
    expect(measurePathLength(options)).toEqual(measurePathLength(options));
  });
});

describe('measureFailures', () => {
  const rows = measureFailures({
    nodes: 128,
    successorsMax: 8,
    lookups: 1_000,
    draws: 2,
    fractions: [0, 0.3],
  });

  it('counts no time-out while all live', () => {
    expect(rows[0]).toMatchObject({ failed: 0, timeouts: { mean: 0, last: 0 } });
    expect(rows[0]!.answers).toEqual(rows[0]!.pathLength);
  });

  it('finds every owner with 30 % of the peers dead', () => {
    expect(rows[1]!.failed).toBe(0);
    expect(rows[1]!.timeouts.mean).toBeGreaterThan(0.5);
    expect(rows[1]!.timeouts.mean).toBeLessThan(2);
    expect(rows[1]!.pathLength.mean).toBeGreaterThan(rows[0]!.pathLength.mean);
  });
});

describe('measureChurn', () => {
  it('finds the current owner while peers come and go', () => {
    const row = measureChurn({ nodes: 64, successorsMax: 8, lookups: 300, perSecond: 0.05 });
    expect(row).toMatchObject({ lookups: 300, failed: 0 });
    expect(row.pathLength.mean).toBeLessThan(4);
    expect(row.membersAtEnd).not.toBe(64);
  });
});

describe('measureLoad', () => {
  const positions = keyPositions(50_000);

  it('deals out every key', () => {
    const { keysOfPeer, empty } = measureLoad(positions, 1_000, 1);
    expect(keysOfPeer.mean).toBe(50);
    expect(keysOfPeer.last / keysOfPeer.mean).toBeGreaterThan(3.5);
    expect(empty).toBeGreaterThan(5);
  });

  it('deals them out more evenly to virtual nodes', () => {
    const { keysOfPeer, empty } = measureLoad(positions, 1_000, 20);
    expect(keysOfPeer.mean).toBe(50);
    expect(keysOfPeer.last / keysOfPeer.mean).toBeLessThan(1.8);
    expect(empty).toBe(0);
  });
});
