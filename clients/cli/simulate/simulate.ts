/** The `simulate` command: runs seeds, shows how far it is, prints what came out. */
import { open } from 'node:fs/promises';
import { SingleBar } from 'cli-progress';
import { drawPlan, drawTablePlan } from '../../../services/simulator/draw-plan.js';
import type { Plan } from '../../../services/simulator/plan.js';
import type { RunOptions, RunVerdict } from '../../../services/simulator/run.js';
import { USUAL_TABLE } from '../../../services/simulator/table/table-plan.js';
import { EXIT, printRecord, say } from '../output.js';
import { runMany, runOne } from './many-runs.js';
import { SETTLE_MS_MAX, type Outcome } from './one-run.js';
import { PLAN_BYTES_MAX, PlanError, readPlan, type PlanOverrides } from './plan-file.js';
import { describeSummary, describeVerdict, summarize } from './report.js';

export type SimulateOptions = {
  readonly seed: number;
  readonly seeds: number;
  readonly nodes?: number;
  readonly minutes?: number;
  readonly plan?: string;
  readonly table: boolean;
  readonly jobs: number;
  readonly json: boolean;
};

const MINUTE_MS = 60_000;
const BAR_STEPS = 1_000;

/** Returns the exit code. What is printed on stdout depends on the options and the plan alone. */
export async function simulate(options: SimulateOptions): Promise<number> {
  try {
    return await simulateWith(options, await planner(options));
  } catch (thrown) {
    if (!(thrown instanceof PlanError)) throw thrown;
    say(thrown.message);
    return EXIT.misuse;
  }
}

async function simulateWith(options: SimulateOptions, planFor: Planner): Promise<number> {
  const interrupt = new AbortController();
  const onInterrupt = (): void => interrupt.abort();
  process.once('SIGINT', onInterrupt);
  const progress = new Progress(options.seeds);
  const verdicts: RunVerdict[] = [];
  try {
    for await (const outcome of outcomes(options, planFor, interrupt.signal, progress)) {
      verdicts.push(outcome.verdict);
      progress.done(outcome);
      if (verdicts.length === 1 || options.json || outcome.smallerPlan !== undefined) {
        progress.aside(() => printOutcome(outcome, options));
      }
    }
  } finally {
    progress.end();
    process.off('SIGINT', onInterrupt);
  }
  const summary = summarize(verdicts);
  if (options.seeds > 1) printRecord(summary, describeSummary(summary), options.json);
  if (interrupt.signal.aborted) {
    const runs =
      options.seeds > 1 ? `after ${verdicts.length} of ${options.seeds} seeds` : 'before its end';
    say(`stopped ${runs}`);
    return EXIT.interrupted;
  }
  return summary.failed.length > 0 ? EXIT.failed : EXIT.done;
}

async function* outcomes(
  { seed: first, seeds, jobs }: SimulateOptions,
  planFor: Planner,
  signal: AbortSignal,
  progress: Progress,
): AsyncGenerator<Outcome> {
  const runOf = (seed: number): RunOptions => {
    return { seed, plan: planFor(seed), settleMsMax: SETTLE_MS_MAX };
  };
  if (seeds === 1) {
    yield await runOne(runOf(first), signal, (share) => progress.within(share));
    return;
  }
  const runs = function* (): Generator<RunOptions> {
    for (let seed = first; seed < first + seeds; seed += 1) yield runOf(seed >>> 0);
  };
  yield* runMany(runs(), Math.min(jobs, seeds), signal);
}

function printOutcome({ verdict, smallerPlan }: Outcome, options: SimulateOptions): void {
  if (options.json) return printRecord({ ...verdict, smallerPlan }, '', true);
  const command = argumentsFor(verdict.seed, options);
  const replay = smallerPlan && { command, smallerPlan };
  printRecord({}, describeVerdict(verdict, replay), false);
}

function argumentsFor(seed: number, { nodes, minutes, plan, table }: SimulateOptions): string {
  const flags = { seed, nodes, minutes, plan };
  return Object.entries(flags)
    .flatMap(([name, value]) => (value === undefined ? [] : [`--${name} ${value}`]))
    .concat(table ? ['--table'] : [])
    .join(' ');
}

// Plans

type Planner = (seed: number) => Plan;

async function planner({ plan, seed, nodes, minutes, table }: SimulateOptions): Promise<Planner> {
  const time = minutes === undefined ? undefined : minutes * MINUTE_MS;
  if (plan === undefined) {
    const draw = table ? drawTablePlan : drawPlan;
    return (it) => draw({ seed: it, nodes, time: time ?? MINUTE_MS });
  }
  const bytes = await readUpTo(plan, PLAN_BYTES_MAX + 1);
  const read = (it: number): Plan => {
    const overrides: PlanOverrides = { seed: it, nodes, time };
    const found = readPlan(plan, bytes, overrides);
    return table ? { table: USUAL_TABLE, ...found } : found;
  };
  read(seed);
  return read;
}

async function readUpTo(path: string, bytesMax: number): Promise<Buffer> {
  try {
    await using file = await open(path);
    const { bytesRead, buffer } = await file.read(Buffer.alloc(bytesMax), 0, bytesMax, 0);
    return buffer.subarray(0, bytesRead);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new PlanError(`${path} cannot be read: ${reason}`, { cause });
  }
}

// Progress

/** On stderr, while that is a terminal. */
class Progress {
  readonly #bar: SingleBar;
  readonly #isOne: boolean;
  #failed = 0;

  constructor(seeds: number) {
    this.#isOne = seeds === 1;
    const count = this.#isOne ? '' : ' {value}/{total} seeds, {failed} failed |';
    this.#bar = new SingleBar({
      format: `{bar} {percentage}% |${count} {duration_formatted}, {eta_formatted} left`,
      stream: process.stderr,
      hideCursor: true,
      clearOnComplete: true,
      gracefulExit: false,
      fps: 5,
    });
    this.#bar.start(this.#isOne ? BAR_STEPS : seeds, 0, { failed: 0 });
  }

  /** How far the only run is. */
  within(share: number): void {
    this.#bar.update(Math.round(share * BAR_STEPS));
  }

  done({ smallerPlan }: Outcome): void {
    this.#failed += smallerPlan === undefined ? 0 : 1;
    if (!this.#isOne) this.#bar.increment(1, { failed: this.#failed });
  }

  /** Prints something between two pictures of the bar. */
  aside(print: () => void): void {
    if (process.stderr.isTTY) process.stderr.write('\r\u001b[K');
    print();
  }

  end(): void {
    this.#bar.stop();
  }
}
