/** One command against one node: connection, deadline, Ctrl-C, exit code. */
import type { Command } from 'commander';
import { Ringbinder } from '../sdk/index.js';
import { EXIT, printError } from './output.js';

export type GlobalOptions = {
  readonly server: string;
  readonly json: boolean;
  readonly timeoutMs: number;
};

export type Session = GlobalOptions & {
  readonly node: Ringbinder;
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal;
};

/** Runs a command's body with a connection, and sets the exit code by how it ended. */
export async function withNode(
  command: Command,
  body: (session: Session) => Promise<void>,
): Promise<void> {
  const options = command.optsWithGlobals<GlobalOptions>();
  const interrupt = new AbortController();
  const onInterrupt = (): void => interrupt.abort();
  process.once('SIGINT', onInterrupt);
  const node = new Ringbinder(options.server, { timeoutMs: options.timeoutMs });
  try {
    await body({ ...options, node, signal: interrupt.signal });
    process.exitCode = interrupt.signal.aborted ? EXIT.interrupted : EXIT.done;
  } catch (thrown) {
    process.exitCode = interrupt.signal.aborted ? EXIT.interrupted : printError(thrown);
  } finally {
    node.close();
    process.off('SIGINT', onInterrupt);
  }
}
