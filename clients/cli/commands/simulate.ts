import { availableParallelism } from 'node:os';
import type { Command } from 'commander';
import { PLAN_LIMITS } from '../../../services/simulator/plan.js';
import { wholeNumber } from '../numbers.js';
import type { SimulateOptions } from '../simulate/simulate.js';

const SEED_MAX = 2 ** 32 - 1;

export function addSimulateCommand(program: Command): void {
  program
    .command('simulate')
    .description(
      'run the production ring, and the table on it, on virtual time, with faults from a seed or a plan',
    )
    .option('--seed <number>', 'the seed, or the first of several', wholeNumber(0, SEED_MAX), 1)
    .option('--seeds <count>', 'how many seeds', wholeNumber(1, 1_000_000), 1)
    .option(
      '--nodes <count>',
      'nodes to begin with (default: the plan’s, or 5 to 40 by the seed)',
      wholeNumber(1, PLAN_LIMITS.nodesMax),
    )
    .option(
      '--minutes <number>',
      'virtual time under faults (default: the plan’s, or 1)',
      wholeNumber(1, 1_440),
    )
    .option('--plan <file>', 'YAML file that says which faults come when (default: by the seed)')
    .option('--table', 'with the hash table on the ring, and what it promises checked', false)
    .option('--jobs <count>', 'seeds at once', wholeNumber(1, 256), availableParallelism())
    .action(async (_options: object, command: Command) => {
      // Not before it is asked for: other commands need none of what it brings with it.
      const { simulate } = await import('../simulate/simulate.js');
      process.exitCode = await simulate(command.optsWithGlobals<SimulateOptions>());
    });
}
