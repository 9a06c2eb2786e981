/** `npm run sim`: runs of the simulator from the command line, one seed or many. */
import { Command } from 'commander';
import { describeVerdict, failed, summarize } from './report.js';
import { runSimulation, type RunVerdict } from './run.js';

type Options = {
  readonly seed: string;
  readonly seeds: string;
  readonly nodes?: string;
  readonly minutes: string;
  readonly json: boolean;
};

const SETTLE_MS_MAX = 120_000;

const options = new Command('sim')
  .description('run the production ring on virtual time, with faults drawn from a seed')
  .option('--seed <number>', 'the seed, or the first of several', '1')
  .option('--seeds <count>', 'how many seeds, one after the other', '1')
  .option('--nodes <number>', 'nodes at the start; drawn from the seed by default')
  .option('--minutes <number>', 'virtual time under faults', '1')
  .option('--json', 'one JSON object for each run', false)
  .parse()
  .opts<Options>();

const first = Number(options.seed);
const verdicts: RunVerdict[] = [];
for (let seed = first; seed < first + Number(options.seeds); seed += 1) {
  const nodes = options.nodes === undefined ? {} : { nodes: Number(options.nodes) };
  const faultsMs = Number(options.minutes) * 60_000;
  const verdict = runSimulation({ seed, faultsMs, settleMsMax: SETTLE_MS_MAX, ...nodes });
  verdicts.push(verdict);
  const isWorthTelling = failed(verdict) || verdicts.length === 1 || options.json;
  if (isWorthTelling) process.stdout.write(describeVerdict(verdict, options));
  else process.stderr.write(`\rseed ${seed}`);
}
if (verdicts.length > 1) process.stdout.write(`\n${summarize(verdicts)}\n`);
process.exitCode = verdicts.some(failed) ? 1 : 0;
