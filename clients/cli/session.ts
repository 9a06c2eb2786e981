/** One command against one node, or any of several: connection, deadline, Ctrl-C, exit code. */
import { constants } from 'node:os';
import type { Command } from 'commander';
import { Binders, Ringbinder } from '../sdk/index.js';
import { EXIT, printError } from './output.js';

export type GlobalOptions = {
  readonly server: string;
  readonly json: boolean;
  readonly timeoutMs: number;
};

type Interruptible = GlobalOptions & {
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal;
};

export type Session = Interruptible & { readonly node: Ringbinder };
export type BinderSession = Interruptible & { readonly binders: Binders };

/** Runs a command's body with a connection, and sets the exit code by how it ended. */
export async function withNode(
  command: Command,
  body: (session: Session) => Promise<void>,
): Promise<void> {
  const options = command.optsWithGlobals<GlobalOptions>();
  const node = new Ringbinder(options.server, { timeoutMs: options.timeoutMs });
  await run(node, ['SIGINT'], async (signal) => body({ ...options, node, signal }));
}

/**
 * Like `withNode`, for a command that any binder can take: `--server` may name several, separated by
 * commas. `endedBy` are the signals that abort the body.
 */
export async function withBinders(
  command: Command,
  body: (session: BinderSession) => Promise<void>,
  endedBy: readonly NodeJS.Signals[] = ['SIGINT'],
): Promise<void> {
  const options = command.optsWithGlobals<GlobalOptions>();
  const addresses = options.server.split(',').filter((address) => address.trim() !== '');
  if (addresses.length === 0) {
    command.error('error: --server names no node', { exitCode: EXIT.misuse });
  }
  const binders = new Binders(
    addresses.map((address) => address.trim()),
    { timeoutMs: options.timeoutMs },
  );
  await run(binders, endedBy, async (signal) => body({ ...options, binders, signal }));
}

/** Runs the body of a command that has no node to talk to, and sets the exit code by how it ended. */
export async function runCommand(
  command: Command,
  body: (options: Interruptible) => Promise<void>,
): Promise<void> {
  const options = command.optsWithGlobals<GlobalOptions>();
  await run({ close: () => undefined }, ['SIGINT', 'SIGTERM'], async (signal) =>
    body({ ...options, signal }),
  );
}

async function run(
  connection: { close(): void },
  endedBy: readonly NodeJS.Signals[],
  body: (signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const interrupt = new AbortController();
  let interruptedBy: NodeJS.Signals | undefined;
  const onSignal = (signal: NodeJS.Signals): void => {
    interruptedBy = signal;
    interrupt.abort();
  };
  for (const signal of endedBy) process.once(signal, onSignal);
  const codeOr = (code: () => number): number =>
    interruptedBy === undefined ? code() : exitCodeOf(interruptedBy);
  try {
    await body(interrupt.signal);
    process.exitCode = codeOr(() => EXIT.done);
  } catch (thrown) {
    process.exitCode = codeOr(() => printError(thrown));
  } finally {
    connection.close();
    for (const signal of endedBy) process.off(signal, onSignal);
  }
}

/** What a shell makes of a program that a signal has ended; 130 for Ctrl-C. */
export function exitCodeOf(signal: NodeJS.Signals): number {
  return 128 + constants.signals[signal];
}
