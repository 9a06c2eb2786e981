import { describe, expect, it } from 'vitest';
import { BinderServiceService, Health } from '../../proto/gen/ringbinder/v1/binder_service.js';
import { AnyNode } from '../../clients/sdk/any-node.js';
import { Binders, Ringbinder, type ServiceEvent } from '../../clients/sdk/index.js';
import { collect } from '../support/collect.js';
import { until } from '../support/until.js';
import { BinderServer } from './binder-server.js';
import { BinderTable } from './binder-table.js';
import { refusal } from './dht-server.js';

/** A client of some binders, closed at the end of the test. */
function bindersAt(...servers: readonly { readonly address: string }[]) {
  const addresses = servers.map(({ address }) => address);
  const binders = new Binders(addresses, { timeoutMs: 4_000 });
  return Object.assign(binders, { [Symbol.dispose]: () => binders.close() });
}

describe('register', () => {
  it('hands out what was registered as plain values', async () => {
    await using server = await BinderServer.start();
    const node = new Ringbinder(server.address);
    const registered = await node.binder.register('orders', '127.0.0.1:9001', {
      ttlMs: 5_000,
      metadata: { zone: 'a' },
      healthCheck: { kind: 'http', path: '/health', intervalMs: 1_500, removalThreshold: 5 },
    });
    expect(registered).toEqual({
      endpoint: {
        endpointId: 'e1',
        service: 'orders',
        address: '127.0.0.1:9001',
        health: 'unknown',
        metadata: { zone: 'a' },
        healthCheck: { kind: 'http', path: '/health', intervalMs: 1_500, removalThreshold: 5 },
        registerTime: new Date(1_800_000_000_000),
      },
      fencingToken: 1n,
      leaseTtlMs: 5_000,
    });
    node.close();
  });

  it.each([
    [{ kind: 'grpc', service: 'shop', port: 7, tls: true }],
    [{ kind: 'grpc' }],
    [{ kind: 'tcp', port: 7 }],
    [{ kind: 'http', tls: true, timeoutMs: 100 }],
    [{ kind: 'legacy', dialect: 'lieur', healthyThreshold: 2, unhealthyThreshold: 3 }],
    [{ kind: 'none' }],
  ] as const)('carries the check %j', async (healthCheck) => {
    await using server = await BinderServer.start();
    using binders = bindersAt(server);
    const { endpoint } = await binders.register('s', 'a:1', { healthCheck });
    expect(endpoint.healthCheck).toEqual(healthCheck);
  });
});

describe('renew and deregister', () => {
  it('name an endpoint by its ID, or by what was registered', async () => {
    await using server = await BinderServer.start();
    using binders = bindersAt(server);
    const one = await binders.register('s', 'a:1', { ttlMs: 3_000 });
    expect(await binders.renew(one.endpoint.endpointId, one.fencingToken)).toBe(3_000);
    const stale = binders.renew(one.endpoint.endpointId, 99n);
    await expect(stale).rejects.toMatchObject({ reason: 'FENCING_TOKEN_STALE' });
    await binders.deregister({ endpointId: one.endpoint.endpointId });
    await binders.register('s', 'a:1');
    await binders.deregister({ service: 's', address: 'a:1' });
    const gone = binders.deregister({ service: 's', address: 'a:1' });
    await expect(gone).rejects.toMatchObject({ reason: 'ENDPOINT_UNKNOWN', status: 'NOT_FOUND' });
  });
});

describe('resolve, endpoints and services', () => {
  it('rotate, and go through all pages', async () => {
    await using server = await BinderServer.start({ pageSize: 2 });
    using binders = bindersAt(server);
    for (const port of [1, 2, 3]) await binders.register('orders', `a:${port}`);
    await binders.register('b', 'b:1');
    await binders.register('c', 'c:1');
    const turns = [];
    for (let turn = 0; turn < 4; turn += 1) {
      turns.push((await binders.resolve('orders')).endpoint.address);
    }
    expect(turns).toEqual(['a:1', 'a:2', 'a:3', 'a:1']);
    const endpoints = await collect(binders.endpoints('orders'));
    expect(endpoints.map(({ address }) => address)).toEqual(['a:1', 'a:2', 'a:3']);
    expect(await collect(binders.endpoints('nobody'))).toEqual([]);
    const services = await collect(binders.services());
    expect(services.map(({ service }) => service)).toEqual(['b', 'c', 'orders']);
    expect(services[2]).toMatchObject({ endpointCount: 3, healthyCount: 3 });
  });

  it('say that a service is unknown or has nobody who is well', async () => {
    await using server = await BinderServer.start();
    using binders = bindersAt(server, server);
    await expect(binders.resolve('nobody')).rejects.toMatchObject({ reason: 'SERVICE_UNKNOWN' });
    await binders.register('s', 'a:1');
    server.table.set('s', 'a:1', Health.HEALTH_UNHEALTHY);
    const nobody = binders.resolve('s');
    await expect(nobody).rejects.toMatchObject({ reason: 'NO_HEALTHY_ENDPOINT' });
    expect(server.calls.filter((name) => name === 'resolve')).toHaveLength(2);
  });
});

describe('report and explain', () => {
  it('give the verdict and the evidence', async () => {
    await using server = await BinderServer.start();
    using binders = bindersAt(server);
    await binders.register('s', 'a:1');
    const before = await binders.explain('s', 'a:1');
    expect(before).toMatchObject({ endpoint: { address: 'a:1' }, protectionActive: false });
    const { verdict, evidence } = await binders.report('s', 'a:1');
    expect(verdict).toBe('removed');
    expect(evidence.at(-1)).toEqual({
      observer: 'test:1',
      check: 'REPORT',
      outcome: 'connection refused',
      time: new Date(1_800_000_000_000),
      rule: 'REPORT_PROVED',
    });
    const after = await binders.explain('s', 'a:1');
    expect(after.endpoint).toBeUndefined();
    expect(after.evidence).toHaveLength(3);
  });
});

describe('Binders', () => {
  it('go on to the next binder, and stay with it', async () => {
    const table = new BinderTable();
    await using one = await BinderServer.start({ table });
    await using two = await BinderServer.start({ table });
    await using three = await BinderServer.start({ table });
    using binders = bindersAt(one, two, three);
    await binders.register('s', 'a:1');
    for (const server of [one, two, three]) {
      if (server.address === binders.address) await server.kill();
    }
    const start = performance.now();
    for (let call = 0; call < 20; call += 1) await binders.resolve('s');
    expect(performance.now() - start).toBeLessThan(1_000);
  });

  it('are picked at random', async () => {
    const picked = Array.from({ length: 60 }, () => new Binders(['a:1', 'b:1', 'c:1']).address);
    expect(new Set(picked).size).toBe(3);
  });

  it('do not spend all the time on one that is frozen', async () => {
    const frozen = { resolve: () => undefined };
    await using one = await BinderServer.start({ methods: frozen });
    await using two = await BinderServer.start();
    two.table.register('s', 'a:1', 60_000);
    using binders = bindersAt(one, two);
    const start = performance.now();
    for (let call = 0; call < 3; call += 1) await binders.resolve('s', { timeoutMs: 2_000 });
    expect(performance.now() - start).toBeLessThan(2_000);
  });

  it('fail soon when none is there, and at once with an answer', async () => {
    await using one = await BinderServer.start();
    await using two = await BinderServer.start();
    using binders = bindersAt(one, two);
    const unknown = binders.renew('e9', 1n);
    await expect(unknown).rejects.toMatchObject({ reason: 'LEASE_EXPIRED' });
    expect([...one.calls, ...two.calls]).toEqual(['renewLease']);
    await one.kill();
    await two.kill();
    const start = performance.now();
    await expect(binders.resolve('s')).rejects.toMatchObject({ status: 'UNAVAILABLE', reason: '' });
    expect(performance.now() - start).toBeLessThan(2_000);
  });

  it('go on when a node does not serve the role, or is starting', async () => {
    const role = refusal('UNIMPLEMENTED', 'ROLE_NOT_SERVED');
    const starting = refusal('UNAVAILABLE', 'BINDER_STARTING');
    await using one = await BinderServer.start({ methods: { resolve: (_, done) => done(role) } });
    await using two = await BinderServer.start({
      methods: { resolve: (_, done) => done(starting) },
    });
    await using three = await BinderServer.start();
    three.table.register('s', 'a:1', 60_000);
    using binders = bindersAt(one, two, three);
    expect(await binders.resolve('s')).toMatchObject({ endpoint: { address: 'a:1' } });
  });

  it('are refused without an address', () => {
    expect(() => new Binders([])).toThrow(RangeError);
  });
});

describe('AnyNode', () => {
  it('leaves a node that falls silent in the middle of a watch', async () => {
    const table = new BinderTable();
    await using one = await BinderServer.start({ table });
    await using two = await BinderServer.start({ table });
    const nodes = new AnyNode([one.address, two.address], {}, { first: 1_000, later: 200 });
    const places: string[] = [];
    const losses: string[] = [];
    const method = BinderServiceService.watchService;
    const onLost = ({ message }: Error) => void losses.push(message);
    for await (const { event } of nodes.lastingStream(method, { service: 's' }, { onLost })) {
      if (event?.$case === 'snapshot') places.push(nodes.address);
      if (places.length === 3) break;
    }
    expect(places).toEqual([places[0], places[1], places[0]]);
    expect(new Set(places)).toEqual(new Set([one.address, two.address]));
    expect(losses[0]).toBe(`${places[0]!} said nothing for 200 ms`);
    nodes.close();
  });
});

describe('watch', () => {
  const follow = (events: AsyncIterable<ServiceEvent>) => {
    const seen: string[] = [];
    const isOver = (async () => {
      for await (const event of events) {
        if (event.kind !== 'snapshot') seen.push(`${event.kind} ${event.endpoint.address}`);
        else seen.push(`snapshot ${event.endpoints.map(({ address }) => address).join()}`);
      }
    })();
    return { seen, isOver };
  };

  it('gives everything first, then each change', async () => {
    await using server = await BinderServer.start();
    using binders = bindersAt(server);
    server.table.register('s', 'a:1', 60_000);
    const stop = new AbortController();
    const { seen, isOver } = follow(binders.watch('s', { signal: stop.signal }));
    await until(() => seen.length === 1 || undefined, 3_000);
    server.table.register('s', 'a:2', 60_000);
    server.table.set('s', 'a:1', Health.HEALTH_UNHEALTHY);
    server.table.register('other', 'a:3', 60_000);
    server.table.remove('s', 'a:1');
    await until(() => seen.length === 4 || undefined, 3_000);
    expect(seen).toEqual(['snapshot a:1', 'added a:2', 'changed a:1', 'removed a:1']);
    stop.abort();
    await isOver;
    await until(() => server.table.watcherCount === 0 || undefined, 3_000);
  });

  it('goes on with another binder, with a new snapshot', async () => {
    const table = new BinderTable();
    await using one = await BinderServer.start({ table });
    await using two = await BinderServer.start({ table });
    using binders = bindersAt(one, two);
    table.register('s', 'a:1', 60_000);
    const stop = new AbortController();
    const losses: string[] = [];
    const onLost = ({ status }: { status: string }) => void losses.push(status);
    const { seen, isOver } = follow(binders.watch('s', { signal: stop.signal, onLost }));
    await until(() => seen.length === 1 || undefined, 3_000);
    table.register('s', 'a:2', 60_000);
    await until(() => seen.length === 2 || undefined, 3_000);
    await (one.address === binders.address ? one : two).kill();
    await until(() => seen.length === 3 || undefined, 3_000);
    expect(seen).toEqual(['snapshot a:1', 'added a:2', 'snapshot a:1,a:2']);
    expect(losses).toEqual(['UNAVAILABLE']);
    stop.abort();
    await isOver;
  });

  it('begins with the next binder when one says nothing', async () => {
    await using one = await BinderServer.start({ methods: { watchService: () => undefined } });
    await using two = await BinderServer.start();
    two.table.register('s', 'a:1', 60_000);
    using binders = bindersAt(one, two);
    for await (const event of binders.watch('s')) {
      expect(event.kind).toBe('snapshot');
      break;
    }
  });
});
