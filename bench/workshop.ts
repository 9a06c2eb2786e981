/**
 * The processes that a bench starts and the directory where they keep their data. Both are gone when
 * the bench is over, also by failure or Ctrl-C.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';

const CLI = new URL('../clients/cli/main.js', import.meta.url).pathname;
const SIGNALS: Readonly<Record<string, number>> = { SIGINT: 130, SIGTERM: 143 };

/** Where a program listens: its address, and one for each legacy dialect. */
export type Ready = {
  readonly address: string;
  readonly legacy: Readonly<Record<string, string>>;
};

export class Workshop implements AsyncDisposable {
  readonly directory = mkdtempSync(join(tmpdir(), 'ringbinder-bench-'));
  readonly #children: ChildProcess[] = [];
  readonly #atExit = (): void => {
    for (const child of this.#children) child.kill('SIGKILL');
    this.#removeDirectory();
  };
  readonly #atSignal = (signal: NodeJS.Signals): void => process.exit(SIGNALS[signal]);

  constructor() {
    process.once('exit', this.#atExit);
    for (const signal of Object.keys(SIGNALS)) process.once(signal, this.#atSignal);
  }

  /** A path below the directory. */
  path(name: string): string {
    return join(this.directory, name);
  }

  /** Of the programs that were started, in that order. */
  get pids(): readonly number[] {
    return this.#children.map(({ pid = 0 }) => pid);
  }

  /** Starts a program, which is killed at the end. */
  spawn(command: string, args: readonly string[], stderr: 'pipe' | 'inherit'): ChildProcess {
    const child = spawn(command, args, { stdio: ['ignore', 'ignore', stderr] });
    this.#children.push(child);
    return child;
  }

  /** Starts a script of ours, and resolves with the address that it names when it is ready. */
  async script(path: string, args: readonly string[]): Promise<string> {
    return (await this.#started(path, args)).address;
  }

  /** Starts a node on a free port, and resolves with its address when it is in its ring. */
  async node(args: readonly string[]): Promise<string> {
    return this.script(CLI, [
      'serve',
      '--listen',
      '127.0.0.1:0',
      '--legacy',
      'off',
      '--metrics',
      'off',
      ...args,
    ]);
  }

  /** The same with legacy dialects; resolves also with where each of them listens. */
  async legacyNode(legacy: string, args: readonly string[]): Promise<Ready> {
    const listen = ['--listen', '127.0.0.1:0', '--metrics', 'off', '--legacy', legacy];
    return this.#started(CLI, ['serve', ...listen, ...args]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ended = this.#children
      .filter(({ exitCode, signalCode }) => exitCode === null && signalCode === null)
      .map(async (child) => {
        const exit = once(child, 'exit');
        child.kill('SIGKILL');
        await exit;
      });
    await Promise.all(ended);
    this.#removeDirectory();
    process.off('exit', this.#atExit);
    for (const signal of Object.keys(SIGNALS)) process.off(signal, this.#atSignal);
  }

  async #started(path: string, args: readonly string[]): Promise<Ready> {
    return readyRecord(this.spawn(process.execPath, [path, ...args], 'pipe').stderr);
  }

  #removeDirectory(): void {
    rmSync(this.directory, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 });
  }
}

/** The first record that ends with `ready`; what comes after it is dropped. */
async function readyRecord(stderr: Readable | null): Promise<Ready> {
  if (stderr === null) throw new Error('no stderr');
  const lines: string[] = [];
  for await (const line of createInterface({ input: stderr })) {
    lines.push(line);
    const record = recordOf(line);
    const { address, legacy = {} } = record;
    if (record.msg?.endsWith('ready') !== true || address === undefined) continue;
    stderr.resume();
    return { address, legacy };
  }
  throw new Error(['a server ended before it was ready', ...lines].join('\n'));
}

function recordOf(line: string): Partial<Ready> & { readonly msg?: string } {
  return line.startsWith('{') ? (JSON.parse(line) as ReturnType<typeof recordOf>) : {};
}
