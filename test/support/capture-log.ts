import { createLogger, type Logger } from '../../services/logging.js';

export type LogLine = Readonly<Record<string, unknown>>;

/** A log that writes nowhere, and the lines it was given so far, as objects. */
export function captureLog(): {
  readonly log: Logger;
  readonly lines: () => readonly LogLine[];
} {
  const lines: LogLine[] = [];
  const destination = { write: (line: string) => void lines.push(JSON.parse(line) as LogLine) };
  return { log: createLogger({ level: 'trace', destination }), lines: () => lines };
}
