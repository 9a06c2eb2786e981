/** The turns of the event loop. */

/** Resolves when everything of this turn of the event loop has run, before any timer. */
export async function turnEnd(): Promise<void> {
  await new Promise<void>((resolve) => setImmediate(resolve));
}
