/** One end of a peer stream on a gRPC call: what its user sends goes in, what is for it comes out. */
import { RingbinderError } from '../../errors.js';
import { brokenOff, type PeerStream, type StreamEnd } from './peer-stream.js';

/** A request behind the first one. */
export type StreamMessage =
  | { readonly $case: 'chunk'; readonly value: Uint8Array }
  | { readonly $case: 'finish'; readonly value: object }
  | { readonly $case: 'open'; readonly value: object };

/** A response behind the first one. */
export type StreamEvent =
  | { readonly $case: 'chunk'; readonly value: Buffer }
  | { readonly $case: 'finish'; readonly value: Record<string, never> };

type Requests = AsyncIterator<{ readonly action?: StreamMessage | undefined }>;

/**
 * Yields what the user of an end reads, and ends when that and what it wrote have been passed on. Whoever stops
 * listening before breaks the stream; so does who goes away without having finished, for that may be a loss.
 * Throws why the stream broke.
 */
export async function* serveEnd(
  stream: PeerStream,
  end: StreamEnd,
  requests: Requests,
  signal: AbortSignal,
): AsyncGenerator<StreamEvent, void, void> {
  const giveUp = (): void => stream.break(brokenOff(stream, signal.reason));
  signal.addEventListener('abort', giveUp);
  if (signal.aborted) giveUp();
  void writeAll(stream, end, requests);
  try {
    for (;;) {
      const chunk = await end.incoming.read();
      if (chunk === undefined) break;
      yield { $case: 'chunk', value: asBuffer(chunk) };
    }
    yield { $case: 'finish', value: {} };
    end.incoming.settle();
    await end.outgoing.settled();
  } finally {
    signal.removeEventListener('abort', giveUp);
    if (!stream.isOver) stream.break(brokenOff(stream));
  }
}

/** Never rejects: what goes wrong breaks the stream, and is told to both sides. */
async function writeAll(
  stream: PeerStream,
  { outgoing }: StreamEnd,
  requests: Requests,
): Promise<void> {
  try {
    for (;;) {
      const next = await requests.next();
      const action = next.done === true ? undefined : next.value.action;
      if (action?.$case === 'chunk') {
        const room = outgoing.write(action.value);
        if (room !== undefined) await room;
      } else if (action?.$case === 'finish') {
        outgoing.finish();
        return;
      } else {
        throw action === undefined ? brokenOff(stream) : openedTwice();
      }
    }
  } catch (thrown) {
    const isOurs = thrown instanceof RingbinderError;
    stream.break(isOurs ? thrown : brokenOff(stream, thrown));
  }
}

function openedTwice(): RingbinderError {
  const violations = [{ field: 'open', description: 'only the first request opens the stream' }];
  return new RingbinderError('REQUEST_INVALID', 'the stream is open already', {}, { violations });
}

function asBuffer(chunk: Uint8Array): Buffer {
  if (Buffer.isBuffer(chunk)) return chunk;
  return Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
}
