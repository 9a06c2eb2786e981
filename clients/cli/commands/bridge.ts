import { Option, type Command } from 'commander';
import { bridge, bridgeOptionsHelp } from '../../../services/main.js';
import { asText, runProgram } from '../run-program.js';
import type { GlobalOptions } from '../session.js';

const EXAMPLES = `
Old programs find here what they find at a node that listens for them; it works with a node elsewhere.
--server names it, or several of one ring, separated by commas: the next one is used when one is gone.

Examples:
  $ rb bridge --server 10.0.0.1:7400,10.0.0.2:7400
  $ rb bridge --legacy tlv=off,simple-dht=127.0.0.1:7402
  $ rb bridge --legacy-peer lieur=10.0.0.9:7403`;

export function addBridgeCommand(program: Command): void {
  const command = program
    .command('bridge')
    .description('listen for old programs on behalf of a node elsewhere')
    .addHelpText('after', EXAMPLES);
  for (const { flag, env, default: byDefault, help } of bridgeOptionsHelp()) {
    command.addOption(new Option(flag, `${help} (${env}; default: ${byDefault})`));
  }
  command.action(async (given: Record<string, string>) => {
    const { server } = command.optsWithGlobals<GlobalOptions>();
    const sources = { server, flags: asText(given), env: process.env };
    process.exitCode = await runProgram(async () => bridge(sources));
  });
}
