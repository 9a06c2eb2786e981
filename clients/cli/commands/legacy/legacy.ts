import type { Command } from 'commander';
import { addDecodeCommand } from './decode.js';
import { addLieurCommands } from './lieur.js';
import { addRingCommands } from './ring.js';
import { addSimpleDhtCommands } from './simple-dht.js';
import { addTlvCommands } from './tlv.js';

const EXAMPLES = `
They speak the legacy formats themselves, to nodes and to the original programs alike.

Examples:
  $ rb legacy lieur subscribe 3            # be a service of type 3, until Ctrl-C
  $ rb legacy lieur ask 3                  # where is one?
  $ rb legacy lieur complain 3 127.0.0.1:20000
  $ rb legacy simple-dht put abc 'Hello, world!'
  $ rb legacy simple-dht get abc           # waits for a value that is not there yet
  $ rb legacy tlv put 2001:db8::1 film --tcp
  $ rb legacy tlv get film --tcp           # who has it?
  $ rb legacy ring list                    # who is in the ring of the WelcomeServer at 127.0.0.1:8000?
  $ rb legacy decode lieur 03017f0000013b30
  $ rb legacy decode ring yo:5:10.9.0.1`;

export function addLegacyCommands(program: Command): void {
  const legacy = program
    .command('legacy')
    .description('be a program of the old kind, and read what such programs say')
    .addHelpText('after', EXAMPLES);
  addTlvCommands(legacy);
  addSimpleDhtCommands(legacy);
  addLieurCommands(legacy);
  addRingCommands(legacy);
  addDecodeCommand(legacy);
}
