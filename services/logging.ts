/**
 * The log: one JSON object per line on stderr, because stdout is for data.
 *
 * The message is a constant, the facts are fields, an error is the field `err`. What users store
 * and what opens doors is replaced at any depth before it is written.
 */
import { pino, type DestinationStream, type Logger } from 'pino';
import type { LogLevel } from './config/kinds.js';

export type { Logger } from 'pino';

export type LoggerOptions = {
  /** The least important level that is written. */
  readonly level: LogLevel;
  /** Where lines go; stderr by default, written at once, so that a crash loses none. */
  readonly destination?: DestinationStream;
};

const CENSORED = '[redacted]';
const CENSORED_NAMES = ['token', 'secret', 'password', 'payload', 'value'];
/** Also as the last word of a longer name: `joinToken`. */
const CENSORED_NAME = new RegExp(`(?:${CENSORED_NAMES.join('|')})$`, 'i');
/** Deeper than anything we log; a cycle ends here. */
const DEPTH_MAX = 8;

/** Creates the log of a process; its parts take `log.child({ component: 'welcome' })`. */
export function createLogger({ level, destination }: LoggerOptions): Logger {
  const options = {
    level,
    base: { pid: process.pid },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: {
      level: (label: string) => ({ level: label }),
      log: (fields: Record<string, unknown>) => censorFields(fields, 0),
    },
    serializers: SERIALIZERS,
  };
  return pino(options, destination ?? pino.destination({ dest: 2, sync: true }));
}

/** Bindings of a child don't pass `formatters.log`; errors that do are plain objects behind it. */
const SERIALIZERS = {
  ...Object.fromEntries(CENSORED_NAMES.map((name) => [name, () => CENSORED])),
  err: (value: unknown) => (value instanceof Error ? censor(value, 0) : value),
};

function censorFields(fields: object, depth: number): Record<string, unknown> {
  const censored: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(fields)) {
    censored[name] = CENSORED_NAME.test(name) ? CENSORED : censor(value, depth + 1);
  }
  return censored;
}

/** Returns a copy without secrets; bytes become their number, for they are somebody's content. */
function censor(value: unknown, depth: number): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`;
  if (depth >= DEPTH_MAX) return '[too deep]';
  if (Array.isArray(value)) return value.map((item) => censor(item, depth + 1));
  if (value instanceof Error) return censorFields(fieldsOf(value), depth);
  if ('toJSON' in value) return value;
  return censorFields(value, depth);
}

/** Type, message and stack, with those of its causes, and what else it carries. */
function fieldsOf(error: Error): object {
  return pino.stdSerializers.err(error);
}
