/** One check, which ends in time whatever the other side does. */
import { systemClock } from '../../system/clock.js';
import type { CheckOutcome } from '../core/health-check.js';
import { failed, failedBy } from './outcome.js';

/** Where a check says what it has found. */
export type Findings = {
  /** Ends the check; only the first counts. */
  readonly finish: (outcome: CheckOutcome) => void;
  /** What it is to be if the time is over before it ends. */
  readonly expect: (outcome: CheckOutcome) => void;
};

/** Where to connect to. */
export type Target = {
  readonly host: string;
  readonly port: number;
  /** Certificates to trust, as PEM; undefined: those of the system. */
  readonly roots: string | undefined;
};

/** Begins a check, and stops it when it has ended; `start` returns what closes its connection. */
export async function attempt(
  timeoutMs: number,
  start: (findings: Findings) => () => void,
): Promise<CheckOutcome> {
  return new Promise((resolve) => {
    const wholeMs = Math.ceil(timeoutMs);
    let isOver = false;
    let late = failed(`timed out after ${wholeMs} ms`);
    let close = (): void => undefined;
    const finish = (outcome: CheckOutcome): void => {
      if (isOver) return;
      isOver = true;
      cancelTimer();
      close();
      resolve(outcome);
    };
    const cancelTimer = systemClock.after(wholeMs, () => finish(late));
    try {
      close = start({ finish, expect: (outcome) => (late = outcome) });
    } catch (thrown) {
      finish(failedBy(thrown instanceof Error ? thrown : new Error(String(thrown))));
    }
  });
}
