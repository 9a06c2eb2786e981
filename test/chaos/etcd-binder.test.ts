/** Binders whose endpoints are in a real etcd. */
import { describe, expect, it } from 'vitest';
import { Binders, CallError } from '../../clients/sdk/index.js';
import { collect } from '../support/collect.js';
import { TestEtcd, whyNoEtcd } from '../support/etcd.js';
import { TestNet, type TestNode } from '../support/nodes.js';
import { until } from '../support/until.js';

const HOUR_MS = 3_600_000;

async function reasonOf(call: Promise<unknown>): Promise<string | undefined> {
  const thrown: unknown = await call.then(
    () => new Error('the call succeeded'),
    (error: unknown) => error,
  );
  if (!(thrown instanceof CallError)) throw thrown;
  return thrown.reason;
}

async function startAll(net: TestNet, etcd: TestEtcd, count: number): Promise<TestNode[]> {
  const flags = ['--store', etcd.url, '--membership-ttl-ms', '3000'];
  const nodes = Array.from({ length: count }, () => net.launch({ flags }));
  await Promise.all(nodes.map(async (node) => node.ready(60_000)));
  return nodes;
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

describe.skipIf(whyNoEtcd() !== undefined)('binders on one etcd', () => {
  it('have each other’s endpoints, and those of binders that are all gone', async () => {
    await using etcd = await TestEtcd.start();
    await using net = new TestNet();
    const [one, other] = await startAll(net, etcd, 2);
    const { endpoint, fencingToken } = await one!.sdk.binder.register('orders', '10.0.0.1:80', {
      ttlMs: HOUR_MS,
      metadata: { zone: 'a' },
    });
    expect(await untilResolved(other!, 'orders')).toBe('10.0.0.1:80');
    await Promise.all([one!.end('SIGKILL'), other!.end('SIGKILL')]);
    await using later = new TestNet();
    const [third] = await startAll(later, etcd, 1);
    expect((await third!.sdk.binder.resolve('orders')).endpoint).toEqual(endpoint);
    expect(await third!.sdk.binder.renew(endpoint.endpointId, fencingToken)).toBe(HOUR_MS);
    await third!.sdk.binder.deregister({ endpointId: endpoint.endpointId }, { fencingToken });
    expect(await reasonOf(third!.sdk.binder.resolve('orders'))).toBe('SERVICE_UNKNOWN');
  }, 120_000);

  it('answer with the age while etcd is away, refuse changes, keep leases, and recover', async () => {
    await using etcd = await TestEtcd.start();
    await using net = new TestNet();
    const nodes = await startAll(net, etcd, 2);
    const [one, other] = nodes;
    const binders = new Binders(nodes.map(({ address }) => address));
    let again = 0;
    const onRegistered = (): void => void (again += 1);
    const lease = await binders.hold('orders', '10.0.0.1:80', { ttlMs: 3_000, onRegistered });
    await untilResolved(other!, 'orders');
    expect((await one!.sdk.binder.resolve('orders')).ageMs).toBeUndefined();

    await etcd.kill();
    const away = performance.now();
    await until(async () => (await other!.sdk.binder.resolve('orders')).ageMs, 10_000);
    for (const { sdk } of nodes) {
      expect(await reasonOf(sdk.binder.register('orders', '10.0.0.2:80'))).toBe(
        'STORE_UNREACHABLE',
      );
      expect(await reasonOf(sdk.binder.report('orders', '10.0.0.1:80'))).toBe('STORE_UNREACHABLE');
      const name = { service: 'orders', address: '10.0.0.1:80' };
      expect(await reasonOf(sdk.binder.deregister(name))).toBe('STORE_UNREACHABLE');
    }
    // Longer than the lease, which its home renews without etcd.
    await until(() => (performance.now() - away > 6_000 ? true : undefined), 10_000);
    const { ageMs = 0, endpoint } = await other!.sdk.binder.resolve('orders');
    expect(ageMs).toBeGreaterThan(3_000);
    expect(endpoint.address).toBe('10.0.0.1:80');

    etcd.launch();
    await until(async () => {
      const answers = nodes.map(async ({ sdk }) => sdk.binder.resolve('orders'));
      const ages = (await Promise.all(answers)).map(({ ageMs: age }) => age);
      return ages.every((age) => age === undefined) ? true : undefined;
    }, 15_000);
    await one!.sdk.binder.register('orders', '10.0.0.2:80', { ttlMs: HOUR_MS });
    await until(async () => {
      const all = await collect(other!.sdk.binder.endpoints('orders'));
      return all.length === 2 ? true : undefined;
    }, 5_000);
    expect(again).toBe(0);
    await lease.release();
    binders.close();
  }, 120_000);
});
