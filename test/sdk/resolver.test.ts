import { afterEach, describe, expect, it } from 'vitest';
import { Health } from '../../proto/gen/ringbinder/v1/binder_service.js';
import { registerBinderResolver } from '../../clients/sdk/index.js';
import { HealthyEndpoints } from '../../clients/sdk/resolver/healthy-endpoints.js';
import { until } from '../support/until.js';
import { BinderServer } from './binder-server.js';
import { BinderTable } from './binder-table.js';
import { refusal } from './dht-server.js';
import { EchoClient, ROUND_ROBIN, startEcho } from './echo-server.js';

const LONG = 600_000;

/** A binder, and some echo servers that are registered with it. */
async function startService(count: number) {
  const binder = await BinderServer.start();
  const servers = await Promise.all(Array.from({ length: count }, async () => startEcho()));
  for (const { address } of servers) binder.table.register('echo', address, LONG);
  registerBinderResolver({ binders: [binder.address] });
  return {
    binder,
    servers,
    addresses: servers.map(({ address }) => address),
    [Symbol.asyncDispose]: async () => {
      for (const server of [binder, ...servers]) await server[Symbol.asyncDispose]();
    },
  };
}

afterEach(() => {
  delete process.env['RINGBINDER_BINDERS'];
});

describe('a client of binder:///service', () => {
  it('rotates strictly over the endpoints with round_robin', async () => {
    await using service = await startService(3);
    using client = new EchoClient('binder:///echo', ROUND_ROBIN);
    await until(async () => new Set(await client.turns(3)).size === 3 || undefined, 3_000);
    const turns = await client.turns(30);
    expect(new Set(turns)).toEqual(new Set(service.addresses));
    for (const [index, name] of turns.entries()) expect(name).toBe(turns[index % 3]);
  });

  it('stays with one endpoint by itself, and goes on to another when that dies', async () => {
    await using service = await startService(3);
    using client = new EchoClient('binder:///echo');
    const turns = await client.turns(10);
    expect(new Set(turns).size).toBe(1);
    const [dead] = turns;
    await service.servers.find(({ address }) => address === dead)!.kill();
    const other = await until(async () => client.who().catch(() => undefined), 2_000);
    expect(service.addresses).toContain(other);
    expect(other).not.toBe(dead);
  });

  it.each([
    ['round_robin', ROUND_ROBIN],
    ['pick_first', {}],
  ])('uses a new endpoint within 500 ms: %s', async (_policy, options) => {
    await using service = await startService(1);
    using client = new EchoClient('binder:///echo', options);
    await client.who();
    await using another = await startEcho();
    const start = performance.now();
    service.binder.table.register('echo', another.address, LONG);
    if (options !== ROUND_ROBIN) service.binder.table.remove('echo', service.addresses[0]!);
    while ((await client.who()) !== another.address)
      expect(performance.now() - start).toBeLessThan(500);
    process.stderr.write(
      `new endpoint in use after ${(performance.now() - start).toFixed(1)} ms\n`,
    );
  });

  it.each([
    ['round_robin', ROUND_ROBIN],
    ['pick_first', {}],
  ])('uses no endpoint that was removed or is not healthy: %s', async (_policy, options) => {
    await using service = await startService(2);
    const [one, two] = service.addresses;
    const { table } = service.binder;
    using client = new EchoClient('binder:///echo', options);
    await client.who();
    table.remove('echo', one!);
    await until(async () => new Set(await client.turns(4)).size === 1 || undefined, 2_000);
    await until(async () => (await client.who()) === two || undefined, 2_000);
    expect(new Set(await client.turns(20))).toEqual(new Set([two]));
    table.set('echo', two!, Health.HEALTH_UNHEALTHY);
    const why = 'no endpoint of service echo is healthy, of 1 registered';
    await until(
      async () =>
        client.who().then(
          () => undefined,
          () => true,
        ),
      2_000,
    );
    await expect(client.who()).rejects.toMatchObject({ code: 14, details: why });
    const waiting = client.who({ waitForReady: true });
    table.set('echo', two!, Health.HEALTH_HEALTHY);
    expect(await waiting).toBe(two);
    expect(await client.who({ waitForReady: true })).toBe(two);
  });

  it('loses no call while endpoints come and go', async () => {
    await using service = await startService(3);
    using client = new EchoClient('binder:///echo', ROUND_ROBIN);
    const { table } = service.binder;
    await client.who();
    for (let round = 0; round < 10; round += 1) {
      table.remove('echo', service.addresses[round % 3]!);
      await client.turns(10);
      table.register('echo', service.addresses[round % 3]!, LONG);
      await client.turns(10);
    }
  });

  it('fails at once with the name of the service that nobody has registered for', async () => {
    await using service = await startService(0);
    using client = new EchoClient('binder:///nobody', ROUND_ROBIN);
    const start = performance.now();
    const why = 'nobody has registered for service nobody';
    await expect(client.who()).rejects.toMatchObject({ code: 14, details: why });
    expect(performance.now() - start).toBeLessThan(1_000);
    await using echo = await startEcho();
    const waiting = client.who({ waitForReady: true });
    service.binder.table.register('nobody', echo.address, LONG);
    expect(await waiting).toBe(echo.address);
  });

  it.each([
    'shop/echo',
    'echo.v1.2',
    '9001',
    '_a',
    'a-',
    'xn--a',
    'a..b',
    'a.',
    'ECHO_1',
    '0x.0x1',
  ])('takes a service with the name %s', async (name) => {
    await using service = await startService(1);
    service.binder.table.register(name, service.addresses[0]!, LONG);
    using client = new EchoClient(`binder:///${name}`);
    expect(await client.who()).toBe(service.addresses[0]);
  });

  it('releases its watch when it is closed', async () => {
    await using service = await startService(1);
    const client = new EchoClient('binder:///echo');
    await client.who();
    expect(service.binder.table.watcherCount).toBe(1);
    client[Symbol.dispose]();
    await until(() => service.binder.table.watcherCount === 0 || undefined, 2_000);
    await until(() => service.binder.connections === 0 || undefined, 2_000);
  });
});

describe('the binders', () => {
  it('may die one after the other: calls go on, and changes come from the next', async () => {
    const table = new BinderTable();
    await using one = await BinderServer.start({ table });
    await using two = await BinderServer.start({ table });
    await using echo = await startEcho();
    table.register('echo', echo.address, LONG);
    registerBinderResolver({ binders: [one.address, two.address] });
    using client = new EchoClient('binder:///echo', ROUND_ROBIN);
    await client.who();
    const [used, other] = one.calls.length > 0 ? [one, two] : [two, one];
    await used.kill();
    expect(await client.who()).toBe(echo.address);
    await until(() => other.calls.includes('watchService') || undefined, 2_000);
    await using another = await startEcho();
    table.register('echo', another.address, LONG);
    await until(async () => (await client.who()) === another.address || undefined, 2_000);
    await other.kill();
    await new Promise((wake) => setTimeout(wake, 300));
    expect(new Set(await client.turns(6))).toEqual(new Set([echo.address, another.address]));
  });

  it('replace what is known when one is back', async () => {
    await using service = await startService(2);
    const { binder } = service;
    const [one, two] = service.addresses;
    using client = new EchoClient('binder:///echo', ROUND_ROBIN);
    await until(async () => new Set(await client.turns(2)).size === 2 || undefined, 2_000);
    const { port } = binder;
    await binder[Symbol.asyncDispose]();
    await client.turns(4);
    const table = new BinderTable();
    table.register('echo', two!, LONG);
    await using again = await BinderServer.start({ table, port });
    await until(async () => !(await client.turns(4)).includes(one!) || undefined, 8_000);
    expect(again.calls).toEqual(['watchService']);
  });

  it('may be away at first', async () => {
    const away = await BinderServer.start();
    await away[Symbol.asyncDispose]();
    registerBinderResolver({ binders: [away.address] });
    using client = new EchoClient('binder:///echo');
    await expect(client.who()).rejects.toMatchObject({
      code: 14,
      details: expect.stringMatching(
        /^service echo: no binder is reachable: .*ECONNREFUSED/,
      ) as string,
    });
    await using echo = await startEcho();
    const waiting = client.who({ waitForReady: true, timeoutMs: 8_000 });
    const table = new BinderTable();
    table.register('echo', echo.address, LONG);
    await using back = await BinderServer.start({ table, port: away.port });
    expect(await waiting).toBe(echo.address);
    expect(back.calls).toEqual(['watchService']);
  });

  it('may refuse the name', async () => {
    const invalid = refusal('INVALID_ARGUMENT', 'REQUEST_INVALID');
    const watchService = (call: { emit(event: string, error: Error): void }): void => {
      call.emit('error', invalid);
    };
    await using binder = await BinderServer.start({ methods: { watchService } });
    registerBinderResolver({ binders: [binder.address] });
    using client = new EchoClient('binder:///a b');
    const why = 'service a b: [REQUEST_INVALID] refused by the test';
    await expect(client.who()).rejects.toMatchObject({ code: 14, details: why });
  });

  it('are asked once for each loss, however often calls fail', async () => {
    await using service = await startService(1);
    using client = new EchoClient('binder:///echo', ROUND_ROBIN);
    await client.who();
    await service.servers[0]!.kill();
    await until(
      async () =>
        client.who().then(
          () => undefined,
          () => true,
        ),
      2_000,
    );
    for (let call = 0; call < 50; call += 1) await client.who().catch(() => undefined);
    await new Promise((wake) => setTimeout(wake, 500));
    expect(service.binder.calls).toEqual(['watchService']);
  });

  it('can be named in the target, or in the environment', async () => {
    await using service = await startService(1);
    registerBinderResolver();
    using nowhere = new EchoClient('binder:///echo');
    await expect(nowhere.who()).rejects.toMatchObject({
      details: 'service echo: no binder is named, see RINGBINDER_BINDERS',
    });
    using named = new EchoClient(`binder://127.0.0.1:1,${service.binder.address}/echo`);
    expect(await named.who({ waitForReady: true })).toBe(service.addresses[0]);
    process.env['RINGBINDER_BINDERS'] = ` ${service.binder.address}, `;
    using client = new EchoClient('binder:///echo');
    expect(await client.who()).toBe(service.addresses[0]);
  });
});

describe('HealthyEndpoints', () => {
  const endpoint = (address: string, health: 'healthy' | 'unhealthy' = 'healthy') =>
    ({ endpointId: address, service: 's', address, health, metadata: {} }) as const;
  const snapshot = (...endpoints: ReturnType<typeof endpoint>[]) =>
    ({ kind: 'snapshot', endpoints, protectionActive: false }) as const;

  it('keeps the order of those that stay', () => {
    const known = new HealthyEndpoints('s');
    const many = Array.from({ length: 20 }, (_, index) => endpoint(`a:${index + 1}`));
    known.apply(snapshot(...many));
    const before = known.addresses;
    expect([...before].sort()).toEqual(many.map(({ address }) => address).sort());
    known.apply(snapshot(...many.slice(5)));
    const left = new Set(many.slice(5).map(({ address }) => address));
    expect(known.addresses).toEqual(before.filter((address) => left.has(address)));
  });

  it('prefers none', () => {
    const firsts = Array.from({ length: 50 }, () => {
      const known = new HealthyEndpoints('s');
      known.apply(snapshot(endpoint('a:1'), endpoint('a:2'), endpoint('a:3', 'unhealthy')));
      return known.addresses[0];
    });
    expect(new Set(firsts)).toEqual(new Set(['a:1', 'a:2']));
  });
});
