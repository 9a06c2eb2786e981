import { describe, expect, it } from 'vitest';
import { drawPlan } from '../../services/simulator/draw-plan.js';
import { runSimulation } from '../../services/simulator/run.js';
import { failureOf, shrink } from '../../services/simulator/shrink.js';

/** A ring that is given too little time to become ideal: a failure that is certain, and no bug. */
const IMPATIENT = { seed: 2, plan: drawPlan({ seed: 2, time: 30_000 }), settleMsMax: 0 };

describe('failureOf', () => {
  it('names what a run lacks, and nothing where it lacks nothing', () => {
    const verdict = runSimulation({ ...IMPATIENT, settleMsMax: 120_000 });
    expect(failureOf(verdict)).toBeUndefined();
    expect(failureOf(runSimulation(IMPATIENT))).toBe('NOT_IDEAL');
    expect(failureOf({ ...verdict, lookups: { ...verdict.lookups, wrong: 1 } })).toBe(
      'WRONG_LOOKUP',
    );
    const violations = [{ rule: 'ONE_ORDERED_RING' as const, peers: [], text: '' }];
    expect(failureOf({ ...verdict, violations })).toBe('ONE_ORDERED_RING');
  });
});

describe('shrink', () => {
  const { plan } = IMPATIENT;
  const smaller = shrink(IMPATIENT, 'NOT_IDEAL');

  it('keeps the failure', () => {
    expect(failureOf(runSimulation({ ...IMPATIENT, plan: smaller }))).toBe('NOT_IDEAL');
  });

  it('leaves out what the failure does not need', () => {
    expect(smaller.faults.length).toBeLessThan(5);
    expect(smaller.faults.length).toBeLessThan(plan.faults.length);
    expect(smaller.nodes).toBeLessThanOrEqual(plan.nodes);
    expect(smaller.time).toBeLessThan(plan.time);
  });

  it('is the same each time', () => {
    expect(shrink(IMPATIENT, 'NOT_IDEAL')).toEqual(smaller);
  });
});
