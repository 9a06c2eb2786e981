import { Option, type Command } from 'commander';
import { optionsHelp, serve } from '../../../services/main.js';
import { asText, runProgram } from '../run-program.js';

export function addServeCommand(program: Command): void {
  const command = program.command('serve').description('run a node');
  for (const { flag, env, default: byDefault, help } of optionsHelp()) {
    command.addOption(new Option(flag, `${help} (${env}; default: ${byDefault})`));
  }
  command.action(async (given: Record<string, string | boolean>) => {
    const flags = asText(given);
    process.exitCode = await runProgram(async () => serve({ flags, env: process.env }));
  });
}
