/** The flags that say how an endpoint is checked. */
import { Option, type Command } from 'commander';
import type { CheckMethod, HealthCheck } from '../../../sdk/index.js';
import { duration, wholeNumber } from '../../numbers.js';
import { EXIT } from '../../output.js';

const INTERVAL_MS_MAX = 3_600_000;
const TIMEOUT_MS_MAX = 60_000;

export type CheckFlags = {
  /** True without a value. */
  readonly grpc?: string | true;
  readonly tcp?: true;
  readonly http?: string | true;
  readonly checkPort?: number;
  readonly checkTls?: true;
  readonly checkInterval?: number;
  readonly checkTimeout?: number;
  readonly removeAfter?: number;
};

export function addCheckOptions(command: Command): Command {
  return command
    .addOption(
      new Option('--grpc [service]', 'check it by grpc.health.v1').conflicts(['tcp', 'http']),
    )
    .addOption(new Option('--tcp', 'check it by a connection').conflicts(['grpc', 'http']))
    .addOption(
      new Option('--http [path]', 'check it by GET; 200 to 299 is well').conflicts(['grpc', 'tcp']),
    )
    .option('--check-port <port>', 'where to check, if not at its port', wholeNumber(1, 65_535))
    .option('--check-tls', 'check by TLS (with --grpc or --http)')
    .option('--check-interval <duration>', 'pause between checks', duration(INTERVAL_MS_MAX))
    .option('--check-timeout <duration>', 'patience of a check', duration(TIMEOUT_MS_MAX))
    .option('--remove-after <count>', 'failed checks that remove it', wholeNumber(1, 1_000));
}

/** The check that the flags mean, or undefined; misuse when they make no sense together. */
export function checkFrom(flags: CheckFlags, command: Command): HealthCheck | undefined {
  const method = methodFrom(flags);
  const { checkPort, checkTls, checkInterval, checkTimeout, removeAfter } = flags;
  const how = { checkPort, checkTls, checkInterval, checkTimeout, removeAfter };
  const isAsked = Object.values(how).some((value) => value !== undefined);
  if (method === undefined) {
    if (isAsked) misuse(command, 'say how to check it: --grpc, --tcp or --http');
    return undefined;
  }
  if (checkTls === true && method.kind === 'tcp') {
    misuse(command, '--check-tls goes with --grpc or --http');
  }
  return {
    ...method,
    ...(checkPort !== undefined && { port: checkPort }),
    ...(checkTls === true && { tls: true }),
    ...(checkInterval !== undefined && { intervalMs: checkInterval }),
    ...(checkTimeout !== undefined && { timeoutMs: checkTimeout }),
    ...(removeAfter !== undefined && { removalThreshold: removeAfter }),
  };
}

function methodFrom({ grpc, tcp, http }: CheckFlags): CheckMethod | undefined {
  if (grpc !== undefined) return { kind: 'grpc', ...(grpc !== true && { service: grpc }) };
  if (http !== undefined) return { kind: 'http', ...(http !== true && { path: http }) };
  return tcp === true ? { kind: 'tcp' } : undefined;
}

function misuse(command: Command, text: string): never {
  return command.error(`error: ${text}`, { exitCode: EXIT.misuse });
}
