/** The dashboard of a real node: every path, and the events as they come. */
import { once } from 'node:events';
import { createServer } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TestNet, type TestNode } from '../support/nodes.js';

let net: TestNet;
let node: TestNode;

beforeAll(async () => {
  net = new TestNet();
  node = await net.start({ flags: ['--dashboard', '127.0.0.1:0'] });
  await node.sdk.dht.put('a key', 'a value');
  await node.sdk.dht.announceHolder('a key', '127.0.0.1:5');
  await node.sdk.binder.register('mail', '127.0.0.1:9', { ttlMs: 60_000 });
}, 30_000);

afterAll(async () => net[Symbol.asyncDispose]());

const urlOf = (path: string): string =>
  `http://${String(node.record('ringbinder ready')?.['dashboard'])}${path}`;
const ask = async (path: string): Promise<unknown> => (await fetch(urlOf(path))).json();

describe('the dashboard of a node', () => {
  it('has a page, its script, its style and its icon', async () => {
    const types = ['text/html', 'text/javascript', 'text/css', 'image/svg+xml'];
    for (const [index, path] of ['/', '/page.js', '/page.css', '/icon.svg'].entries()) {
      const response = await fetch(urlOf(path));
      expect(response.headers.get('content-type')).toContain(types[index]);
      expect(await response.text()).not.toMatch(/(?:src|href)="https?:/);
    }
  });

  it('shows the ring with its verdict and the figures of the node', async () => {
    const { address, ringId } = node;
    expect(await ask('/api/ring')).toMatchObject({
      node: { ringId, address, ringSize: 2 ** 31 },
      topology: { views: [{ peer: { ringId, address }, successors: [] }], unreachable: [] },
      verdict: { state: 'forming', memberCount: 1, violations: [], isStable: true },
      stats: { peerCount: 1, keyCount: 1, holderCount: 1, serviceCount: 1, endpointCount: 1 },
    });
    expect(await ask(`/api/stats?peer=${ringId}`)).toMatchObject({ keyCount: 1 });
    expect(await ask('/api/stats?peer=1')).toMatchObject({ reason: 'PEER_NOT_FOUND' });
  });

  it('shows the way to a key, and what is under it', async () => {
    const owner = { ringId: node.ringId, address: node.address };
    expect(await ask('/api/trace?key=a%20key')).toMatchObject({ owner, origin: owner, hops: [] });
    expect(await ask('/api/key?key=a%20key')).toMatchObject({
      owner,
      value: { sizeBytes: 7, copiesAnswered: 1 },
      holders: [{ address: '127.0.0.1:5' }],
      hasMoreHolders: false,
    });
    expect(await ask('/api/key?key=none')).not.toHaveProperty('value');
    expect(await ask('/api/key')).toMatchObject({ reason: 'REQUEST_INVALID' });
  });

  it('shows services, endpoints and evidence', async () => {
    expect(await ask('/api/services')).toEqual({
      services: [{ service: 'mail', endpointCount: 1, healthyCount: 1, isProtected: false }],
    });
    expect(await ask('/api/endpoints?service=mail')).toEqual({
      endpoints: [{ address: '127.0.0.1:9', health: 'healthy', metadata: {} }],
    });
    expect(await ask('/api/evidence?service=mail&address=127.0.0.1:9')).toMatchObject({
      evidence: [{ check: 'REGISTRATION', rule: 'REGISTERED', observer: node.address }],
    });
    const unknown = await fetch(urlOf('/api/evidence?service=mail&address=127.0.0.1:8'));
    expect(unknown.status).toBe(404);
    expect(await unknown.json()).toMatchObject({ reason: 'ENDPOINT_UNKNOWN' });
  });

  it('tells of the node, of all peers, and then of each that comes', async () => {
    const leaving = new AbortController();
    const response = await fetch(urlOf('/api/events'), { signal: leaving.signal });
    expect(response.headers.get('content-type')).toBe('text/event-stream');
    const joining = net.start({ join: [node.address] });
    const told: string[] = [];
    const decoder = new TextDecoder();
    let text = '';
    for await (const chunk of response.body!) {
      text += decoder.decode(chunk as Uint8Array, { stream: true });
      told.splice(0, told.length, ...[...text.matchAll(/^event: (\w+)$/gm)].map(([, it]) => it!));
      const isComplete = told.includes('changed') && told.includes('verdict');
      if (isComplete) break;
    }
    leaving.abort();
    expect(told[0]).toBe('node');
    const topology = told.filter((name) => !['node', 'verdict', 'heartbeat'].includes(name));
    expect(topology[0]).toBe('snapshot');
    expect(topology.slice(1)).toContain('changed');
    expect((await joining).record('ringbinder ready')).toMatchObject({ dashboard: 'off' });
  }, 20_000);

  it('is off with one warning where its port is taken', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const { port } = taken.address() as { port: number };
    const other = await net.start({ flags: ['--dashboard', `127.0.0.1:${port}`] });
    expect(other.record('ringbinder ready')).toMatchObject({ dashboard: 'off' });
    const warnings = other.records.filter(({ msg }) => msg.startsWith('the dashboard is off'));
    expect(warnings).toHaveLength(1);
    taken.close();
  });
});
