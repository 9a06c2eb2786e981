/** What programs see that use binders by the SDK and by `binder:///service`, with real nodes. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Binders, registerBinderResolver } from '../../clients/sdk/index.js';
import { EchoClient, ROUND_ROBIN, startEcho } from '../sdk/echo-server.js';
import { collect } from '../support/collect.js';
import { TestNet, type TestNode } from '../support/nodes.js';
import { until } from '../support/until.js';

let net: TestNet;
let founder: TestNode;

beforeAll(async () => {
  net = new TestNet();
  founder = await net.start();
}, 60_000);

afterAll(async () => net[Symbol.asyncDispose]());

/** Two more binders, which a test may kill. */
async function twoBinders(): Promise<readonly [TestNode, TestNode]> {
  const two = [founder, founder].map(({ address }) => net.launch({ join: [address] }));
  await Promise.all(two.map(async (node) => node.ready(60_000)));
  return [two[0]!, two[1]!];
}

async function untilListed(node: TestNode, service: string, addresses: readonly string[]) {
  const expected = [...addresses].sort().join();
  let seen = '';
  await until(
    async () => {
      const endpoints = await collect(node.sdk.binder.endpoints(service));
      seen = endpoints.map(({ address }) => address).join();
      return seen === expected ? true : undefined;
    },
    10_000,
    () => seen,
  );
}

describe('a lease that is held', () => {
  it.each(['SIGKILL', 'SIGSTOP'] as const)(
    'outlives the binder that took it: %s',
    async (signal) => {
      const nodes = await twoBinders();
      const binders = new Binders(nodes.map(({ address }) => address));
      const losses: string[] = [];
      const tokens: bigint[] = [];
      const lease = await binders.hold('held', '127.0.0.1:9', {
        ttlMs: 6_000,
        onLost: ({ message }) => void losses.push(message),
        onRegistered: ({ fencingToken }) => void tokens.push(fencingToken),
      });
      const { endpointId } = lease.registration.endpoint;
      await untilListed(founder, 'held', ['127.0.0.1:9']);
      const taker = nodes.find(({ address }) => address === binders.address)!;
      taker.process.kill(signal);
      const end = performance.now() + 10_000;
      while (performance.now() < end) {
        const [endpoint] = await collect(founder.sdk.binder.endpoints('held'));
        expect(endpoint).toMatchObject({ endpointId, health: 'healthy' });
        await new Promise((wake) => setTimeout(wake, 100));
      }
      expect({ losses, tokens }).toEqual({ losses: [], tokens: [] });
      await lease.release();
      await untilListed(founder, 'held', []);
      taker.process.kill('SIGKILL');
      binders.close();
    },
    60_000,
  );

  it('comes back when the only binder has forgotten it', async () => {
    await using lone = new TestNet();
    const node = await lone.start();
    const { address } = node;
    const binders = new Binders([address]);
    const lease = await binders.hold('held', '127.0.0.1:9', { ttlMs: 1_000 });
    await node.end('SIGKILL');
    const again = lone.launch({ listen: address });
    await again.ready();
    await untilListed(again, 'held', ['127.0.0.1:9']);
    await lease.release();
    binders.close();
  }, 60_000);
});

describe('a client of binder:///service', () => {
  it('follows its service, whichever binders die', async () => {
    const nodes = await twoBinders();
    await using one = await startEcho();
    await using two = await startEcho();
    await using three = await startEcho();
    const { binder } = founder.sdk;
    const ttlMs = 60_000;
    for (const { address } of [one, two]) await binder.register('echo', address, { ttlMs });
    await Promise.all(
      nodes.map(async (node) => untilListed(node, 'echo', [one.address, two.address])),
    );
    registerBinderResolver({ binders: nodes.map(({ address }) => address) });
    using client = new EchoClient('binder:///echo', ROUND_ROBIN);
    await until(async () => new Set(await client.turns(2)).size === 2 || undefined, 5_000);
    await nodes[0].end('SIGKILL');
    expect(new Set(await client.turns(10)).size).toBe(2);
    const start = performance.now();
    await binder.register('echo', three.address, { ttlMs });
    while ((await client.who()) !== three.address) {
      if (performance.now() - start > 10_000) throw new Error('the new endpoint is not used');
    }
    expect(performance.now() - start).toBeLessThan(2_000);
    await two.kill();
    const { verdict } = await binder.report('echo', two.address);
    expect(verdict).toBe('removed');
    await until(async () => {
      const turns = await client.turns(4).catch(() => [two.address]);
      return turns.includes(two.address) ? undefined : true;
    }, 5_000);
    await nodes[1].end('SIGKILL');
    await new Promise((wake) => setTimeout(wake, 500));
    expect(new Set(await client.turns(10))).toEqual(new Set([one.address, three.address]));
  }, 60_000);

  it('uses a new endpoint within half a second, from another binder too', async () => {
    const [node] = await twoBinders();
    await using one = await startEcho();
    const { binder } = founder.sdk;
    await binder.register('fresh', one.address, { ttlMs: 60_000 });
    await untilListed(node, 'fresh', [one.address]);
    registerBinderResolver({ binders: [node.address] });
    using client = new EchoClient('binder:///fresh', ROUND_ROBIN);
    await client.who();
    const took: number[] = [];
    for (let turn = 0; turn < 5; turn += 1) {
      await using another = await startEcho();
      const start = performance.now();
      await binder.register('fresh', another.address, { ttlMs: 60_000 });
      while ((await client.who()) !== another.address) {
        if (performance.now() - start > 5_000) throw new Error('the new endpoint is not used');
      }
      took.push(performance.now() - start);
      await binder.deregister({ service: 'fresh', address: another.address });
      await until(async () => new Set(await client.turns(4)).size === 1 || undefined, 5_000);
    }
    took.sort((a, b) => a - b);
    expect(took[2]).toBeLessThan(500);
  }, 60_000);
});
