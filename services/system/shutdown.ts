/**
 * Signals that ask the process to stop.
 *
 * Only these: an uncaught exception and an unhandled rejection are broken assumptions of ours, and
 * Node's default, a crash with a stack trace, is what should happen to them.
 */
import { systemClock, type Cancel, type Clock } from './clock.js';

export type ShutdownSignal = 'SIGTERM' | 'SIGINT';

/** The exit code that a shell shows for a process ended by the signal: 128 and its number. */
const EXIT_CODES = { SIGINT: 130, SIGTERM: 143 } as const satisfies Record<ShutdownSignal, number>;

/**
 * `npm start` passes on a Ctrl-C that the terminal has sent to us already, and `timeout` signals
 * its child and then the whole group: the same signal within this time is the same request.
 */
const ECHO_MS = 200;

/** The part of `process` that is needed. */
export type SignalHost = {
  on(signal: ShutdownSignal, listener: () => void): unknown;
  off(signal: ShutdownSignal, listener: () => void): unknown;
  exit(code: number): unknown;
};

export type ShutdownDeps = { readonly host?: SignalHost; readonly clock?: Clock };

/**
 * Calls the handler at the first SIGTERM or SIGINT, once; it stops the node gracefully, after which
 * nothing keeps the process alive. A second signal exits at once, with 130 for SIGINT and 143 for
 * SIGTERM. When the handler rejects, the rejection stays unhandled. Returns what removes the
 * listeners again.
 */
export function onShutdownSignals(
  handler: (signal: ShutdownSignal) => Promise<void>,
  { host = process, clock = systemClock }: ShutdownDeps = {},
): Cancel {
  let first: { readonly signal: ShutdownSignal; readonly atMs: number } | undefined;
  const onSignal = (signal: ShutdownSignal) => {
    const atMs = clock.monotonicMs();
    if (first === undefined) {
      first = { signal, atMs };
      void handler(signal);
      return;
    }
    const isEcho = first.signal === signal && atMs - first.atMs < ECHO_MS;
    if (!isEcho) host.exit(EXIT_CODES[signal]);
  };
  const onTerm = () => onSignal('SIGTERM');
  const onInterrupt = () => onSignal('SIGINT');
  host.on('SIGTERM', onTerm);
  host.on('SIGINT', onInterrupt);
  return () => {
    host.off('SIGTERM', onTerm);
    host.off('SIGINT', onInterrupt);
  };
}
