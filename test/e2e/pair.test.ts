/** Programs that speak raw TCP as the other ends of streams (wire/pair.md, section 6). */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { PeerStream } from '../../clients/sdk/index.js';
import { legacyFlags } from '../support/legacy-flags.js';
import { TestNet, untilIdeal, type TestNode } from '../support/nodes.js';
import { connectionsBetween, crossed, restOf, take } from '../support/peer-streams.js';

const MIB = 2 ** 20;
const FLAGS = legacyFlags({ pair: '127.0.0.1:0' });

let net: TestNet;
let node: TestNode;
let port: number;

beforeAll(async () => {
  net = new TestNet();
  node = await net.start({ flags: FLAGS });
  port = pairPortOf(node);
}, 30_000);

afterAll(async () => net[Symbol.asyncDispose]());

function pairPortOf(of: TestNode): number {
  const { pair } = of.record('ringbinder ready')!['legacy'] as { readonly pair: string };
  return Number(pair.split(':').at(-1));
}

/** A raw program that dials the node, and the end of its stream at the node. */
async function dialIn(): Promise<readonly [Socket, PeerStream]> {
  const accepted = node.sdk.peer.acceptStream();
  const socket = connect({ host: '127.0.0.1', port, allowHalfOpen: true });
  await Promise.all([once(socket, 'connect'), accepted.connect()]);
  return [socket, accepted];
}

/** A raw program that listens, and what it has accepted. */
async function listenRaw(): Promise<{ server: Server; sockets: Socket[]; address: string }> {
  const sockets: Socket[] = [];
  const server = createServer({ allowHalfOpen: true }, (socket) => sockets.push(socket));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = `pair://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { server, sockets, address };
}

async function closed(stream: PeerStream): Promise<void> {
  if (!stream.closed) await once(stream, 'close');
}

describe('a raw program that dials a node', () => {
  it('is sent nothing that no application wrote', async () => {
    const [socket, accepted] = await dialIn();
    let bytes = 0;
    socket.on('data', (chunk) => (bytes += chunk.length));
    await new Promise((wake) => setTimeout(wake, 500));
    expect(bytes).toBe(0);
    const local = socket.localPort ?? 0;
    expect(accepted.peer).toEqual({
      ringId: 0,
      address: `pair://127.0.0.1:${local}`,
      incarnation: 0,
    });
    socket.end();
    accepted.end();
    expect(await restOf(accepted)).toHaveLength(0);
    await closed(accepted);
  });

  it('exchanges exactly the bytes that were written', async () => {
    const [socket, accepted] = await dialIn();
    socket.write('hello');
    expect((await take(accepted, 5)).toString()).toBe('hello');
    accepted.write('hey');
    const [reply] = (await once(socket, 'data')) as [Buffer];
    expect(reply.toString()).toBe('hey');
    socket.end();
    accepted.end();
    expect(await restOf(accepted)).toHaveLength(0);
    await closed(accepted);
  });

  it('has every byte value and 1 MiB each way at once carried unchanged', async () => {
    const [socket, accepted] = await dialIn();
    const all = Buffer.from(Array.from({ length: 256 }, (_, value) => value));
    const sent = Buffer.concat([all, randomBytes(MIB)]);
    const back = Buffer.concat([all, randomBytes(MIB)]);
    socket.end(sent);
    accepted.end(back);
    const [gotBack, gotSent] = await Promise.all([restOf(socket), restOf(accepted)]);
    expect(gotSent.equals(sent) && gotBack.equals(back)).toBe(true);
    await closed(accepted);
  });

  it('may end either direction first', async () => {
    const [first, firstEnd] = await dialIn();
    first.end('done');
    expect((await restOf(firstEnd)).toString()).toBe('done');
    firstEnd.end('and I');
    expect((await restOf(first)).toString()).toBe('and I');
    const [second, secondEnd] = await dialIn();
    secondEnd.end('done');
    expect((await restOf(second)).toString()).toBe('done');
    second.end('and I');
    expect((await restOf(secondEnd)).toString()).toBe('and I');
    await Promise.all([firstEnd, secondEnd].map(closed));
  });

  it('is waited for, and makes the node wait', async () => {
    const [socket, accepted] = await dialIn();
    socket.pause();
    const bytes = randomBytes(16 * MIB);
    const isTaken = { there: false, here: false };
    socket.end(bytes, () => (isTaken.there = true));
    accepted.end(bytes, () => (isTaken.here = true));
    await new Promise((wake) => setTimeout(wake, 1_000));
    expect(isTaken).toEqual({ there: false, here: false });
    const [gotHere, gotThere] = await Promise.all([restOf(accepted), restOf(socket)]);
    expect(gotHere.equals(bytes) && gotThere.equals(bytes)).toBe(true);
  }, 30_000);

  it('breaks the stream by a reset, and is reset when the application breaks it', async () => {
    const [socket, accepted] = await dialIn();
    const failing = once(accepted.resume(), 'error');
    socket.resetAndDestroy();
    expect((await failing)[0]).toMatchObject({ reason: 'PEER_UNREACHABLE' });
    const [other, otherEnd] = await dialIn();
    const reset = once(other.resume(), 'error');
    otherEnd.destroy();
    expect((await reset)[0]).toMatchObject({ code: 'ECONNRESET' });
  });
});

describe('a raw program that a node dials', () => {
  it('sees the bytes written, from the first one, on one connection', async () => {
    const { server, sockets, address } = await listenRaw();
    for (let turn = 0; turn < 11; turn += 1) node.sdk.peer.stream(address).write(`${turn},`);
    const stream = node.sdk.peer.stream(address);
    stream.end();
    expect(await stream.connect()).toMatchObject({ address, ringId: 0 });
    await new Promise((wake) => setTimeout(wake, 200));
    expect(sockets).toHaveLength(1);
    const got = restOf(sockets[0]!);
    sockets[0]!.end('thanks');
    expect((await got).toString()).toBe('0,1,2,3,4,5,6,7,8,9,10,');
    expect((await restOf(stream)).toString()).toBe('thanks');
    await closed(stream);
    server.close();
  });

  it('can be the node itself: what is written comes out of the other end once', async () => {
    const accepted = node.sdk.peer.acceptStream();
    const stream = node.sdk.peer.stream(`pair://127.0.0.1:${port}`);
    stream.end('to myself');
    expect((await restOf(accepted)).toString()).toBe('to myself');
    accepted.end();
    expect(await restOf(stream)).toHaveLength(0);
    await Promise.all([stream, accepted].map(closed));
  });

  it('breaks the stream when it goes away', async () => {
    const { server, sockets, address } = await listenRaw();
    const stream = node.sdk.peer.stream(address);
    await stream.connect();
    const failing = once(stream.resume(), 'error');
    await new Promise((wake) => setTimeout(wake, 50));
    sockets[0]!.resetAndDestroy();
    expect((await failing)[0]).toMatchObject({ reason: 'PEER_UNREACHABLE' });
    server.close();
  });
});

describe('pair programs that are peers', () => {
  it('dial each other at the same time, and have one stream that lost nothing', async () => {
    const other = await net.start({ join: [node.address], flags: FLAGS });
    await untilIdeal([node, other], 15_000);
    const before = connectionsBetween(node, other);
    const [here, there] = crossed(node, other);
    here.end('from here');
    there.end('from there');
    const both = await Promise.all([restOf(there), restOf(here)]);
    expect(both.map(String)).toEqual(['from here', 'from there']);
    expect(connectionsBetween(node, other)).toBeLessThanOrEqual(before + 1);
    await Promise.all([here, there].map(closed));
    expect(await other.end('SIGTERM')).toBe(0);
  }, 30_000);

  it('end in good order while raw programs are connected', async () => {
    const leaving = await net.start({ flags: FLAGS });
    const socket = connect({ host: '127.0.0.1', port: pairPortOf(leaving) });
    await once(socket, 'connect');
    socket.on('error', () => undefined);
    const gone = new Promise((resolve) => socket.once('close', resolve));
    const start = performance.now();
    expect(await leaving.end('SIGTERM')).toBe(0);
    await gone;
    expect(performance.now() - start).toBeLessThan(8_000);
  }, 30_000);
});
