/** Original clients, services and binders of dialect lieur, at real nodes. */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ServiceEvent } from '../../clients/sdk/index.js';
import { collect } from '../support/collect.js';
import { LegacyProgram } from '../support/datagrams.js';
import { TestNet, type TestNode } from '../support/nodes.js';
import { until } from '../support/until.js';

let net: TestNet;
let node: TestNode;
let other: TestNode;
let originalBinder: LegacyProgram;

beforeAll(async () => {
  net = new TestNet();
  originalBinder = await LegacyProgram.open();
  const peer = ['--legacy-peer', `lieur=${originalBinder.address}`];
  node = await net.start({
    flags: ['--legacy', 'tlv=off,simple-dht=off,lieur=127.0.0.1:0:0,pair=off', ...peer],
  });
  other = await net.start({
    join: [node.address],
    flags: ['--legacy', 'lieur=127.0.0.1:0:0'],
  });
}, 60_000);

afterAll(async () => {
  await originalBinder[Symbol.asyncDispose]();
  await net[Symbol.asyncDispose]();
});

const mainOf = (it: TestNode): string =>
  (it.record('ringbinder ready')!['legacy'] as Record<string, string>)['lieur']!;
const verificationOf = (it: TestNode): string =>
  (it.record('ringbinder ready')!['legacy'] as Record<string, string>)['lieur verification']!;

/** `type ip port`, as the dialect writes it. */
function entryHex(type: number, port: number): string {
  const bytes = Buffer.from([type, 127, 0, 0, 1, port & 0xff, port >> 8]);
  return bytes.toString('hex');
}

async function untilResolved({ sdk }: TestNode, service: string): Promise<string> {
  return until(
    async () =>
      sdk.binder.resolve(service).then(
        ({ endpoint }) => endpoint.address,
        () => undefined,
      ),
    5_000,
  );
}

describe('a legacy service that subscribes', () => {
  it('is confirmed, and found over gRPC and by legacy clients, at every node', async () => {
    await using service = await LegacyProgram.open();
    await using client = await LegacyProgram.open();
    expect(await service.ask(mainOf(node), '0501')).toBe('06');
    expect(await untilResolved(other, 'legacy-1')).toBe(service.address);
    expect(await client.ask(mainOf(node), '0201')).toBe(`03${entryHex(1, service.port)}`);
    await until(async () => {
      const answer = await client.ask(mainOf(other), '0201');
      return answer === `03${entryHex(1, service.port)}` ? true : undefined;
    }, 5_000);
    const told = `09${entryHex(1, service.port)}`;
    await until(() => originalBinder.received.find(({ hex }) => hex === told), 5_000);
  });

  it('is removed by a complaint that proves true, and WatchService tells so', async () => {
    await using service = await LegacyProgram.open();
    await using client = await LegacyProgram.open();
    await service.ask(mainOf(node), '0502');
    const seen: ServiceEvent[] = [];
    const end = new AbortController();
    const watching = (async () => {
      const options = { signal: end.signal };
      for await (const event of other.sdk.binder.watch('legacy-2', options)) seen.push(event);
    })();
    await until(() => (seen.length > 0 ? true : undefined), 5_000);
    const complaint = `04${entryHex(2, service.port)}`;
    client.send(mainOf(node), complaint);
    const asked = await until(() => service.received.find(({ hex }) => hex === '0b'), 5_000);
    expect(asked.fromPort).toBe(Number(verificationOf(node).split(':')[1]));
    // Meanwhile others are answered.
    const start = performance.now();
    expect(await client.ask(mainOf(node), '0202')).toBe(`03${entryHex(2, service.port)}`);
    expect(performance.now() - start).toBeLessThan(500);
    const removed = await until(() => seen.find(({ kind }) => kind === 'removed'), 5_000);
    expect(removed).toMatchObject({ evidence: { check: 'LEGACY', rule: 'REPORT_PROVED' } });
    expect(await client.ask(mainOf(node), '0202')).toBe('04');
    const told = `0a${entryHex(2, service.port)}`;
    await until(() => originalBinder.received.find(({ hex }) => hex === told), 5_000);
    end.abort();
    await watching;
  }, 30_000);

  it('stays when it answers the verification', async () => {
    await using service = await LegacyProgram.open();
    await using client = await LegacyProgram.open();
    service.answer('0b', '0c');
    await service.ask(mainOf(node), '0503');
    client.send(mainOf(node), `04${entryHex(3, service.port)}`);
    await until(() => service.received.find(({ hex }) => hex === '0b'), 5_000);
    expect((await node.sdk.binder.report('legacy-3', service.address)).verdict).toBe('still alive');
    expect(await client.ask(mainOf(node), '0203')).toBe(`03${entryHex(3, service.port)}`);
  });
});

describe('an endpoint registered over gRPC', () => {
  it('is handed out to legacy clients in turn, where they can use its port', async () => {
    await using client = await LegacyProgram.open();
    const { binder } = node.sdk;
    for (const port of [1_001, 40_000, 1_002]) {
      await binder.register('legacy-4', `127.0.0.1:${port}`, { ttlMs: 60_000 });
    }
    const turns: string[] = [];
    for (let turn = 0; turn < 4; turn += 1) turns.push(await client.ask(mainOf(node), '0204'));
    const [one, two] = [`03${entryHex(4, 1_001)}`, `03${entryHex(4, 1_002)}`];
    expect(turns).toEqual([one, two, one, two]);
  });
});

describe('an original binder', () => {
  it('is asked for its list, and believed', async () => {
    await until(() => originalBinder.received.find(({ hex }) => hex === '07'), 5_000);
    originalBinder.send(mainOf(node), `0801${entryHex(5, 1_234)}`);
    expect(await untilResolved(other, 'legacy-5')).toBe('127.0.0.1:1234');
    const list = await originalBinder.ask(mainOf(node), '07');
    expect(list.startsWith('08')).toBe(true);
    expect(list).toContain(entryHex(5, 1_234));
  });
});

describe('a dialect that can not listen', () => {
  it('is off, with one warning, and the node runs', async () => {
    const taken = createSocket('udp4');
    taken.bind(0, '127.0.0.1');
    await once(taken, 'listening');
    await using lone = new TestNet();
    const where = `tlv=off,simple-dht=off,lieur=127.0.0.1:${taken.address().port}:0,pair=off`;
    const started = await lone.start({ flags: ['--legacy', where] });
    const warnings = started.records.filter(({ msg }) => msg.startsWith('the dialect is off'));
    expect(warnings).toHaveLength(1);
    expect(await collect(started.sdk.binder.services())).toEqual([]);
    taken.close();
  });
});
