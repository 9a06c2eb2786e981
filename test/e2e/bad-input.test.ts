/** What a node does with what it should never get: a typed error, and it lives. */
import { Client, credentials, Metadata, status } from '@grpc/grpc-js';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CallError } from '../../clients/sdk/index.js';
import { refusal } from '../support/buf-curl.js';
import { TestNet, type TestNode } from '../support/nodes.js';
import { until } from '../support/until.js';

const V1 = 'ringbinder.v1';

let net: TestNet;
let node: TestNode;
let client: Client;

beforeAll(async () => {
  net = new TestNet();
  node = await net.start();
  client = new Client(node.address, credentials.createInsecure());
});

afterAll(async () => {
  client.close();
  await net[Symbol.asyncDispose]();
});

/** Sends these bytes as the request of a call and resolves with how it was refused. */
async function refusalOfBytes(method: string, bytes: Buffer): Promise<CallError> {
  return new Promise((resolve, reject) => {
    const asIs = (value: Buffer): Buffer => value;
    client.makeUnaryRequest(`/${V1}.${method}`, asIs, asIs, bytes, new Metadata(), {}, (error) => {
      if (error === null) reject(new Error(`${method} succeeded`));
      else resolve(new CallError(error));
    });
  });
}

describe('bytes that are no request', () => {
  it.each([
    ['a field that ends too early', Buffer.from([0x0a, 0x20, 0x61])],
    ['a tag of nothing', Buffer.from([0xff, 0xff, 0xff, 0xff, 0xff, 0xff])],
    ['text that is no UTF-8', Buffer.from([0x0a, 0x02, 0xc3, 0x28])],
    ['noise', Buffer.from('GET / HTTP/1.1\r\n\r\n')],
  ])('are refused: %s', async (_title, bytes) => {
    const error = await refusalOfBytes('HashService/AssignRingId', bytes);
    expect(error).toMatchObject({ code: status.INVALID_ARGUMENT });
    expect(['REQUEST_MALFORMED', 'REQUEST_INVALID']).toContain(error.reason);
  });

  it('are refused when they are 5 MB', async () => {
    const error = await refusalOfBytes('HashService/AssignRingId', Buffer.alloc(5_000_000, 0x61));
    expect(error).toMatchObject({
      code: status.RESOURCE_EXHAUSTED,
      reason: 'REQUEST_TOO_LARGE',
    });
  });

  it('are refused when they are 20 MB', async () => {
    const error = await refusalOfBytes('HashService/AssignRingId', Buffer.alloc(20_000_000));
    expect(error.code).toBe(status.RESOURCE_EXHAUSTED);
  });
});

describe('values out of bounds', () => {
  it.each([
    ['an empty address', 'HashService/AssignRingId', { address: '' }, 'REQUEST_INVALID'],
    [
      'an address of 4097 bytes',
      'HashService/AssignRingId',
      { address: 'a'.repeat(4_097) },
      'REQUEST_INVALID',
    ],
    [
      'a ring ID equal to the ring size',
      'HashService/GetAddress',
      { ringId: 2 ** 31 },
      'RING_ID_OUT_OF_RANGE',
    ],
    [
      'the largest ring ID',
      'HashService/GetAddress',
      { ringId: '18446744073709551615' },
      'RING_ID_OUT_OF_RANGE',
    ],
    [
      'a position beyond the ring',
      'PeerService/Lookup',
      { ringId: '9007199254740993' },
      'RING_ID_OUT_OF_RANGE',
    ],
    ['a lookup of nothing', 'PeerService/Lookup', {}, 'REQUEST_INVALID'],
    ['an empty key', 'PeerService/Lookup', { key: '' }, 'REQUEST_INVALID'],
    ['a key of 513 bytes', 'HashService/HashKey', { key: 'ü'.repeat(257) }, 'REQUEST_INVALID'],
    ['a join of nobody', 'WelcomeService/Join', {}, 'REQUEST_INVALID'],
    ['a join from nowhere', 'WelcomeService/Join', { peer: { ringId: 1 } }, 'REQUEST_INVALID'],
    [
      'a join beyond the ring',
      'WelcomeService/Join',
      { peer: { ringId: 2 ** 40, address: 'a:1' } },
      'RING_ID_OUT_OF_RANGE',
    ],
    ['a renewal of nobody', 'WelcomeService/RenewMembership', { ringId: 5 }, 'PEER_NOT_MEMBER'],
    [
      'a damaged page token',
      'WelcomeService/ListPeers',
      { pageToken: 'damaged' },
      'PAGE_TOKEN_INVALID',
    ],
    [
      'the page token of another list',
      'HashService/ListAssignments',
      { pageToken: 'AAAA' },
      'PAGE_TOKEN_INVALID',
    ],
    [
      'a candidate without an address',
      'PeerService/Notify',
      { candidate: { ringId: 4 } },
      'REQUEST_INVALID',
    ],
    [
      'an incarnation of 2^64 - 1',
      'PeerService/Notify',
      { candidate: { ringId: 4, address: 'a:1', incarnation: '18446744073709551615' } },
      'REQUEST_INVALID',
    ],
    [
      'a message ID of 65 bytes',
      'PeerService/SendMessage',
      { toRingId: 1, messageId: 'm'.repeat(65) },
      'REQUEST_INVALID',
    ],
  ])('are refused: %s', async (_title, method, request, reason) => {
    const { message } = await refusal(node.address, `${V1}.${method}`, request);
    expect(message).toContain(`[${reason}]`);
  });

  it('are refused: a payload of 1 MiB and a byte', async () => {
    const send = node.sdk.peer.send(node.ringId, Buffer.alloc(2 ** 20 + 1));
    await expect(send).rejects.toMatchObject({
      status: 'INVALID_ARGUMENT',
      reason: 'PAYLOAD_TOO_LARGE',
      facts: { payloadBytes: '1048577', payloadBytesMax: '1048576' },
    });
    await node.sdk.peer.send(node.ringId, Buffer.alloc(2 ** 20));
  });

  it('leave the node alive', async () => {
    expect(node.process.exitCode).toBeNull();
    expect(await node.sdk.hash.hashKey('hello')).toBe(1_605_411_598);
    const errors = node.records.filter(({ level }) => level === 'error');
    expect(errors).toEqual([]);
  });
});

describe('a node that cannot start', () => {
  const starts = async (
    flags: Parameters<TestNet['launch']>[0],
  ): Promise<{ readonly code: number | null; readonly said: readonly string[] }> => {
    const failed = net.launch(flags);
    return { code: await failed.exited(), said: failed.otherLines };
  };

  it('says in one line that the port is taken', async () => {
    const { code, said } = await starts({ listen: node.address });
    expect({ code, lines: said.length }).toEqual({ code: 1, lines: 1 });
    expect(said[0]).toMatch(new RegExp(`^ringbinder: ${node.address} is taken`));
  });

  it('says which process uses the data directory', async () => {
    const dataDir = net.dataDir('in-use');
    const holder = await net.start({ dataDir });
    const { code, said } = await starts({ dataDir });
    expect({ code, lines: said.length }).toEqual({ code: 1, lines: 1 });
    expect(said[0]).toContain(String(holder.process.pid));
    await holder.end('SIGKILL');
    const next = await net.start({ dataDir });
    expect(await next.end('SIGTERM')).toBe(0);
  });

  it('says that the data directory cannot be written', async () => {
    const file = join(net.directory, 'a-file');
    writeFileSync(file, '');
    const { code, said } = await starts({ dataDir: join(file, 'below') });
    expect({ code, lines: said.length }).toEqual({ code: 1, lines: 1 });
    expect(said[0]).toContain(join(file, 'below'));
  });

  it('says that the data are damaged', async () => {
    const dataDir = net.dataDir('damaged');
    mkdirSync(join(dataDir, 'directory'), { recursive: true });
    writeFileSync(join(dataDir, 'directory', 'data.mdb'), Buffer.alloc(64 * 1024, 0xaa));
    const { code, said } = await starts({ dataDir });
    expect({ code, lines: said.length }).toEqual({ code: 1, lines: 1 });
    expect(said[0]).toMatch(/^ringbinder: the data in .* can't be opened/);
  });

  it('tries to reach --join, says so, and gives up', async () => {
    const start = performance.now();
    const failed = net.launch({ join: ['127.0.0.1:1'], flags: ['--join-timeout-ms', '2000'] });
    expect(await failed.exited()).toBe(1);
    expect(performance.now() - start).toBeLessThan(10_000);
    expect(failed.record('not in the ring yet, trying again')).toBeDefined();
    expect(failed.otherLines).toEqual([
      'ringbinder: no ring could be joined through 127.0.0.1:1 within 2000 ms',
    ]);
  });

  it('stops at once when told to while it tries', async () => {
    const trying = net.launch({ join: ['127.0.0.1:1'] });
    await until(() => trying.record('not in the ring yet, trying again'), 10_000);
    const start = performance.now();
    expect(await trying.end('SIGINT')).toBe(0);
    expect(performance.now() - start).toBeLessThan(3_000);
    expect(trying.record('ringbinder stopped')).toBeDefined();
  });

  it('refuses to join itself', async () => {
    const known = await starts({ listen: '127.0.0.1:7499', join: ['localhost:7499'] });
    expect(known.code).toBe(2);
    expect(known.said).toEqual(['ringbinder: --join localhost:7499 is this node itself']);
  });

  it('refuses options that are wrong, all at once', async () => {
    const { code, said } = await starts({
      listen: 'nowhere',
      flags: ['--ring-size', '0', '--tick-ms', 'often', '--store', 'etcd://127.0.0.1'],
    });
    expect(code).toBe(2);
    expect(said).toHaveLength(4);
  });

  it('refuses to bring a data directory into another ring', async () => {
    const dataDir = net.dataDir('of-another-ring');
    const other = await net.start({ dataDir });
    await other.end('SIGTERM');
    const { code, said } = await starts({ dataDir, join: [node.address] });
    expect(code).toBe(1);
    expect(said[0]).toMatch(/the data directory belongs to the ring ring-/);
  });
});
