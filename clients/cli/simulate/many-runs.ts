/** Many seeds on all processors, their outcomes in the order of the seeds. */
import { scheduler } from 'node:timers/promises';
import { Piscina } from 'piscina';
import { Run, type RunOptions } from '../../../services/simulator/run.js';
import { outcomeOf, runSeed, type Outcome } from './one-run.js';

const WORKER = new URL('./one-run.js', import.meta.url).href;
/** Runs handed out ahead, for each worker. */
const AHEAD = 4;

/** Runs one after the other in workers; ends early when the signal says so. */
export async function* runMany(
  runs: Iterator<RunOptions>,
  jobs: number,
  signal: AbortSignal,
): AsyncGenerator<Outcome> {
  const pool = new Piscina({
    filename: WORKER,
    name: runSeed.name,
    minThreads: jobs,
    maxThreads: jobs,
  });
  const pending: Promise<Outcome | undefined>[] = [];
  const submit = (): void => {
    const next = runs.next();
    if (next.done === true) return;
    pending.push((pool.run(next.value, { signal }) as Promise<Outcome>).catch(stopped(signal)));
  };
  try {
    for (let count = 0; count < jobs * AHEAD; count += 1) submit();
    for (let first = pending.shift(); first !== undefined; first = pending.shift()) {
      const outcome = await first;
      if (outcome === undefined) return;
      submit();
      yield outcome;
    }
  } finally {
    await pool.destroy();
  }
}

/** Aborted runs have no outcome; everything else that goes wrong in a worker is a fault. */
function stopped(signal: AbortSignal): (error: unknown) => undefined {
  return (error) => {
    if (!signal.aborted) throw error;
  };
}

/** One run in this process, with its progress from 0 to 1; stops where it is on the signal. */
export async function runOne(
  options: RunOptions,
  signal: AbortSignal,
  onProgress: (share: number) => void,
): Promise<Outcome> {
  const run = new Run(options);
  while (!signal.aborted && run.slice()) {
    onProgress(run.progress);
    await scheduler.yield();
  }
  return outcomeOf(run, options);
}
