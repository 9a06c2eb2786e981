import { readFileSync } from 'node:fs';
import { once } from 'node:events';
import { createServer } from 'node:net';
import parse from 'parse-prometheus-text-format';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Meters } from '../../services/metrics/meters.js';
import { LegacyProgram } from '../support/datagrams.js';
import { legacyFlags } from '../support/legacy-flags.js';
import { TestNet, type TestNode } from '../support/nodes.js';

const DOCUMENT = readFileSync(new URL('../../docs/metrics.md', import.meta.url), 'utf8');

let net: TestNet;
let node: TestNode;

beforeAll(async () => {
  net = new TestNet();
  const legacy = legacyFlags({ 'simple-dht': '127.0.0.1:0' });
  node = await net.start({ flags: ['--metrics', '127.0.0.1:0', ...legacy] });
}, 30_000);

afterAll(async () => net[Symbol.asyncDispose]());

const address = (): string => String(node.record('ringbinder ready')?.['metrics']);
const fetchText = async (path: string, method = 'GET') =>
  fetch(`http://${address()}${path}`, { method });

describe('/metrics', () => {
  it('is read by a parser of its format, with what happened', async () => {
    await node.sdk.dht.put('a key', 'a value');
    await node.sdk.peer.lookupKey('another key');
    await expect(node.sdk.hash.getRingId('nobody')).rejects.toThrow();
    const text = await (await fetchText('/metrics')).text();
    const families = parse(text);
    const samples = (name: string) => families.find((it) => it.name === name)?.metrics ?? [];
    const value = (name: string): number => Number(samples(name)[0]?.value);
    expect(value('ringbinder_member')).toBe(1);
    expect(value('ringbinder_members')).toBe(1);
    expect(value('ringbinder_table_records')).toBe(1);
    expect(value('ringbinder_received_bytes')).toBeGreaterThan(0);
    expect(samples('ringbinder_ring_events_total')).toContainEqual({
      labels: { event: 'founded' },
      value: '1',
    });
    const failed = 'method="/ringbinder.v1.HashService/GetRingId",code="NOT_FOUND"';
    expect(text).toContain(`ringbinder_rpc_duration_seconds_count{${failed}} 1\n`);
  });

  it('counts messages of legacy dialects, and what was dropped of them', async () => {
    await using program = await LegacyProgram.open();
    const { legacy } = node.record('ringbinder ready') as unknown as {
      readonly legacy: Readonly<Record<string, string>>;
    };
    program.send(legacy['simple-dht']!, '02');
    program.send(legacy['simple-dht']!, 'ff');
    await program.until((hex) => hex === '02');
    const text = await (await fetchText('/metrics')).text();
    for (const [direction, message] of [
      ['in', 'keep-alive'],
      ['in', 'malformed'],
      ['out', 'keep-alive'],
    ]) {
      const labels = `dialect="simple-dht",direction="${direction!}",message="${message!}"`;
      expect(text).toContain(`ringbinder_legacy_messages_total{${labels}} 1`);
    }
    expect(text).toContain('ringbinder_guests{dialect="simple-dht"} 1');
  });

  it('is documented, and nothing else is', () => {
    const readings = {
      ...{ isMember: true, members: 1, guests: {}, streams: 0, tableRecords: 0, tableBytes: 0 },
      ...{ services: 0, endpoints: 0, receivedBytes: 0, sentBytes: 0 },
      repairs: { hinted: 0, read_repaired: 0, transferred: 0, given: 0, collected: 0 },
    };
    const { names } = new Meters(() => readings);
    const own = names.filter((name) => name.startsWith('ringbinder_'));
    const rows = DOCUMENT.match(/^\| `ringbinder_.*$/gm) ?? [];
    const documented = rows.flatMap((row) => row.split('|')[1]?.match(/ringbinder_\w+/g) ?? []);
    expect(own.toSorted()).toEqual(documented.toSorted());
    expect(names).toContain('nodejs_eventloop_lag_seconds');
  });

  it('is all there is', async () => {
    expect((await fetchText('/')).status).toBe(404);
    expect((await fetchText('/metrics', 'POST')).status).toBe(405);
  });

  it('is off with one warning where its port is taken', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const { port } = taken.address() as { port: number };
    const other = await net.start({ flags: ['--metrics', `127.0.0.1:${port}`] });
    expect(other.record('ringbinder ready')).toMatchObject({ metrics: 'off' });
    expect(other.records.filter(({ msg }) => msg.startsWith('the metrics are off'))).toHaveLength(
      1,
    );
    taken.close();
  });
});
