/** Runs a command of others in the place of ours: its input, output, signals and exit code. */
import { spawn } from 'node:child_process';
import { say } from './output.js';
import { exitCodeOf } from './session.js';

const PASSED_ON: readonly NodeJS.Signals[] = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'];
/** What a terminal sends to the command by itself. */
const FROM_TERMINAL: readonly NodeJS.Signals[] = ['SIGINT', 'SIGQUIT'];

/** As in a shell. */
const NOT_FOUND = 127;
const NOT_STARTED = 126;

/** Resolves with its exit code when it has ended; never rejects. */
export async function runCommand([command = '', ...args]: readonly string[]): Promise<number> {
  const child = spawn(command, args, { stdio: 'inherit' });
  const passOn = (signal: NodeJS.Signals): void => {
    if (!process.stdin.isTTY || !FROM_TERMINAL.includes(signal)) child.kill(signal);
  };
  for (const signal of PASSED_ON) process.on(signal, passOn);
  try {
    return await new Promise<number>((resolve) => {
      child.once('error', (error: NodeJS.ErrnoException) => {
        say(`cannot start ${command}: ${error.message}`);
        resolve(error.code === 'ENOENT' ? NOT_FOUND : NOT_STARTED);
      });
      child.once('exit', (code, signal) => resolve(code ?? exitCodeOf(signal ?? 'SIGKILL')));
    });
  } finally {
    for (const signal of PASSED_ON) process.off(signal, passOn);
  }
}
