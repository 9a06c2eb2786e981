import { describe, expect, it } from 'vitest';
import { drawTablePlan } from '../../services/simulator/draw-plan.js';
import { CALM, type Plan } from '../../services/simulator/plan.js';
import { runSimulation, type RunVerdict } from '../../services/simulator/run.js';
import { USUAL_TABLE } from '../../services/simulator/table/table-plan.js';

const FIXED_SEEDS = Array.from({ length: 20 }, (_, index) => index + 1);
/** Each of them has found a bug. */
const FAILED_ONCE = [
  22, 43, 77, 88, 97, 326, 383, 553, 20_155, 20_236, 21_088, 21_424, 21_741, 21_911, 22_067, 23_079,
];

const run = (seed: number, plan: Plan = drawTablePlan({ seed, time: 60_000 })): RunVerdict =>
  runSimulation({ seed, plan, settleMsMax: 120_000 });

describe('runSimulation with a table', () => {
  it.each([...FIXED_SEEDS, ...FAILED_ONCE])('keeps every promise with seed %i', (seed) => {
    const { violations, settledMs } = run(seed);
    expect(violations).toEqual([]);
    expect(settledMs).toBeDefined();
  });

  it('does the same with the same seed', () => {
    expect(run(5)).toEqual(run(5));
  });

  it('answers every call while nothing happens, and judges every read', () => {
    const plan = { nodes: 6, successors: 4, time: 30_000, network: CALM, faults: [] };
    const { table, violations } = run(1, { ...plan, table: USUAL_TABLE });
    expect(violations).toEqual([]);
    expect(table).toMatchObject({ refused: 0 });
    expect(table?.judgedReads).toBeGreaterThan(50);
    expect(table?.views).toBeGreaterThan(50);
  });

  it('loses disks, and has nodes away for longer than the dead are kept', () => {
    const verdicts = FIXED_SEEDS.map((seed) => drawTablePlan({ seed, time: 60_000 }));
    const kinds = verdicts.flatMap(({ faults }) => faults.map(({ kind }) => kind));
    expect(kinds.filter((kind) => kind === 'wipe').length).toBeGreaterThan(20);
    expect(verdicts.some(({ table }) => (table?.grace ?? 0) < 60_000)).toBe(true);
  });
});
