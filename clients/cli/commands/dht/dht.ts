import type { Command } from 'commander';
import { addHolderCommands } from './holders.js';
import { addKeysCommand } from './keys.js';
import { addValueCommands } from './values.js';
import { addWantCommand } from './want.js';

export function addDhtCommands(program: Command): void {
  const dht = program.command('dht').description('values and holders under keys, on the ring');
  addValueCommands(dht);
  addWantCommand(dht);
  addHolderCommands(dht);
  addKeysCommand(dht);
}
