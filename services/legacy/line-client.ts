/**
 * Asks a port where each connection brings one line and gets one reply, as the original programs do: sends
 * the line, reads lines until the last one, the close, a limit or the deadline, and closes.
 */
import { connect, type Socket } from 'node:net';
import { LineReader } from './core/line-reader.js';

/** 4 MiB: a list of 100,000 members and more. Some originals send without an end. */
const ANSWER_BYTES_MAX = 4 * 1_024 * 1_024;

export type LineExchange = {
  /** `host` may be a name; IPv6 without brackets. */
  readonly to: { readonly host: string; readonly port: number };
  /** Without its terminator. */
  readonly line: string;
  /** Whether nothing more is wanted; by default the server closes first. */
  readonly isLast?: (line: string, index: number) => boolean;
  readonly withinMs: number;
  /** Of a clock. */
  readonly after: (ms: number, act: () => void) => () => void;
  readonly signal?: AbortSignal;
};

export type LineAnswer = {
  readonly lines: readonly string[];
  /** `closed` by the server, also by a reset; `cut` at the limit on what is read. */
  readonly endedBy: 'last line' | 'closed' | 'time' | 'cut';
};

/**
 * Rejects with the error of the system when it can't connect, or is reset before the first line, and
 * with an error when it is aborted.
 */
export async function exchangeLine(exchange: LineExchange): Promise<LineAnswer> {
  const { to, line, withinMs, after, signal } = exchange;
  if (signal?.aborted === true) throw new Error('aborted');
  const socket = connect({ host: to.host, port: to.port, noDelay: true });
  const abort = (): void => void socket.destroy(new Error('aborted'));
  signal?.addEventListener('abort', abort);
  socket.write(`${line}\n`);
  let cancelDeadline = (): void => undefined;
  try {
    return await new Promise<LineAnswer>((resolve, reject) => {
      const lines = collectLines(socket, exchange, (endedBy) => resolve({ lines, endedBy }));
      cancelDeadline = after(withinMs, () => resolve({ lines, endedBy: 'time' }));
      socket.on('error', (error) => {
        if (lines.length === 0 || signal?.aborted === true) reject(error);
        else resolve({ lines, endedBy: 'closed' });
      });
    });
  } finally {
    cancelDeadline();
    signal?.removeEventListener('abort', abort);
    socket.destroy();
  }
}

/** The lines so far, until `ended` is called. */
function collectLines(
  socket: Socket,
  { isLast }: LineExchange,
  ended: (by: LineAnswer['endedBy']) => void,
): readonly string[] {
  const lines: string[] = [];
  const reader = new LineReader(ANSWER_BYTES_MAX);
  let readBytes = 0;
  let isOver = false;
  socket.on('data', (bytes) => {
    if (isOver) return;
    readBytes += bytes.length;
    for (const line of reader.read(bytes)) {
      lines.push(line);
      isOver = isLast?.(line, lines.length - 1) === true;
      if (isOver) return ended('last line');
    }
    if (readBytes > ANSWER_BYTES_MAX) ended('cut');
  });
  socket.on('end', () => {
    const rest = reader.end();
    if (rest !== undefined) lines.push(rest);
    ended('closed');
  });
  return lines;
}
