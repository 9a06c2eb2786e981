import { describe, expect, it } from 'vitest';
import { HashServiceService } from '../../proto/gen/ringbinder/v1/hash_service.js';
import { WelcomeServiceService } from '../../proto/gen/ringbinder/v1/welcome_service.js';
import { callUnary } from '../../services/rpc/channel.js';
import { connectTo } from '../../services/rpc/node-client.js';
import { collect } from '../support/collect.js';
import { TestEtcd, whyNoEtcd } from '../support/etcd.js';
import { TestNet, untilIdeal, type NodeOptions, type TestNode } from '../support/nodes.js';
import { until } from '../support/until.js';

const TTL_MS = 3_000;

/** An etcd of one member, and nodes on it. */
class World implements AsyncDisposable {
  readonly net = new TestNet();
  readonly etcd: TestEtcd;

  private constructor(etcd: TestEtcd) {
    this.etcd = etcd;
  }

  static async create(): Promise<World> {
    return new World(await TestEtcd.start());
  }

  launch({ flags = [], ...options }: NodeOptions = {}): TestNode {
    const own = ['--store', this.etcd.url, '--membership-ttl-ms', String(TTL_MS)];
    return this.net.launch({ ...options, flags: [...own, ...flags] });
  }

  /** Starts so many nodes at once, without a word about each other. */
  async ring(size: number): Promise<TestNode[]> {
    const nodes = Array.from({ length: size }, () => this.launch());
    await Promise.all(nodes.map(async (node) => node.ready(60_000)));
    await untilIdeal(nodes, 20_000);
    return nodes;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.net[Symbol.asyncDispose]();
    await this.etcd[Symbol.asyncDispose]();
  }
}

const names = (nodes: readonly TestNode[]) =>
  nodes.map((node) => (node.record('ringbinder ready')?.['ring'] as { name: string }).name);

const idsAt = async (node: TestNode) =>
  (await collect(node.sdk.welcome.peers())).map(({ ringId }) => ringId);

const idsOf = (nodes: readonly TestNode[]) =>
  nodes.map(({ ringId }) => ringId).toSorted((one, other) => one - other);

async function untilListed(node: TestNode, expected: readonly TestNode[], withinMs: number) {
  const look = async () =>
    (await idsAt(node)).join() === idsOf(expected).join() ? true : undefined;
  await until(look, withinMs, () => `not listed: ${idsOf(expected).join()}`);
}

/** Watches until the node ends: `snapshot`, `joined 7`, `expired 7`. */
function watch(node: TestNode) {
  const seen: string[] = [];
  const read = async (): Promise<void> => {
    for await (const event of node.sdk.welcome.watch()) {
      seen.push(event.kind === 'snapshot' ? event.kind : `${event.kind} ${event.peer.ringId}`);
    }
  };
  void read().catch(() => undefined);
  return { seen };
}

/** The ages of the answers to every read of the directory. */
async function agesAt({ address, ringId }: TestNode) {
  const client = connectTo(address);
  const options = { timeoutMs: 4_000 };
  const hash = HashServiceService;
  const welcome = WelcomeServiceService;
  const page = { pageSize: 10, pageToken: '' };
  const answers = await Promise.all([
    callUnary(client, hash.getRingId, { address }, options),
    callUnary(client, hash.getAddress, { ringId: BigInt(ringId) }, options),
    callUnary(client, hash.listAssignments, page, options),
    callUnary(client, welcome.getPeer, { ringId: BigInt(ringId) }, options),
    callUnary(client, welcome.getRoutingTable, { ringId: BigInt(ringId) }, options),
    callUnary(client, welcome.listPeers, page, options),
  ]);
  client.close();
  return answers.map(({ age }) => age && Number(age.seconds) * 1_000 + age.nanos / 1e6);
}

describe.skipIf(whyNoEtcd() !== undefined)('nodes on one etcd', () => {
  it(
    'form one ring, started at once, and each holds the directory',
    { timeout: 120_000 },
    async () => {
      await using world = await World.create();
      const nodes = await world.ring(3);
      const [a, b, c] = nodes as [TestNode, TestNode, TestNode];
      expect(new Set(names(nodes)).size).toBe(1);
      for (const node of nodes) await untilListed(node, nodes, 1_000);

      const ringId = await a.sdk.hash.assignRingId('ring://10.0.0.9');
      expect(await b.sdk.hash.assignRingId('ring://10.0.0.9')).toBe(ringId);
      expect(await c.sdk.hash.getAddress(ringId)).toBe('ring://10.0.0.9');
      expect(await agesAt(a)).toEqual(Array(6).fill(undefined));

      const stop = new AbortController();
      const seen: string[] = [];
      const watching = (async () => {
        for await (const event of c.sdk.welcome.watch({ signal: stop.signal })) {
          seen.push(event.kind === 'snapshot' ? 'snapshot' : `${event.kind} ${event.peer.ringId}`);
        }
      })();
      await until(() => seen[0], 5_000);
      const late = world.launch({ flags: ['--join', a.address] });
      await late.ready();
      await untilIdeal([...nodes, late], 20_000);
      await until(() => seen.find((it) => it === `joined ${late.ringId}`), 5_000);

      await a.end('SIGKILL');
      const rest = [b, c, late];
      await untilListed(b, rest, 15_000);
      await untilIdeal(rest, 20_000);
      expect(await c.sdk.hash.getRingId('ring://10.0.0.9')).toBe(ringId);
      expect(await b.sdk.hash.assignRingId('ring://10.0.0.10')).toBeGreaterThanOrEqual(0);
      await late.end('SIGTERM');
      await untilListed(c, [b, c], 5_000);
      expect(seen).toEqual([
        'snapshot',
        `joined ${late.ringId}`,
        `expired ${a.ringId}`,
        `left ${late.ringId}`,
      ]);
      stop.abort();
      await watching;
    },
  );

  it('go on while it is down, and recover by themselves', { timeout: 120_000 }, async () => {
    await using world = await World.create();
    const nodes = await world.ring(3);
    const [a, b, c] = nodes as [TestNode, TestNode, TestNode];
    const flags = ['--membership-ttl-ms', String(TTL_MS)];
    const guest = await world.net.start({ join: [b.address], flags });
    await untilIdeal([...nodes, guest], 20_000);
    const all = [...nodes, guest];
    await untilListed(c, all, 5_000);
    const { seen } = watch(c);
    await until(() => seen[0], 5_000);

    await world.etcd.kill();
    const downAt = performance.now();
    await until(
      async () => (await agesAt(a)).every((age) => age !== undefined) || undefined,
      5_000,
    );
    for (const node of all) {
      expect(await idsAt(node)).toEqual(idsOf(all));
      expect(await node.sdk.hash.getRingId(a.address)).toBe(a.ringId);
      const start = performance.now();
      const client = connectTo(node.address);
      const request = { address: 'ring://10.0.0.11' };
      const options = { timeoutMs: 10_000 };
      await expect(
        callUnary(client, HashServiceService.assignRingId, request, options),
      ).rejects.toMatchObject({ reason: 'STORE_UNREACHABLE', status: 'UNAVAILABLE' });
      expect(performance.now() - start).toBeLessThan(5_000);
      client.close();
    }
    const { owner } = await b.sdk.peer.lookupKey('hello');
    expect(idsOf(all)).toContain(owner.ringId);
    await b.sdk.dht.put('hello', Buffer.from('world'));
    // Longer than a lease: nobody could renew it meanwhile.
    await new Promise((wake) => setTimeout(wake, TTL_MS + 2_000));
    const [age] = await agesAt(a);
    expect(age).toBeGreaterThan(TTL_MS);
    expect(age).toBeLessThan(performance.now() - downAt + 1_500);

    world.etcd.launch();
    await world.etcd.ready();
    await until(async () => (await agesAt(a)).every((it) => it === undefined) || undefined, 10_000);
    expect(await guest.sdk.hash.assignRingId('ring://10.0.0.11')).toBeGreaterThanOrEqual(0);
    await new Promise((wake) => setTimeout(wake, 2 * TTL_MS));
    for (const node of all) expect(await idsAt(node)).toEqual(idsOf(all));
    expect(seen).toEqual(['snapshot']);
    await guest.end('SIGTERM');
    await until(() => seen[1], 5_000);
    expect(seen).toEqual(['snapshot', `left ${guest.ringId}`]);
    await untilIdeal(nodes, 20_000);
  });

  it('wait for it at the start, and say so', { timeout: 60_000 }, async () => {
    await using world = await World.create();
    await world.etcd.kill();
    const patient = world.launch();
    const hasty = world.launch({ flags: ['--join-timeout-ms', '2000'] });
    const late = 'etcd does not answer yet; waiting for it';
    await until(() => patient.record(late), 10_000);
    expect(await hasty.exited()).toBe(1);
    expect(hasty.everything()).toContain('waited for 2000 ms');
    world.etcd.launch();
    await patient.ready();
  });

  it(
    'refuse a ring that is not theirs, and to join one that is not there',
    {
      timeout: 60_000,
    },
    async () => {
      await using world = await World.create();
      const dataDir = world.net.dataDir('n0');
      const node = world.launch({ dataDir });
      await node.ready();
      await node.end('SIGTERM');
      await world.launch({ flags: ['--store', `${world.etcd.url}/other`] }).ready();
      const stray = world.launch({ dataDir, flags: ['--store', `${world.etcd.url}/other`] });
      expect(await stray.exited()).toBe(1);
      expect(stray.everything()).toContain('the data directory belongs to the ring ring-');
      const lone = world.launch({
        join: ['127.0.0.1:1'],
        flags: ['--store', `${world.etcd.url}/empty`, '--join-timeout-ms', '1000'],
      });
      expect(await lone.exited()).toBe(1);
      expect(lone.everything()).toContain('the etcd has no ring');
    },
  );

  it(
    'come back after all were killed, into the ring that they know',
    { timeout: 120_000 },
    async () => {
      await using world = await World.create();
      const start = (index: number, listen = '127.0.0.1:0') =>
        world.launch({ dataDir: world.net.dataDir(`n${index}`), listen });
      const nodes = [0, 1, 2].map((index) => start(index));
      await Promise.all(nodes.map(async (node) => node.ready(60_000)));
      await untilIdeal(nodes, 20_000);
      await Promise.all(nodes.map(async (node) => node.end('SIGKILL')));
      const back = nodes.map((node, index) => start(index, node.address));
      await Promise.all(back.map(async (node) => node.ready(60_000)));
      await untilIdeal(back, 20_000);
      expect(idsOf(back)).toEqual(idsOf(nodes));
      expect(new Set(names([...nodes, ...back])).size).toBe(1);
      for (const node of back) await untilListed(node, back, 5_000);
    },
  );
});
