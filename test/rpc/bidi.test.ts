import { once } from 'node:events';
import { setImmediate } from 'node:timers/promises';
import { status } from '@grpc/grpc-js';
import { describe, expect, it } from 'vitest';
import type {
  OpenStreamRequest,
  OpenStreamResponse,
} from '../../proto/gen/ringbinder/v1/peer_service.js';
import { RingbinderError } from '../../services/errors.js';
import type { CallContext } from '../../services/rpc/handlers.js';
import { startServer, streamFailure, until } from './started-server.js';

const KIB = 1_024;
const FINISH: OpenStreamRequest = { action: { $case: 'finish', value: {} } };

function chunk(bytes: number): OpenStreamRequest {
  return { action: { $case: 'chunk', value: Buffer.alloc(bytes, 7) } };
}

async function* echo(requests: AsyncIterable<OpenStreamRequest>) {
  for await (const { action } of requests) {
    if (action?.$case === 'chunk') yield { event: action } satisfies OpenStreamResponse;
  }
}

async function sizesOf(stream: AsyncIterable<unknown>): Promise<number[]> {
  const sizes: number[] = [];
  for await (const each of stream) {
    const { event } = each as OpenStreamResponse;
    sizes.push(event?.$case === 'chunk' ? event.value.length : -1);
  }
  return sizes;
}

describe('bidiStreaming', () => {
  it('carries requests and responses in order, both ways', async () => {
    await using node = await startServer({ peer: { openStream: echo } });
    const stream = node.peer.openStream();
    const sent = Array.from({ length: 1_000 }, (_, index) => 1 + (index % 300));
    for (const bytes of sent) stream.write(chunk(bytes));
    stream.end();
    expect(await sizesOf(stream)).toEqual(sent);
  });

  it('lets the handler go on when the caller has sent its last request', async () => {
    await using node = await startServer({
      peer: {
        openStream: async function* (requests) {
          let bytes = 0;
          for await (const { action } of requests) {
            if (action?.$case === 'chunk') bytes += action.value.length;
          }
          yield { event: { $case: 'chunk', value: Buffer.alloc(bytes) } };
          yield { event: { $case: 'chunk', value: Buffer.alloc(1) } };
        },
      },
    });
    const stream = node.peer.openStream();
    stream.write(chunk(2));
    stream.write(chunk(3));
    stream.end();
    expect(await sizesOf(stream)).toEqual([5, 1]);
  });

  it('lets the handler end while the caller still sends', async () => {
    await using node = await startServer({
      peer: {
        openStream: async function* (requests) {
          for await (const { action } of requests) {
            if (action?.$case === 'chunk') yield { event: action };
            return;
          }
        },
      },
    });
    const stream = node.peer.openStream();
    stream.write(chunk(4));
    expect(await sizesOf(stream)).toEqual([4]);
  });

  it('reads no more than the handler asks for', async () => {
    let goOn: () => void = () => undefined;
    let count = 0;
    await using node = await startServer({
      peer: {
        openStream: async function* (requests) {
          for await (const { action } of requests) {
            count += action ? 1 : 0;
            if (count === 1) await new Promise<void>((resolve) => (goOn = resolve));
          }
          yield { event: { $case: 'finish', value: {} } };
        },
      },
    });
    const stream = node.peer.openStream();
    let written = 0;
    const write = () => {
      while (written < 500 && stream.write(chunk(16 * KIB))) written += 1;
      if (written === 500) stream.end();
    };
    stream.on('drain', write);
    write();
    await until(() => count === 1, 'the handler has one request');
    for (let before = -1; before !== written;) {
      before = written;
      for (let turn = 0; turn < 50; turn += 1) await setImmediate();
    }
    // 64 KiB here, as much in HTTP/2, and 16 requests or more in grpc-js on either side.
    expect(written).toBeLessThan(100);
    goOn();
    await sizesOf(stream);
    expect(count).toBeGreaterThanOrEqual(500);
  });

  it.each([
    { title: 'an invalid request', request: chunk(0), reason: 'REQUEST_INVALID' },
    { title: 'a request without an action', request: {}, reason: 'REQUEST_INVALID' },
    { title: 'a chunk of 5 MB', request: chunk(5_000_000), reason: 'REQUEST_TOO_LARGE' },
    { title: 'a chunk of 9 MB', request: chunk(9_000_000), reason: 'REQUEST_TOO_LARGE' },
  ])('ends with $reason at $title', async ({ request, reason }) => {
    let failure: unknown;
    await using node = await startServer({
      peer: {
        openStream: async function* (requests) {
          try {
            yield* echo(requests);
          } catch (caught) {
            failure = caught;
            throw caught;
          }
        },
      },
    });
    const stream = node.peer.openStream();
    stream.write(chunk(1));
    await once(stream, 'data');
    stream.write(request);
    expect((await streamFailure(stream)).refusal).toMatchObject({ reason });
    await until(() => failure !== undefined, 'the handler knows');
    expect(node.lines).toEqual([]);
  });

  it('ends at an invalid request even when the handler goes on regardless', async () => {
    await using node = await startServer({
      peer: {
        openStream: async function* (requests) {
          await Promise.resolve(requests[Symbol.asyncIterator]().next()).catch(() => undefined);
          for (;;) yield { event: { $case: 'finish', value: {} } };
        },
      },
    });
    const stream = node.peer.openStream();
    stream.write({});
    expect((await streamFailure(stream)).refusal).toMatchObject({ reason: 'REQUEST_INVALID' });
  });

  it('ends the requests and aborts the signal when the caller cancels', async () => {
    let context: CallContext | undefined;
    let isEnded = false;
    await using node = await startServer({
      peer: {
        openStream: async function* (requests, given) {
          context = given;
          try {
            yield* echo(requests);
          } finally {
            isEnded = true;
            if (!given.signal.aborted) await once(given.signal, 'abort');
          }
        },
      },
    });
    const stream = node.peer.openStream();
    stream.on('error', () => undefined);
    stream.write(chunk(1));
    await once(stream, 'data');
    stream.cancel();
    await until(() => isEnded && context!.signal.aborted, 'the handler knows');
    expect(context!.signal.reason).toHaveProperty('name', 'AbortError');
    expect(node.lines).toEqual([]);
  });

  it('ends the requests with an error when the server drains', async () => {
    let failure: unknown;
    await using node = await startServer({
      peer: {
        openStream: async function* (requests) {
          try {
            yield* echo(requests);
          } catch (caught) {
            failure = caught;
          }
        },
      },
    });
    const stream = node.peer.openStream();
    stream.write(chunk(1));
    await once(stream, 'data');
    const drained = node.server.drain(60_000);
    expect((await streamFailure(stream)).refusal).toMatchObject({ reason: 'NODE_STOPPING' });
    expect(failure).toMatchObject({ reason: 'NODE_STOPPING' });
    await drained;
  });

  it('gives one request at a time', async () => {
    let failure: unknown;
    await using node = await startServer({
      peer: {
        openStream: async function* (requests) {
          const each = requests[Symbol.asyncIterator]();
          const first = each.next();
          failure = await each.next().catch((caught: unknown) => caught);
          await first;
          yield { event: { $case: 'finish', value: {} } };
        },
      },
    });
    const stream = node.peer.openStream();
    await until(() => failure !== undefined, 'the handler asked twice');
    expect(failure).toHaveProperty('message', 'a request is asked for already');
    stream.write(FINISH);
    expect(await sizesOf(stream)).toEqual([-1]);
    stream.end();
  });

  it('ends with the refusal that the handler throws', async () => {
    await using node = await startServer({
      peer: {
        openStream: () => {
          throw new RingbinderError('PEER_NOT_FOUND', 'nobody');
        },
      },
    });
    const error = await streamFailure(node.peer.openStream());
    expect(error.code).toBe(status.NOT_FOUND);
    expect(error.refusal).toMatchObject({ reason: 'PEER_NOT_FOUND' });
  });
});
