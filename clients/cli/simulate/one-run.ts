/** One seed: run, and when it fails, shrunk. The same in the process itself and in a worker. */
import type { Plan } from '../../../services/simulator/plan.js';
import {
  type Run,
  runToEnd,
  type RunOptions,
  type RunVerdict,
} from '../../../services/simulator/run.js';
import { failureOf, shrink } from '../../../services/simulator/shrink.js';

/** Virtual time from the end of the faults within which the ring must be ideal. */
export const SETTLE_MS_MAX = 120_000;

export type Outcome = {
  readonly verdict: RunVerdict;
  /** Of a run that failed. */
  readonly smallerPlan?: Plan;
};

export function outcomeOf(run: Run, options: RunOptions): Outcome {
  const verdict = run.verdict();
  const failure = failureOf(verdict);
  return failure === undefined ? { verdict } : { verdict, smallerPlan: shrink(options, failure) };
}

/** What a worker is asked to do. */
export function runSeed(options: RunOptions): Outcome {
  return outcomeOf(runToEnd(options), options);
}
