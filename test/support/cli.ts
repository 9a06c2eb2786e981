/** Runs the command line interface as a person would. */
import { spawn } from 'node:child_process';
import { buffer } from 'node:stream/consumers';
import { CLI } from './nodes.js';

export type CliResult = { readonly code: number; readonly out: string; readonly err: string };

export async function cli(args: readonly string[], stdin = ''): Promise<CliResult> {
  const child = spawn(process.execPath, [CLI, ...args], { stdio: ['pipe', 'pipe', 'pipe'] });
  child.stdin.end(stdin);
  const [out, err, code] = await Promise.all([
    buffer(child.stdout),
    buffer(child.stderr),
    new Promise<number>((resolve) => child.once('close', (status) => resolve(status ?? -1))),
  ]);
  return { code, out: out.toString(), err: err.toString() };
}
