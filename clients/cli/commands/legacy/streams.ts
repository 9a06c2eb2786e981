/** A TCP stream to a legacy program, for one question. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { after } from '../../../sdk/timing.js';
import { textOf, type Where } from './addresses.js';
import { unavailable } from './answers.js';

/** Bytes of an answer that is not complete; more than any has. */
const ANSWER_BYTES_MAX = 65_536;

/** Writes, and resolves when the system has taken it. Throws when nobody listens. */
export async function tell(to: Where, bytes: Uint8Array, withinMs: number): Promise<void> {
  await withStream(to, withinMs, async (socket) => {
    socket.end(bytes);
    await once(socket, 'finish');
  });
}

/**
 * Writes, and resolves with what is read from all that has come; with nothing when that is over or the time
 * is. Throws when nobody listens.
 */
export async function ask<Answer>(
  to: Where,
  bytes: Uint8Array,
  read: (bytes: Uint8Array) => Answer | undefined,
  withinMs: number,
): Promise<Answer | undefined> {
  return withStream(to, withinMs, async (socket) => {
    socket.write(bytes);
    let received = Buffer.alloc(0);
    try {
      for await (const chunk of socket) {
        received = Buffer.concat([received, chunk as Buffer]);
        const answer = read(received);
        if (answer !== undefined) return answer;
        if (received.length > ANSWER_BYTES_MAX) break;
      }
    } catch {
      // Broken off, or out of time: there is no answer.
    }
    return undefined;
  });
}

async function withStream<Result>(
  to: Where,
  withinMs: number,
  use: (socket: Socket) => Promise<Result>,
): Promise<Result> {
  const socket = connect(to);
  const stopWaiting = after(withinMs, () => socket.destroy(new Error('no answer in time')));
  try {
    await once(socket, 'connect').catch((thrown: unknown) => {
      const why = thrown instanceof Error ? thrown.message : String(thrown);
      throw unavailable(`the server at ${textOf(to)} can not be reached: ${why}`);
    });
    return await use(socket);
  } finally {
    stopWaiting();
    socket.destroy();
  }
}
