/** Calls whose end is told and whose failure is no more than that: old programs send a request once. */
import { ERRORS, RingbinderError } from '../errors.js';
import { systemClock, type Clock } from '../system/clock.js';

/** A ring that has just changed is in order again within a second or so. */
const TRIES = 6;
const PAUSE_MS = 300;

/** Calls once. */
export function settle(call: Promise<unknown>, done: (isDone: boolean) => void): void {
  call.then(
    () => done(true),
    () => done(false),
  );
}

/** Calls again when the refusal says that this may help; up to six times within some seconds. */
export function settlePatiently(
  call: () => Promise<unknown>,
  done: (isDone: boolean) => void,
  clock: Pick<Clock, 'after'> = systemClock,
): void {
  settle(keepTrying(call, clock), done);
}

async function keepTrying(
  call: () => Promise<unknown>,
  clock: Pick<Clock, 'after'>,
): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    try {
      await call();
      return;
    } catch (thrown) {
      const { reason } = RingbinderError.from(thrown);
      if (tries === TRIES || ERRORS[reason].retry !== 'later') throw thrown;
    }
    await new Promise<void>((wake) => clock.after(PAUSE_MS, wake));
  }
}
