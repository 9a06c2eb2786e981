import { createServer } from 'node:net';
import { Metadata, Server, ServerCredentials, status } from '@grpc/grpc-js';
import { describe, expect, it } from 'vitest';
import { HashServiceService } from '../../proto/gen/ringbinder/v1/hash_service.js';
import { RingbinderError } from '../../services/errors.js';
import { callUnary } from '../../services/rpc/channel.js';
import { toServiceError } from '../../services/rpc/status.js';
import { connectTo } from '../../services/rpc/node-client.js';
import { startServer, until } from './started-server.js';

const { getRingId } = HashServiceService;
const ADDRESS = { address: 'a' };
const PATIENT = { timeoutMs: 60_000 };

/** A server that is not ours, and answers with this error. */
async function startForeign(error: object) {
  const server = new Server();
  const { path, responseSerialize, requestDeserialize } = getRingId;
  const answer = (_call: unknown, done: (error: object) => void) => done(error);
  server.register(path, answer, responseSerialize, requestDeserialize, 'unary');
  const port = await new Promise<number>((resolve) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (_, bound) =>
      resolve(bound),
    );
  });
  const client = connectTo(`127.0.0.1:${port}`);
  return {
    client,
    [Symbol.dispose]: () => {
      client.close();
      server.forceShutdown();
    },
  };
}

describe('callUnary', () => {
  it('resolves with the response', async () => {
    await using node = await startServer({ hash: { getRingId: async () => ({ ringId: 3n }) } });
    expect(await callUnary(node.hash, getRingId, ADDRESS, PATIENT)).toEqual({ ringId: 3n });
  });

  it('rejects with the refusal of the other node, as it was thrown there', async () => {
    const refusal = new RingbinderError(
      'PEER_NOT_MEMBER',
      'ring ID 7 is no member',
      { ringId: '7' },
      { status: 'NOT_FOUND', retryAfterMs: 250 },
    );
    await using node = await startServer({ hash: { getRingId: () => Promise.reject(refusal) } });
    const error = await callUnary(node.hash, getRingId, ADDRESS, PATIENT).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(RingbinderError);
    const { reason, status, text, facts, retryAfterMs } = refusal;
    expect(error).toMatchObject({ reason, status, text, facts, retryAfterMs });
  });

  it('rejects with the violations of an invalid request', async () => {
    await using node = await startServer({ hash: { getRingId: async () => ({ ringId: 3n }) } });
    const call = callUnary(node.hash, getRingId, { address: '' }, PATIENT);
    await expect(call).rejects.toMatchObject({
      reason: 'REQUEST_INVALID',
      violations: [{ field: 'address' }],
    });
  });

  it.each([
    { title: 'without details', error: { code: status.NOT_FOUND, details: 'no' } },
    {
      title: 'with a reason that only newer nodes know',
      error: toServiceError(
        new RingbinderError('RING_NEWS' as never, 'x', {}, { status: 'ABORTED' }),
      ),
    },
  ])('rejects with the plain error when it comes $title', async ({ error }) => {
    using foreign = await startForeign(error);
    const call = callUnary(foreign.client, getRingId, ADDRESS, PATIENT);
    await expect(call).rejects.toMatchObject({ code: error.code });
    await expect(call).rejects.not.toBeInstanceOf(RingbinderError);
  });

  it('rejects with the plain error when nobody is there', async () => {
    const closed = createServer();
    await new Promise<void>((resolve) => closed.listen(0, '127.0.0.1', resolve));
    const { port } = closed.address() as { port: number };
    await new Promise((resolve) => closed.close(resolve));
    const client = connectTo(`127.0.0.1:${port}`);
    const call = callUnary(client, getRingId, ADDRESS, PATIENT);
    await expect(call).rejects.toMatchObject({ code: status.UNAVAILABLE });
    client.close();
  });

  it('gives up after its time, and sends the deadline along', async () => {
    let deadlineMs: number | undefined;
    await using node = await startServer({
      hash: {
        getRingId: (_request, context) => {
          deadlineMs = context.deadlineMs;
          return new Promise(() => undefined);
        },
      },
    });
    const call = callUnary(node.hash, getRingId, ADDRESS, { timeoutMs: 300 });
    await expect(call).rejects.toMatchObject({ code: status.DEADLINE_EXCEEDED });
    expect(deadlineMs).toBeGreaterThan(0);
    expect(deadlineMs).toBeLessThanOrEqual(300);
  });

  it.each([
    { title: 'before the call', isEarly: true },
    { title: 'during the call', isEarly: false },
  ])('rejects with the reason of a signal that is aborted $title', async ({ isEarly }) => {
    let signal: AbortSignal | undefined;
    await using node = await startServer({
      hash: {
        getRingId: (_request, context) => {
          signal = context.signal;
          return new Promise(() => undefined);
        },
      },
    });
    const reason = new RingbinderError('DEADLINE_PASSED', 'over');
    const abort = new AbortController();
    if (isEarly) abort.abort(reason);
    const call = callUnary(node.hash, getRingId, ADDRESS, { ...PATIENT, signal: abort.signal });
    const failure = expect(call).rejects.toBe(reason);
    if (!isEarly) await until(() => signal !== undefined, 'the call runs');
    abort.abort(reason);
    await failure;
    if (!isEarly) await until(() => signal!.aborted, 'the other side knows');
  });

  it('sends metadata', async () => {
    let seen: unknown;
    await using node = await startServer({
      hash: {
        getRingId: async (_request, { requestId, isForwarded }) => {
          seen = { requestId, isForwarded };
          return { ringId: 1n };
        },
      },
    });
    const metadata = new Metadata();
    metadata.set('x-request-id', 'r-1');
    metadata.set('ringbinder-forwarded', '1');
    await callUnary(node.hash, getRingId, ADDRESS, { ...PATIENT, metadata });
    expect(seen).toEqual({ requestId: 'r-1', isForwarded: true });
  });
});
