import { connect } from 'node:http2';
import { Metadata, status } from '@grpc/grpc-js';
import { describe, expect, it, vi } from 'vitest';
import {
  GetRingIdRequest,
  HashServiceService,
} from '../../proto/gen/ringbinder/v1/hash_service.js';
import { RingbinderError } from '../../services/errors.js';
import type { CallContext } from '../../services/rpc/handlers.js';
import { reasonOf } from '../../services/rpc/status.js';
import { failureOf, sendBytes, startServer, until } from './started-server.js';

const GET_RING_ID = HashServiceService.getRingId.path;
const ADDRESS = { address: '10.0.0.1:7400' };

function metadataWith(entries: Readonly<Record<string, string>>): Metadata {
  const metadata = new Metadata();
  for (const [key, value] of Object.entries(entries)) metadata.set(key, value);
  return metadata;
}

describe('unary', () => {
  it('answers with what the handler resolves', async () => {
    await using node = await startServer({
      hash: { getRingId: async ({ address }) => ({ ringId: BigInt(address.length) }) },
    });
    const ringId = await new Promise((resolve) => {
      node.hash.getRingId(ADDRESS, (_error, response) => resolve(response.ringId));
    });
    expect(ringId).toBe(13n);
  });

  it('answers with the refusal that the handler throws', async () => {
    await using node = await startServer({
      hash: {
        getRingId: async ({ address }) => {
          throw new RingbinderError('ADDRESS_UNKNOWN', `${address} has no ring ID`, { address });
        },
      },
    });
    const error = await failureOf((done) => node.hash.getRingId(ADDRESS, done));
    expect(error.code).toBe(status.NOT_FOUND);
    expect(error.details).toBe('[ADDRESS_UNKNOWN] 10.0.0.1:7400 has no ring ID');
    expect(error.refusal).toMatchObject({ reason: 'ADDRESS_UNKNOWN', facts: ADDRESS });
    expect(node.lines).toEqual([]);
  });

  it.each([
    { title: 'rejects', fail: () => Promise.reject(new Error('disk /secret is full')) },
    {
      title: 'throws before it is asynchronous',
      fail: () => {
        throw new TypeError('disk /secret is full');
      },
    },
    { title: 'answers with what can not be encoded', fail: async () => ({ ringId: -1n }) },
  ])('masks and logs once when the handler $title', async ({ fail }) => {
    await using node = await startServer({ hash: { getRingId: fail } });
    const sent = metadataWith({ 'x-request-id': 'id-7' });
    const error = await failureOf((done) => node.hash.getRingId(ADDRESS, sent, done));
    expect(error.code).toBe(status.INTERNAL);
    expect(error.refusal).toMatchObject({ reason: 'INTERNAL', facts: {} });
    expect(error.details).not.toContain('secret');
    expect(node.lines).toEqual([
      expect.objectContaining({ level: 50, requestId: 'id-7', method: GET_RING_ID }),
    ]);
    expect(node.lines[0]).toHaveProperty('err.stack');
  });

  it('refuses an invalid request before the handler sees it', async () => {
    const getRingId = vi.fn(async () => ({ ringId: 1n }));
    await using node = await startServer({ hash: { getRingId } });
    const error = await failureOf((done) => node.hash.getRingId({ address: '' }, done));
    expect(error.code).toBe(status.INVALID_ARGUMENT);
    expect(error.refusal).toMatchObject({
      reason: 'REQUEST_INVALID',
      violations: [{ field: 'address', description: 'must be at least 1 bytes' }],
    });
    expect(getRingId).not.toHaveBeenCalled();
  });

  it.each([
    { title: 'malformed bytes', bytes: Buffer.from([0x0a, 0xff]), reason: 'REQUEST_MALFORMED' },
    { title: '5 MB', bytes: Buffer.alloc(5_000_000), reason: 'REQUEST_TOO_LARGE' },
    { title: '9 MB', bytes: Buffer.alloc(9_000_000), reason: 'REQUEST_TOO_LARGE' },
  ])('refuses $title with $reason', async ({ bytes, reason }) => {
    await using node = await startServer({ hash: { getRingId: async () => ({ ringId: 1n }) } });
    const sent = sendBytes(node.hash, GET_RING_ID, bytes, new Metadata());
    const error = await failureOf((done) => void sent.catch(done));
    expect(error.refusal).toMatchObject({ reason });
  });

  it('refuses a request that is too large only when unpacked', async () => {
    await using node = await startServer({ hash: { getRingId: async () => ({ ringId: 1n }) } });
    const metadata = metadataWith({ 'grpc-internal-encoding-request': 'gzip' });
    const sent = sendBytes(node.hash, GET_RING_ID, Buffer.alloc(20_000_000), metadata);
    const error = await failureOf((done) => void sent.catch(done));
    expect(error.code).toBe(status.RESOURCE_EXHAUSTED);
    expect(error.refusal).toMatchObject({ reason: 'REQUEST_TOO_LARGE' });
  });

  it.each([
    { title: 'echoes the given request ID', given: 'trace 1/2,3', echoed: /^trace 1\/2,3$/ },
    { title: 'makes one when none is given', given: undefined, echoed: /^[0-9a-f-]{36}$/ },
    { title: 'makes one when it is too long', given: 'x'.repeat(65), echoed: /^[0-9a-f-]{36}$/ },
  ])('$title, with errors', async ({ given, echoed }) => {
    let seen = '';
    await using node = await startServer({
      hash: {
        getRingId: async (_request, { requestId }) => {
          seen = requestId;
          throw new RingbinderError('PEER_BUSY', 'busy');
        },
      },
    });
    const sent = metadataWith(given === undefined ? {} : { 'x-request-id': given });
    const error = await failureOf((done) => node.hash.getRingId(ADDRESS, sent, done));
    expect(error.metadata.get('x-request-id')).toEqual([expect.stringMatching(echoed)]);
    expect(error.metadata.get('x-request-id')).toEqual([seen]);
  });

  it('tells the handler about deadline, forwarding and its log', async () => {
    const seen: CallContext[] = [];
    await using node = await startServer({
      hash: {
        getRingId: async (_request, context) => {
          seen.push(context);
          context.log.info('looked');
          return { ringId: 1n };
        },
      },
    });
    const call = (metadata: Metadata, options: object) =>
      new Promise((resolve) => node.hash.getRingId(ADDRESS, metadata, options, resolve));
    await call(new Metadata(), {});
    await call(metadataWith({ 'ringbinder-forwarded': '1' }), { deadline: Date.now() + 60_000 });
    expect(seen.map(({ isForwarded }) => isForwarded)).toEqual([false, true]);
    expect(seen[0]!.deadlineMs).toBeUndefined();
    expect(seen[1]!.deadlineMs).toBeGreaterThan(50_000);
    expect(seen[1]!.deadlineMs).toBeLessThanOrEqual(60_000);
    expect(node.lines[0]).toMatchObject({ method: GET_RING_ID, requestId: seen[0]!.requestId });
  });

  it('aborts the signal when the caller cancels, and not when it was answered', async () => {
    const seen: AbortSignal[] = [];
    await using node = await startServer({
      hash: {
        getRingId: (_request, { signal }) => {
          seen.push(signal);
          return seen.length === 1 ? Promise.resolve({ ringId: 1n }) : new Promise(() => undefined);
        },
      },
    });
    await new Promise((resolve) => node.hash.getRingId(ADDRESS, resolve));
    const call = node.hash.getRingId(ADDRESS, () => undefined);
    await until(() => seen.length === 2, 'the handler runs');
    call.cancel();
    await until(() => seen[1]!.aborted, 'the signal is aborted');
    expect(seen[1]!.reason).toHaveProperty('name', 'AbortError');
    expect(seen[0]!.aborted).toBe(false);
    expect(node.lines).toEqual([]);
  });

  it('aborts the signal at the deadline, and says so to a caller that still listens', async () => {
    let seen: AbortSignal | undefined;
    await using node = await startServer({
      hash: {
        getRingId: (_request, { signal }) => {
          seen = signal;
          return new Promise((_resolve, reject) =>
            signal.addEventListener('abort', () => reject(signal.reason as Error)),
          );
        },
      },
    });
    const trailers = await callWithTimeoutHeader(node.address, '50m');
    expect(trailers['grpc-status']).toBe(String(status.DEADLINE_EXCEEDED));
    const metadata = Metadata.fromHttp2Headers(trailers);
    expect(reasonOf({ metadata })).toMatchObject({ reason: 'DEADLINE_PASSED' });
    await until(() => seen!.aborted, 'the signal is aborted');
    expect(seen!.reason).toMatchObject({ reason: 'DEADLINE_PASSED' });
    expect(node.lines).toEqual([]);
  });

  it('ignores an answer that comes when the caller is gone', async () => {
    let answer: (response: { ringId: bigint }) => void = () => undefined;
    let signal: AbortSignal | undefined;
    await using node = await startServer({
      hash: {
        getRingId: (_request, context) => {
          signal = context.signal;
          return new Promise((resolve) => (answer = resolve));
        },
      },
    });
    const call = node.hash.getRingId(ADDRESS, () => undefined);
    await until(() => signal !== undefined, 'the handler runs');
    call.cancel();
    await until(() => signal!.aborted, 'the signal is aborted');
    answer({ ringId: 1n });
    await node.server.drain(1_000);
    expect(node.lines).toEqual([]);
  });
});

/** A caller whose own clock doesn't end the call first. */
function callWithTimeoutHeader(address: string, timeout: string) {
  const session = connect(`http://${address}`);
  const headers = { 'content-type': 'application/grpc', te: 'trailers', 'grpc-timeout': timeout };
  const call = session.request({ ':method': 'POST', ':path': GET_RING_ID, ...headers });
  const message = GetRingIdRequest.encode(ADDRESS).finish();
  const frame = Buffer.alloc(5);
  frame.writeUInt32BE(message.length, 1);
  call.end(Buffer.concat([frame, message]));
  return new Promise<Record<string, string>>((resolve, reject) => {
    call.once('response', (response) => {
      session.close();
      resolve(response as Record<string, string>);
    });
    call.once('error', reject);
  });
}
