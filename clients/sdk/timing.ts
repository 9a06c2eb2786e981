/** Time and chance: no other file of the clients touches them. */

/** Milliseconds since the epoch, which is what grpc-js compares deadlines with. */
export function now(): number {
  return Date.now();
}

/** Calls once, after so long, unless the result is called before. */
export function after(ms: number, act: () => void): () => void {
  const timer = setTimeout(act, ms);
  return () => clearTimeout(timer);
}

/** Resolves after a time, or when the signal says so. */
export async function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  if (signal?.aborted === true) return;
  await new Promise<void>((resolve) => {
    const wake = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', wake);
      resolve();
    };
    const timer = setTimeout(wake, ms);
    signal?.addEventListener('abort', wake);
  });
}

/** From half of it to all of it, so that many clients do not come back at the same moment. */
export function spread(ms: number): number {
  return ms * (0.5 + Math.random() / 2);
}

/** A whole number from 0 to below the count. */
export function chanceBelow(count: number): number {
  return Math.floor(Math.random() * count);
}
