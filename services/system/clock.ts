/**
 * Time, as something that is handed in: the system's in a node, a fake one in tests.
 *
 * Two readings that must not be mixed: `now` is for people and for other machines, `monotonicMs` is
 * for measuring how long something takes on this one.
 */

/** Stops what it was given for; harmless when repeated, and when that has already happened. */
export type Cancel = () => void;

export interface Clock {
  /** Milliseconds since the epoch, an integer. Jumps when somebody sets the system's clock. */
  now(): number;
  /** Milliseconds since some moment of its own, with fractions. Never jumps and never runs back. */
  monotonicMs(): number;
  /** Calls once, no earlier than after `ms`, an integer from 0 to `TIMER_MS_MAX`. */
  after(ms: number, act: () => void): Cancel;
  /** Calls again and again, `ms` apart, an integer from 1 to `TIMER_MS_MAX`. */
  every(ms: number, act: () => void): Cancel;
}

/** 24 days: beyond it the system's timers would fire at once. */
export const TIMER_MS_MAX = 2 ** 31 - 1;

/** The clock of the system. Its timers keep the process alive until they are cancelled. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonicMs: () => performance.now(),
  after: (ms, act) => {
    assertTimer(ms, 0);
    const timer = setTimeout(act, ms);
    return () => clearTimeout(timer);
  },
  every: (ms, act) => {
    assertTimer(ms, 1);
    const timer = setInterval(act, ms);
    return () => clearInterval(timer);
  },
};

/** Throws a `RangeError` when a timer can't run for so long. */
export function assertTimer(ms: number, msMin: 0 | 1): void {
  if (!Number.isInteger(ms) || ms < msMin || ms > TIMER_MS_MAX) {
    throw new RangeError(`a timer of ${ms} ms; ${msMin} to ${TIMER_MS_MAX} allowed`);
  }
}

/** Calls `act` once: after so long, when the signal says so, or when the result is called. */
export function onceAfter(
  clock: Clock,
  ms: number,
  signal: AbortSignal,
  act: () => void,
): () => void {
  let isDone = false;
  const finish = (): void => {
    if (isDone) return;
    isDone = true;
    cancelTimer();
    signal.removeEventListener('abort', finish);
    act();
  };
  const cancelTimer = clock.after(ms, finish);
  signal.addEventListener('abort', finish);
  return finish;
}

/** What the promise resolves with; undefined when that takes longer. */
export async function within<Result>(
  clock: Clock,
  ms: number,
  promise: Promise<Result>,
): Promise<Result | undefined> {
  let cancel: Cancel = () => undefined;
  const bound = new Promise<undefined>((resolve) => {
    cancel = clock.after(ms, () => resolve(undefined));
  });
  try {
    return await Promise.race([promise, bound]);
  } finally {
    cancel();
  }
}

/** Resolves after so long, or at once when the signal says so. */
export async function pause(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise<void>((wake) => {
    onceAfter(clock, ms, signal, wake);
  });
}
