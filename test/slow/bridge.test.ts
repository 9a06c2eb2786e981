/** Old programs at bridges: processes of their own that work with nodes elsewhere. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TestBridge } from '../support/bridges.js';
import { cli } from '../support/cli.js';
import { LegacyProgram } from '../support/datagrams.js';
import { TestNet, untilIdeal, type TestNode } from '../support/nodes.js';
import { until } from '../support/until.js';

const ON = { 'simple-dht': '127.0.0.1:0', lieur: '127.0.0.1:0:0' };

let net: TestNet;
let node: TestNode;
let other: TestNode;
let bridge: TestBridge;
let otherBridge: TestBridge;

beforeAll(async () => {
  net = new TestNet();
  node = await net.start();
  other = await net.start({ join: [node.address] });
  await untilIdeal([node, other], 10_000);
  bridge = await TestBridge.start({ servers: [node.address], legacy: ON });
  otherBridge = await TestBridge.start({ servers: [other.address], legacy: ON });
  await Promise.all([bridge, otherBridge].map(async (it) => it.said('the node answers', 10_000)));
}, 60_000);

afterAll(async () => {
  await bridge[Symbol.asyncDispose]();
  await otherBridge[Symbol.asyncDispose]();
  await net[Symbol.asyncDispose]();
});

const hash = (digits: string): string => digits.padStart(16, '0');

function put(digits: string, value: string): string {
  const bytes = Buffer.from(value);
  const head = Buffer.from([bytes.length >> 8, bytes.length & 0xff]).toString('hex');
  return `01${hash(digits)}${head}${bytes.toString('hex')}`;
}

/** `type ip port`, as `lieur` writes it. */
function entryHex(type: number, port: number): string {
  return Buffer.from([type, 127, 0, 0, 1, port & 0xff, port >> 8]).toString('hex');
}

/** Asks once, and gets this answer; what others send meanwhile is passed over. */
async function hears(program: LegacyProgram, at: string, ask: string, answer: string) {
  program.send(at, ask);
  await program.until((hex) => hex === answer, 2_000);
}

/** Asks until this is the answer. */
async function untilAnswered(program: LegacyProgram, at: string, ask: string, answer: string) {
  await until(async () => ((await program.ask(at, ask)) === answer ? true : undefined), 10_000);
}

async function untilResolved({ sdk }: TestNode, service: string): Promise<string> {
  const resolve = async (): Promise<string | undefined> =>
    sdk.binder.resolve(service).then(
      ({ endpoint }) => endpoint.address,
      () => undefined,
    );
  return until(resolve, 5_000);
}

describe('values at a bridge', () => {
  it('are there over gRPC, and the other way round', async () => {
    await using client = await LegacyProgram.open();
    client.send(bridge.at('simple-dht'), put('abc', 'hello'));
    await client.until((hex) => hex === `03${hash('abc')}`);
    const found = await other.sdk.dht.get(hash('abc'));
    expect(Buffer.from(found!.value).toString()).toBe('hello');
    expect(found!.expireTime!.getTime() - Date.now()).toBeLessThan(31_000);

    await node.sdk.dht.put(hash('def'), 'from gRPC');
    await using reader = await LegacyProgram.open();
    reader.send(bridge.at('simple-dht'), `00${hash('def')}`);
    await reader.until((hex) => hex === put('def', 'from gRPC'));
  });

  it('are one table with those at another bridge', async () => {
    await using writer = await LegacyProgram.open();
    await using reader = await LegacyProgram.open();
    reader.send(otherBridge.at('simple-dht'), `00${hash('b1')}`);
    writer.send(bridge.at('simple-dht'), put('b1', 'across'));
    await reader.until((hex) => hex === put('b1', 'across'));
  });

  it('are told to old programs when they come by gRPC', async () => {
    await using program = await LegacyProgram.open();
    program.send(bridge.at('simple-dht'), '02');
    await program.until((hex) => hex === '02');
    await other.sdk.dht.put(hash('c1'), 'unasked');
    const beat = setInterval(() => program.send(bridge.at('simple-dht'), '02'), 1_000);
    await program.until((hex) => hex === `03${hash('c1')}`).finally(() => clearInterval(beat));
  }, 15_000);
});

describe('services at a bridge', () => {
  it('are found over gRPC and at another bridge, and those of gRPC by old clients', async () => {
    await using service = await LegacyProgram.open();
    await using client = await LegacyProgram.open();
    await hears(service, bridge.at('lieur'), '0501', '06');
    await hears(client, bridge.at('lieur'), '0201', `03${entryHex(1, service.port)}`);
    expect(await untilResolved(other, 'legacy-1')).toBe(service.address);
    const answer = `03${entryHex(1, service.port)}`;
    await untilAnswered(client, otherBridge.at('lieur'), '0201', answer);

    await node.sdk.binder.register('legacy-4', '127.0.0.1:1001', { ttlMs: 60_000 });
    await untilAnswered(client, otherBridge.at('lieur'), '0204', `03${entryHex(4, 1_001)}`);
    await node.sdk.binder.deregister({ service: 'legacy-4', address: '127.0.0.1:1001' });
    await untilAnswered(client, otherBridge.at('lieur'), '0204', '04');
  });

  it('go by a complaint that proves true, looked at from the verification port', async () => {
    await using service = await LegacyProgram.open();
    await using client = await LegacyProgram.open();
    await hears(service, bridge.at('lieur'), '0502', '06');
    await untilAnswered(client, otherBridge.at('lieur'), '0202', `03${entryHex(2, service.port)}`);
    client.send(bridge.at('lieur'), `04${entryHex(2, service.port)}`);
    const asked = await until(() => service.received.find(({ hex }) => hex === '0b'), 5_000);
    expect(asked.fromPort).toBe(Number(bridge.at('lieur verification').split(':')[1]));
    await untilAnswered(client, bridge.at('lieur'), '0202', '04');
    await untilAnswered(client, otherBridge.at('lieur'), '0202', '04');
    const { evidence } = await other.sdk.binder.explain('legacy-2', service.address);
    expect(evidence.map(({ rule }) => rule)).toContain('REPORT_PROVED');
  }, 20_000);

  it('stay when they answer the verification', async () => {
    await using service = await LegacyProgram.open();
    await using client = await LegacyProgram.open();
    service.answer('0b', '0c');
    await hears(service, bridge.at('lieur'), '0503', '06');
    client.send(bridge.at('lieur'), `04${entryHex(3, service.port)}`);
    await until(() => service.received.find(({ hex }) => hex === '0b'), 5_000);
    await hears(client, bridge.at('lieur'), '0203', `03${entryHex(3, service.port)}`);
  });
});

describe('a bridge without its node', () => {
  it('goes on, says so once, and has everything again when the node is back', async () => {
    await using service = await LegacyProgram.open();
    await using client = await LegacyProgram.open();
    const mortal = await net.start();
    const { address } = mortal;
    await using lone = await TestBridge.start({ servers: [address], legacy: ON });
    await lone.said('the node answers', 10_000);
    await hears(service, lone.at('lieur'), '0507', '06');
    await mortal.end('SIGKILL');
    await lone.said('the node is gone; the bridge tries on', 5_000);
    await hears(client, lone.at('lieur'), '0207', `03${entryHex(7, service.port)}`);
    client.send(lone.at('simple-dht'), `00${hash('a1')}`);

    const back = await net.start({ listen: address });
    expect(await untilResolved(back, 'legacy-7')).toBe(service.address);
    await back.sdk.dht.put(hash('a1'), 'back');
    await client.until((hex) => hex === put('a1', 'back'));
    expect(lone.count('the node is gone; the bridge tries on')).toBe(1);
    expect(lone.count('the node answers')).toBe(2);
    expect(lone.otherLines).toEqual([]);
    expect(await lone.end('SIGTERM')).toBe(0);
  }, 40_000);

  it('takes the next of several, and waits for one that is not there yet', async () => {
    await using client = await LegacyProgram.open();
    const [first, second] = [await net.start(), await net.start()];
    const servers = [first.address, second.address];
    await first.end('SIGKILL');
    await second.end('SIGKILL');
    await using lone = await TestBridge.start({ servers, legacy: { 'simple-dht': '127.0.0.1:0' } });
    await lone.said('no node answers; the bridge tries on', 5_000);
    const back = await net.start({ listen: second.address });
    const { server } = await lone.said('the node answers', 10_000);
    expect(server).toBe(back.address);
    client.send(lone.at('simple-dht'), put('d1', 'late'));
    await client.until((hex) => hex === `03${hash('d1')}`);
    expect(await lone.end('SIGINT')).toBe(0);
  }, 40_000);
});

describe('rb bridge', () => {
  it.each([
    ['no dialect', ['--legacy', 'off'], 'must leave a dialect on'],
    ['no server', ['--server', ','], 'must name a node'],
    ['no address', ['--server', 'nonsense'], 'host:port'],
    ['an unknown dialect', ['--legacy', 'klingon=1'], 'tlv=[IPv6]:port'],
    ['more words', ['extra'], 'too many arguments'],
  ])('refuses %s', async (_, args, why) => {
    const result = await cli(['bridge', ...args]);
    expect(result).toMatchObject({ code: 2, out: '' });
    expect(result.err).toContain(why);
  });
});
