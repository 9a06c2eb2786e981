/** Waiting for a condition, with a deadline. */

const LOOK_EVERY_MS = 50;

/** Resolves with the first defined result; rejects after `withinMs` with what `why` says. */
export async function until<Result>(
  look: () => Promise<Result | undefined> | Result | undefined,
  withinMs: number,
  why: () => string = () => 'it did not happen',
): Promise<Result> {
  const end = performance.now() + withinMs;
  for (;;) {
    const result = await look();
    if (result !== undefined) return result;
    if (performance.now() > end) throw new Error(`not within ${withinMs} ms: ${why()}`);
    await new Promise((wake) => setTimeout(wake, LOOK_EVERY_MS));
  }
}
