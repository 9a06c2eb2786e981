#!/usr/bin/env node
/** The `ringbinder` command (alias `rb`). */
import { readFileSync } from 'node:fs';
import { Command, CommanderError } from 'commander';
import { addBindCommands } from './commands/bind/bind.js';
import { addBridgeCommand } from './commands/bridge.js';
import { addDhtCommands } from './commands/dht/dht.js';
import { addInboxCommand } from './commands/inbox.js';
import { addLegacyCommands } from './commands/legacy/legacy.js';
import { addLookupCommand } from './commands/lookup.js';
import { addMonitorCommands } from './commands/monitor/monitor.js';
import { addPeersCommand } from './commands/peers.js';
import { addPipeCommand } from './commands/pipe.js';
import { addSendCommand } from './commands/send.js';
import { addServeCommand } from './commands/serve.js';
import { addSimulateCommand } from './commands/simulate.js';
import { wholeNumber } from './numbers.js';
import { EXIT } from './output.js';

const PACKAGE = new URL('../../../package.json', import.meta.url);

function createProgram(): Command {
  const { version, description } = JSON.parse(readFileSync(PACKAGE, 'utf8')) as {
    version: string;
    description: string;
  };
  const program = new Command('ringbinder')
    .description(description)
    .version(version)
    .exitOverride()
    .showHelpAfterError('(--help tells more)')
    .option('--server <address>', 'node to talk to', serverFromEnvironment())
    .option('--json', 'one JSON object for each record', false)
    .option('--timeout-ms <number>', 'how long a call may take', wholeNumber(1, 3_600_000), 10_000);
  addServeCommand(program);
  addBridgeCommand(program);
  addPeersCommand(program);
  addLookupCommand(program);
  addMonitorCommands(program);
  addSendCommand(program);
  addInboxCommand(program);
  addPipeCommand(program);
  addDhtCommands(program);
  addBindCommands(program);
  addLegacyCommands(program);
  addSimulateCommand(program);
  return program;
}

function serverFromEnvironment(): string {
  return process.env['RINGBINDER_SERVER'] ?? '127.0.0.1:7400';
}

try {
  await createProgram().parseAsync();
} catch (thrown) {
  if (!(thrown instanceof CommanderError)) throw thrown;
  process.exitCode = thrown.exitCode === 0 ? EXIT.done : EXIT.misuse;
}
