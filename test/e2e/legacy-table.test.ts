/** Original clients of dialects tlv and simple-dht, at real nodes, with the table between them. */
import { connect } from 'node:net';
import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { legacyFlags } from '../support/legacy-flags.js';
import { TestBridge } from '../support/bridges.js';
import { cli } from '../support/cli.js';
import { collect } from '../support/collect.js';
import { LegacyProgram } from '../support/datagrams.js';
import { TestNet, untilIdeal, type TestNode } from '../support/nodes.js';
import { until } from '../support/until.js';

const HASH_96 = '0123456789abcdef'.repeat(6);
const PASSWORD = 'password123';
const ON = legacyFlags({ tlv: '[::1]:0', 'simple-dht': '127.0.0.1:0' });

let net: TestNet;
let node: TestNode;
let other: TestNode;

beforeAll(async () => {
  net = new TestNet();
  node = await net.start({ flags: [...ON, '--stop-password', PASSWORD] });
  other = await net.start({
    join: [node.address],
    flags: legacyFlags({ 'simple-dht': '127.0.0.1:0' }),
  });
  await untilIdeal([node, other], 30_000);
}, 60_000);

afterAll(async () => net[Symbol.asyncDispose]());

const addressOf = (it: TestNode, dialect: string): string =>
  (it.record('ringbinder ready')!['legacy'] as Record<string, string>)[dialect]!;

describe('simple-dht', () => {
  const hash = (digits: string): string => digits.padStart(16, '0');
  const put = (digits: string, value: string): string => {
    const bytes = Buffer.from(value);
    const head = Buffer.from([bytes.length >> 8, bytes.length & 0xff]).toString('hex');
    return `01${hash(digits)}${head}${bytes.toString('hex')}`;
  };

  it('stores what gRPC reads, and the other way round, at every node', async () => {
    await using client = await LegacyProgram.open();
    client.send(addressOf(node, 'simple-dht'), put('abc', 'hello'));
    await client.until((hex) => hex === `03${hash('abc')}`);
    const found = await other.sdk.dht.get(hash('abc'));
    expect(Buffer.from(found!.value).toString()).toBe('hello');
    expect(found!.expireTime!.getTime() - Date.now()).toBeLessThan(31_000);

    await node.sdk.dht.put(hash('def'), 'from gRPC');
    await using reader = await LegacyProgram.open();
    reader.send(addressOf(other, 'simple-dht'), `00${hash('def')}`);
    await reader.until((hex) => hex === put('def', 'from gRPC'));
  });

  it('makes one table of legacy clients at two nodes', async () => {
    await using writer = await LegacyProgram.open();
    await using reader = await LegacyProgram.open();
    writer.send(addressOf(node, 'simple-dht'), put('b1', 'across'));
    await writer.until((hex) => hex === `03${hash('b1')}`);
    reader.send(addressOf(other, 'simple-dht'), `00${hash('b1')}`);
    await reader.until((hex) => hex === put('b1', 'across'));
  });

  it('answers a pending Get when a value comes by gRPC', async () => {
    await using reader = await LegacyProgram.open();
    reader.send(addressOf(node, 'simple-dht'), `00${hash('c1')}`);
    await new Promise((wake) => setTimeout(wake, 500));
    expect(reader.received.filter(({ hex }) => hex.startsWith('01'))).toEqual([]);
    await other.sdk.dht.put(hash('c1'), 'late');
    await reader.until((hex) => hex === put('c1', 'late'));
  });

  it('greets whom DhtService.Introduce names', async () => {
    await using program = await LegacyProgram.open();
    await node.sdk.dht.introduce(program.address, 'simple-dht');
    await program.until((hex) => hex === '02');
    await expect(node.sdk.dht.introduce('nonsense', 'simple-dht')).rejects.toMatchObject({
      reason: 'REQUEST_INVALID',
    });
    await expect(other.sdk.dht.introduce('[::5]:1', 'tlv')).rejects.toMatchObject({
      reason: 'DIALECT_UNKNOWN',
    });
  });
});

describe('simple-dht on all addresses', () => {
  it('refuses to be its own peer, at whichever of them, and greets others', async () => {
    await using lone = new TestNet();
    const flags = legacyFlags({ 'simple-dht': '0.0.0.0:0' });
    const started = await lone.start({ flags });
    const port = addressOf(started, 'simple-dht').split(':').at(-1)!;
    await expect(
      started.sdk.dht.introduce(`127.0.0.1:${port}`, 'simple-dht'),
    ).rejects.toMatchObject({ reason: 'REQUEST_INVALID' });
    await using program = await LegacyProgram.open();
    await started.sdk.dht.introduce(program.address, 'simple-dht');
    await program.until((hex) => hex === '02');
  });
});

describe('tlv', () => {
  const get = `30d030${Buffer.from(HASH_96).toString('hex')}`;
  const putAt = (ip: string): string => {
    const lengths = [ip.length, HASH_96.length].map((length) => (length - 48 + 256) % 256);
    return `31${Buffer.from(lengths).toString('hex')}${Buffer.from(ip + HASH_96).toString('hex')}`;
  };
  const text = (hex: string): string => Buffer.from(hex, 'hex').subarray(3).toString();

  it('tells gRPC who has a hash, and legacy clients what gRPC knows', async () => {
    await using client = await LegacyProgram.open('::1');
    expect(text(await client.ask(addressOf(node, 'tlv'), get))).toBe('no IP match with request');
    client.send(addressOf(node, 'tlv'), putAt('::5'));
    await until(async () => {
      const holders = await collect(other.sdk.dht.holders(HASH_96));
      return holders.some(({ address }) => address === '::5') ? true : undefined;
    }, 5_000);
    await other.sdk.dht.announceHolder(HASH_96, '2001:db8::1', { ttlMs: 30_000 });
    await until(async () => {
      const answer = text(await client.ask(addressOf(node, 'tlv'), get));
      return answer === '::5 2001:db8::1 ' ? true : undefined;
    }, 5_000);
  });

  it('speaks the plain framing over TCP', async () => {
    const [, host, port] = /^\[(.*)\]:(\d+)$/.exec(addressOf(node, 'tlv'))!;
    const socket = connect({ host: host!, port: Number(port) });
    await once(socket, 'connect');
    const length = Buffer.from([0, HASH_96.length]);
    const request = Buffer.concat([Buffer.of(0), length, Buffer.from(HASH_96)]);
    socket.write(request.subarray(0, 10));
    socket.write(request.subarray(10));
    const [answer] = (await once(socket, 'data')) as [Buffer];
    expect([answer[0], answer.readUInt16BE(1)]).toEqual([3, answer.length - 3]);
    socket.destroy();
  });

  it('takes the commands of rb, in both framings and by both ways', async () => {
    const at = ['--at', addressOf(node, 'tlv')];
    const run = async (...args: readonly string[]) => cli(['legacy', 'tlv', ...args, ...at]);
    const hash = 'a'.repeat(65);
    expect(await run('put', '::7', hash)).toMatchObject({ code: 0, out: '' });
    expect(await run('get', hash)).toMatchObject({ code: 0, out: '::7\n' });
    expect(await run('put', '::8', 'film', '--tcp')).toMatchObject({ code: 0 });
    await until(async () => {
      const { out } = await run('get', 'film', '--tcp');
      return out === '::8\n' ? true : undefined;
    }, 5_000);
    expect(await run('get', 'film', '--framing', 'plain')).toMatchObject({ out: '::8\n' });
    expect(await run('get', 'none', '--tcp')).toMatchObject({ code: 69, out: '' });
    expect(await run('exit', 'guess')).toMatchObject({ code: 71 });
    expect(await run('exit', 'guess', '--tcp')).toMatchObject({ code: 71 });
  }, 15_000);

  it('stops the node for who knows the password, and for nobody else', async () => {
    await using client = await LegacyProgram.open('::1');
    const exit = (password: string): string => {
      const length = Buffer.of((password.length - 48 + 256) % 256).toString('hex');
      return `34d0${length}${Buffer.from(password).toString('hex')}`;
    };
    expect(text(await client.ask(addressOf(node, 'tlv'), exit('guess')))).toBe(
      'mot de passe incorrect',
    );
    expect(text(await client.ask(addressOf(node, 'tlv'), exit(PASSWORD)))).toContain(
      'mot de passe correct',
    );
    expect(await node.exited()).toBe(0);
  }, 30_000);

  it('is spoken at a bridge, which ends with its node', async () => {
    const remote = await net.start({ flags: ['--stop-password', PASSWORD] });
    const legacy = { tlv: '[::1]:0' };
    await using bridge = await TestBridge.start({ servers: [remote.address], legacy });
    await bridge.said('the node answers', 10_000);
    await using client = await LegacyProgram.open('::1');
    client.send(bridge.at('tlv'), putAt('::5'));
    await until(async () => {
      const holders = await collect(remote.sdk.dht.holders(HASH_96));
      return holders.some(({ address }) => address === '::5') ? true : undefined;
    }, 5_000);
    await remote.sdk.dht.announceHolder(HASH_96, '2001:db8::1', { ttlMs: 30_000 });
    expect(text(await client.ask(bridge.at('tlv'), get))).toBe('::5 2001:db8::1 ');
    const exit = async (password: string) =>
      cli(['legacy', 'tlv', 'exit', password, '--at', bridge.at('tlv')]);
    expect(await exit('guess')).toMatchObject({ code: 71 });
    expect(await exit(PASSWORD)).toMatchObject({ code: 0 });
    expect(await Promise.all([remote.exited(), bridge.exited()])).toEqual([0, 0]);
  }, 30_000);
});
