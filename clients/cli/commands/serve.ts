import { Option, type Command } from 'commander';
import { ConfigError, optionsHelp, serve, StartError } from '../../../services/main.js';
import { EXIT, say } from '../output.js';

export function addServeCommand(program: Command): void {
  const command = program.command('serve').description('run a node');
  for (const { flag, env, default: byDefault, help } of optionsHelp()) {
    command.addOption(new Option(flag, `${help} (${env}; default: ${byDefault})`));
  }
  command.action(async (given: Record<string, string | boolean>) => {
    process.exitCode = await runNode(asText(given));
  });
}

async function runNode(flags: Readonly<Record<string, string>>): Promise<number> {
  try {
    return await serve({ flags, env: process.env });
  } catch (thrown) {
    if (thrown instanceof ConfigError) {
      for (const line of thrown.lines) say(`ringbinder: ${line}`);
      return EXIT.misuse;
    }
    if (!(thrown instanceof StartError)) throw thrown;
    say(`ringbinder: ${thrown.message}`);
    return EXIT.failed;
  }
}

function asText(given: Readonly<Record<string, string | boolean>>): Record<string, string> {
  return Object.fromEntries(Object.entries(given).map(([key, value]) => [key, String(value)]));
}
