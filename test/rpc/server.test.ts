import { once } from 'node:events';
import { connect as connectHttp2 } from 'node:http2';
import { connect } from 'node:net';
import { Client, credentials, Metadata, status } from '@grpc/grpc-js';
import { describe, expect, it, vi } from 'vitest';
import { NodeServiceService } from '../../proto/gen/ringbinder/internal/v1/node_service.js';
import {
  HashServiceClient,
  HashServiceService,
} from '../../proto/gen/ringbinder/v1/hash_service.js';
import { PeerServiceService } from '../../proto/gen/ringbinder/v1/peer_service.js';
import { RpcServer } from '../../services/rpc/server.js';
import { systemClock } from '../../services/system/clock.js';
import {
  captureLog,
  failureOf,
  refused,
  sendBytes,
  startServer,
  streamFailure,
  until,
} from './started-server.js';

const ADDRESS = { address: 'a' };
const getRingId = async () => ({ ringId: 1n });

function newServer(): RpcServer {
  return new RpcServer({ log: captureLog().log, clock: systemClock });
}

function portOf(address: string): number {
  return Number(address.split(':').at(-1));
}

async function callAt(address: string): Promise<unknown> {
  const client = new HashServiceClient(address, credentials.createInsecure());
  try {
    return await new Promise((resolve, reject) => {
      client.getRingId(ADDRESS, (error, response) => (error ? reject(error) : resolve(response)));
    });
  } finally {
    client.close();
  }
}

describe('RpcServer.listen', () => {
  it.each(['127.0.0.1:0', '[::1]:0', 'localhost:0'])('serves at %s', async (asked) => {
    const server = newServer();
    server.add(HashServiceService, { getRingId });
    const address = await server.listen(asked);
    expect(address).toMatch(/^(127\.0\.0\.1|\[::1\]|localhost):[1-9]\d+$/);
    expect(await callAt(address)).toEqual({ ringId: 1n });
    await server.drain(0);
  });

  it('names the address when the port is taken, and is otherwise silent', async () => {
    await using node = await startServer({});
    const stderr = vi.spyOn(process.stderr, 'write');
    const consoleError = vi.spyOn(console, 'error');
    const failure = newServer().listen(node.address);
    await expect(failure).rejects.toMatchObject({
      code: 'EADDRINUSE',
      message: `can't listen at ${node.address}: the port is taken`,
    });
    expect(stderr).not.toHaveBeenCalled();
    expect(consoleError).not.toHaveBeenCalled();
    vi.restoreAllMocks();
  });

  it.each([
    { address: 'nowhere', code: 'EINVAL' },
    { address: '127.0.0.1:65536', code: 'EINVAL' },
    { address: '192.0.2.1:0', code: 'EADDRNOTAVAIL' },
  ])('rejects at $address with $code', async ({ address, code }) => {
    await expect(newServer().listen(address)).rejects.toMatchObject({
      code,
      message: expect.stringContaining(address) as string,
    });
  });
});

describe('RpcServer.add', () => {
  it.each([
    { title: 'a method without a handler', path: HashServiceService.hashKey.path },
    { title: 'a stream without a handler', path: PeerServiceService.watchMessages.path },
    { title: 'a method that a newer version may have', path: '/ringbinder.v1.HashService/New' },
    { title: 'a service that nobody has', path: '/acme.v9.Thing/Do' },
    { title: 'no path at all', path: '/' },
    { title: 'a path in another language', path: `/${encodeURI('漢')}/%` },
  ])('answers $title with RPC_NOT_IMPLEMENTED', async ({ path }) => {
    await using node = await startServer({});
    const sent = sendBytes(node.hash, path, Buffer.alloc(0), new Metadata());
    const error = await failureOf((done) => void sent.catch(done));
    expect(error.code).toBe(status.UNIMPLEMENTED);
    expect(error.refusal).toMatchObject({ reason: 'RPC_NOT_IMPLEMENTED', facts: { method: path } });
  });

  it('answers a service without handlers before the request is complete', async () => {
    await using node = await startServer({});
    const stream = node.peer.openStream();
    expect((await streamFailure(stream)).refusal).toMatchObject({ reason: 'RPC_NOT_IMPLEMENTED' });
  });
});

describe('RpcServer.addNotServed', () => {
  it('answers every call of the service with ROLE_NOT_SERVED', async () => {
    const server = newServer();
    server.addNotServed(NodeServiceService);
    const client = new Client(await server.listen('127.0.0.1:0'), credentials.createInsecure());
    for (const { path } of Object.values(NodeServiceService)) {
      const sent = sendBytes(client, path, Buffer.alloc(0), new Metadata());
      const error = await failureOf((done) => void sent.catch(done));
      expect(error.code).toBe(status.UNIMPLEMENTED);
      expect(error.refusal).toMatchObject({
        reason: 'ROLE_NOT_SERVED',
        facts: { service: 'ringbinder.internal.v1.NodeService' },
      });
    }
    client.close();
    await server.drain(0);
  });
});

describe('RpcServer', () => {
  it('survives whatever else comes in on its port', async () => {
    await using node = await startServer({ hash: { getRingId } });
    const junk = [
      Buffer.from('GET / HTTP/1.1\r\n\r\n'),
      Buffer.alloc(70_000, 0xff),
      Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\nnonsense that is no frame'),
      Buffer.alloc(0),
    ];
    for (const bytes of junk) {
      const socket = connect(portOf(node.address), '127.0.0.1');
      socket.on('error', () => undefined);
      await once(socket, 'connect');
      socket.end(bytes);
      socket.resume();
      await once(socket, 'close');
    }
    const broken = connect(portOf(node.address), '127.0.0.1');
    await once(broken, 'connect');
    broken.resetAndDestroy();
    expect(await callAt(node.address)).toEqual({ ringId: 1n });
  });

  it('takes no more calls at once on a connection than its limit', async () => {
    await using node = await startServer({}, { limits: { streamsMax: 7 } });
    const session = connectHttp2(`http://${node.address}`);
    const [settings] = (await once(session, 'remoteSettings')) as [Record<string, number>];
    expect(settings['maxConcurrentStreams']).toBe(7);
    session.close();
  });

  it('closes a connection beyond its limit', async () => {
    await using node = await startServer({}, { limits: { connectionsMax: 1 } });
    const first = connect(portOf(node.address), '127.0.0.1');
    await once(first, 'connect');
    const second = connect(portOf(node.address), '127.0.0.1');
    second.on('error', () => undefined);
    await once(second, 'close');
    first.destroy();
  });

  it('closes a connection whose other end is dead', async () => {
    const limits = { keepaliveMs: 50, keepaliveTimeoutMs: 50 };
    await using node = await startServer({}, { limits });
    const silent = connect(portOf(node.address), '127.0.0.1');
    silent.on('error', () => undefined);
    silent.resume();
    await once(silent, 'close');
  });
});

describe('RpcServer.drain', () => {
  it('lets running calls finish, and refuses new ones', async () => {
    let answer: (response: { ringId: bigint }) => void = () => undefined;
    let isRunning = false;
    await using node = await startServer({
      hash: {
        getRingId: () => {
          isRunning = true;
          return new Promise((resolve) => (answer = resolve));
        },
      },
    });
    const running = new Promise((resolve) => node.hash.getRingId(ADDRESS, (_, ok) => resolve(ok)));
    await until(() => isRunning, 'the call runs');
    let isDrained = false;
    const drained = node.server.drain(60_000).then(() => (isDrained = true));
    const late = await failureOf((done) => node.hash.getRingId(ADDRESS, done));
    expect(late.code).toBe(status.UNAVAILABLE);
    expect(late.refusal).toMatchObject({ reason: 'NODE_STOPPING' });
    await expect(callAt(node.address)).rejects.toMatchObject({ code: status.UNAVAILABLE });
    expect(isDrained).toBe(false);
    answer({ ringId: 4n });
    expect(await running).toEqual({ ringId: 4n });
    await drained;
  });

  it('ends calls that take longer than allowed, with an answer', async () => {
    let signal: AbortSignal | undefined;
    await using node = await startServer({
      hash: {
        getRingId: (_request, context) => {
          signal = context.signal;
          return new Promise(() => undefined);
        },
      },
    });
    const failure = failureOf((done) => node.hash.getRingId(ADDRESS, done));
    await until(() => signal !== undefined, 'the call runs');
    await node.server.drain(50);
    expect((await failure).refusal).toMatchObject({ reason: 'NODE_STOPPING' });
    expect(signal!.reason).toMatchObject({ reason: 'NODE_STOPPING' });
  });

  it('ends open streams at once', async () => {
    await using node = await startServer({
      peer: {
        watchMessages: async function* () {
          yield { sequence: 1n };
          await new Promise(() => undefined);
        },
      },
    });
    const stream = node.peer.watchMessages({});
    await once(stream, 'data');
    const failure = streamFailure(stream);
    await node.server.drain(60_000);
    const error = await failure;
    expect(error.code).toBe(status.UNAVAILABLE);
    expect(error.refusal).toMatchObject({ reason: 'NODE_STOPPING' });
  });

  it('cuts off who does not read its last answers', async () => {
    await using node = await startServer({
      peer: {
        watchMessages: async function* () {
          const payload = Buffer.alloc(2 ** 16);
          const value = { messageId: '', fromRingId: 0n, payload, path: [] };
          for (;;) yield { sequence: 1n, event: { $case: 'message', value } };
        },
      },
    });
    const stream = node.peer.watchMessages({});
    await once(stream, 'data');
    stream.pause();
    const failed = once(stream, 'error');
    const start = performance.now();
    await node.server.drain(0);
    expect(performance.now() - start).toBeLessThan(5_000);
    stream.resume();
    expect(refused(((await failed) as [never])[0]).code).toBe(status.UNAVAILABLE);
  });

  it('is the same however often it is called, and works before listening', async () => {
    const server = newServer();
    await Promise.all([server.drain(0), server.drain(0)]);
    await server.drain(0);
  });
});
