/** Runs the command line interface as a person would. */
import { spawn } from 'node:child_process';
import { buffer } from 'node:stream/consumers';
import { CLI } from './nodes.js';

export type CliResult = { readonly code: number; readonly out: string; readonly err: string };

export async function cli(
  args: readonly string[],
  stdin: string | Uint8Array = '',
): Promise<CliResult> {
  const { out, ...rest } = await cliBytes(args, stdin);
  return { ...rest, out: out.toString() };
}

/** With standard output as it is. */
export async function cliBytes(
  args: readonly string[],
  stdin: string | Uint8Array = '',
): Promise<Omit<CliResult, 'out'> & { readonly out: Buffer }> {
  const child = spawn(process.execPath, [CLI, ...args], { stdio: ['pipe', 'pipe', 'pipe'] });
  child.stdin.end(stdin);
  const [out, err, code] = await Promise.all([
    buffer(child.stdout),
    buffer(child.stderr),
    new Promise<number>((resolve) => child.once('close', (status) => resolve(status ?? -1))),
  ]);
  return { code, out, err: err.toString() };
}

/** The records that a command printed with `--json`. */
export function recordsOf(out: string): readonly Record<string, unknown>[] {
  return out
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}
