import type { Command } from 'commander';
import { addExplainCommands } from './explain.js';
import { addLeaseCommands } from './leases.js';
import { addListCommand } from './list.js';
import { addRegisterCommand } from './register.js';
import { addResolveCommand } from './resolve.js';
import { addWatchCommand } from './watch.js';

const EXAMPLES = `
Any node answers: --server takes several, separated by commas, and goes on to the next.

Examples:
  $ rb bind register orders 127.0.0.1:9001 -- node server.js
  $ rb bind register orders 127.0.0.1:9002 --http /health --check-interval 5s
  $ rb bind list
  $ curl http://$(rb bind resolve orders)/
  $ rb bind explain orders 127.0.0.1:9001`;

export function addBindCommands(program: Command): void {
  const bind = program
    .command('bind')
    .description('services by name, and the endpoints that render them')
    .addHelpText('after', EXAMPLES);
  addRegisterCommand(bind);
  addLeaseCommands(bind);
  addResolveCommand(bind);
  addListCommand(bind);
  addWatchCommand(bind);
  addExplainCommands(bind);
}
