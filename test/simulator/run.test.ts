import { describe, expect, it } from 'vitest';
import { runSimulation } from '../../services/simulator/run.js';

const OPTIONS = { faultsMs: 30_000, settleMsMax: 120_000 };
const FIXED_SEEDS = Array.from({ length: 20 }, (_, index) => index + 1);
/** Seeds that once broke a rule or did not settle. */
const FAILED_ONCE = [27, 32, 37, 65, 72, 79, 86, 113, 138, 212, 287, 334, 411, 430, 5017];

describe('runSimulation', () => {
  it.each([...FIXED_SEEDS, ...FAILED_ONCE])('keeps every rule with seed %i', (seed) => {
    const verdict = runSimulation({ seed, ...OPTIONS });
    expect(verdict.violations, verdict.trace.join('\n')).toEqual([]);
    expect(verdict.settledMs, verdict.trace.join('\n')).toBeDefined();
    expect(verdict.lookups.wrong).toBe(0);
    expect(verdict.checker.checks).toBeGreaterThan(1_000);
  });

  it('gives the same verdict for the same seed', () => {
    expect(runSimulation({ seed: 5, ...OPTIONS })).toEqual(runSimulation({ seed: 5, ...OPTIONS }));
  });

  it('tries every kind of fault within the fixed seeds', () => {
    const kinds = FIXED_SEEDS.flatMap((seed) =>
      Object.keys(runSimulation({ seed, ...OPTIONS, faultsMs: 20_000 }).faults),
    );
    expect([...new Set(kinds)].sort()).toEqual(
      ['crash', 'crash-any', 'cut', 'join', 'leave', 'mend', 'pause', 'restart'].sort(),
    );
  });
});
