import type { Command } from 'commander';
import { describeVerdict, failed, summarize } from '../../../services/simulator/report.js';
import { runSimulation, type RunVerdict } from '../../../services/simulator/run.js';
import { wholeNumber } from '../numbers.js';
import { EXIT, printRecord } from '../output.js';

type SimulateOptions = {
  readonly seed: number;
  readonly seeds: number;
  readonly nodes?: number;
  readonly minutes: number;
  readonly json: boolean;
};

/** Virtual time from the end of the faults within which the ring must be ideal. */
const SETTLE_MS_MAX = 120_000;

export function addSimulateCommand(program: Command): void {
  program
    .command('simulate')
    .description('run the production ring on virtual time, with faults drawn from a seed')
    .option('--seed <number>', 'the seed, or the first of several', wholeNumber(0, 2 ** 32 - 1), 1)
    .option('--seeds <count>', 'how many seeds, one after the other', wholeNumber(1), 1)
    .option('--nodes <count>', 'nodes to begin with; 5 to 20 by default', wholeNumber(1, 1_000))
    .option('--minutes <number>', 'virtual time under faults', wholeNumber(1, 1_440), 1)
    .action((_options: object, command: Command) => {
      process.exitCode = simulate(command.optsWithGlobals<SimulateOptions>());
    });
}

/** Prints the first run and every one that failed; what is printed depends on the options alone. */
function simulate(options: SimulateOptions): number {
  const { seed: first, seeds, json } = options;
  const verdicts: RunVerdict[] = [];
  for (let seed = first; seed < first + seeds; seed += 1) {
    const verdict = runSeed(seed, options);
    verdicts.push(verdict);
    if (json || failed(verdict) || verdicts.length === 1) {
      printRecord(verdict, describeVerdict(verdict, options.minutes), json);
    }
    if (process.stderr.isTTY) process.stderr.write(`\r${verdicts.length} of ${seeds} seeds `);
  }
  if (process.stderr.isTTY) process.stderr.write('\r');
  if (verdicts.length > 1) printRecord({ seeds }, summarize(verdicts), json);
  return verdicts.some(failed) ? EXIT.failed : EXIT.done;
}

function runSeed(seed: number, { nodes, minutes }: SimulateOptions): RunVerdict {
  const size = nodes === undefined ? {} : { nodes };
  return runSimulation({ seed, faultsMs: minutes * 60_000, settleMsMax: SETTLE_MS_MAX, ...size });
}
