/** BinderService of real nodes: every call, as its proto says. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Binders, CallError, type ServiceEvent } from '../../clients/sdk/index.js';
import { refusal } from '../support/buf-curl.js';
import { collect } from '../support/collect.js';
import { CLI, TestNet, type TestNode } from '../support/nodes.js';
import { TestService } from '../support/services.js';
import { until } from '../support/until.js';

/** Exit code: 64 and the gRPC status. */
const RESOURCE_EXHAUSTED = 64 + 8;
const HOUR_MS = 3_600_000;
const WATCHERS = 1_000;
const WATCHER_CONNECTIONS = 4;
/** Far more than on a quiet machine, where it is below 150 ms. */
const ARRIVAL_MS_MAX = 1_500;

let net: TestNet;
let node: TestNode;

beforeAll(async () => {
  net = new TestNet();
  node = await net.start({ flags: ['--endpoints-max', '2000'] });
}, 60_000);

afterAll(async () => net[Symbol.asyncDispose]());

async function reasonOf(call: Promise<unknown>): Promise<string> {
  const thrown: unknown = await call.then(
    () => new Error('the call succeeded'),
    (error: unknown) => error,
  );
  if (!(thrown instanceof CallError)) throw thrown;
  return `${thrown.status} ${thrown.reason}`;
}

describe('a registration', () => {
  it('made again keeps its ID, and makes the older token stale', async () => {
    const { binder } = node.sdk;
    const first = await binder.register('again', '10.0.0.1:80', { metadata: { zone: 'a' } });
    const second = await binder.register('again', '10.0.0.1:80', { metadata: { zone: 'b' } });
    const { endpointId } = first.endpoint;
    expect(second.endpoint).toMatchObject({ endpointId, metadata: { zone: 'b' } });
    expect(second.fencingToken).toBeGreaterThan(first.fencingToken);
    expect(await reasonOf(binder.renew(endpointId, first.fencingToken))).toBe(
      'ABORTED FENCING_TOKEN_STALE',
    );
    const older = { fencingToken: first.fencingToken };
    expect(await reasonOf(binder.deregister({ endpointId }, older))).toBe(
      'ABORTED FENCING_TOKEN_STALE',
    );
    expect(await binder.renew(endpointId, second.fencingToken)).toBe(15_000);
  });

  it('that is gone can not be renewed, removed again, nor complained about; its end is explained', async () => {
    const { binder } = node.sdk;
    const { endpoint, fencingToken } = await binder.register('gone', '10.0.0.1:80');
    await binder.deregister({ service: 'gone', address: '10.0.0.1:80' });
    expect(await reasonOf(binder.renew(endpoint.endpointId, fencingToken))).toBe(
      'NOT_FOUND LEASE_EXPIRED',
    );
    expect(await reasonOf(binder.deregister(endpoint))).toBe('NOT_FOUND ENDPOINT_UNKNOWN');
    expect(await reasonOf(binder.report('gone', '10.0.0.1:80'))).toBe('NOT_FOUND ENDPOINT_UNKNOWN');
    expect(await reasonOf(binder.resolve('gone'))).toBe('NOT_FOUND SERVICE_UNKNOWN');
    const { evidence } = await binder.explain('gone', '10.0.0.1:80');
    expect(evidence.map(({ rule }) => rule)).toEqual(['REGISTERED', 'DEREGISTERED']);
  });

  it('ends with its lease, and the watcher is told why', async () => {
    const { binder } = node.sdk;
    const seen: ServiceEvent[] = [];
    const end = new AbortController();
    const watching = (async () => {
      for await (const event of binder.watch('short', { signal: end.signal })) seen.push(event);
    })();
    await until(() => (seen.length > 0 ? true : undefined), 5_000);
    const start = performance.now();
    await binder.register('short', '10.0.0.1:80', { ttlMs: 1_000 });
    await until(() => (seen.length > 2 ? true : undefined), 5_000);
    expect(performance.now() - start).toBeGreaterThan(950);
    end.abort();
    await watching;
    expect(seen.map(({ kind }) => kind)).toEqual(['snapshot', 'added', 'removed']);
    expect(seen[2]).toMatchObject({ evidence: { check: 'LEASE', rule: 'LEASE_ENDED' } });
    expect(await reasonOf(binder.resolve('short'))).toBe('UNAVAILABLE NO_HEALTHY_ENDPOINT');
  });

  it('with a check is not handed out before that has passed, and is removed when it fails', async () => {
    await using service = await TestService.start({
      service: 'checked',
      binders: [node.address],
      flags: ['--ttl', '1h', '--http', '--check-interval', '1s', '--remove-after', '2'],
    });
    const { binder } = node.sdk;
    await until(
      async () =>
        binder.resolve('checked').then(
          () => true,
          () => undefined,
        ),
      10_000,
    );
    await service.kill();
    await until(
      async () => ((await collect(binder.endpoints('checked'))).length === 0 ? true : undefined),
      10_000,
    );
    const { evidence } = await binder.explain('checked', service.address);
    expect(evidence.map(({ rule }) => rule)).toEqual([
      'REGISTERED',
      'FIRST_CHECK',
      'UNHEALTHY_THRESHOLD',
      'REMOVAL_THRESHOLD',
    ]);
    expect(evidence.at(-1)).toMatchObject({ check: 'HTTP', outcome: 'connection refused' });
  }, 30_000);

  it('is refused when the binder is full, and nothing is lost', async () => {
    await using small = new TestNet();
    const full = await small.start({ flags: ['--endpoints-max', '50'] });
    const { binder } = full.sdk;
    const register = async (index: number) => binder.register('full', `10.0.0.${index}:80`);
    await Promise.all(Array.from({ length: 50 }, async (_, index) => register(index)));
    expect(await reasonOf(register(50))).toBe('RESOURCE_EXHAUSTED TABLE_FULL');
    await register(7);
    expect(await collect(binder.endpoints('full'))).toHaveLength(50);
    await binder.deregister({ service: 'full', address: '10.0.0.0:80' });
    await register(50);
  });

  it('survives kill -9 of the only binder, with its ID and token', async () => {
    await using lone = new TestNet();
    const dataDir = lone.dataDir('lone');
    const first = await lone.start({ dataDir });
    const { endpoint, fencingToken } = await first.sdk.binder.register('kept', '10.0.0.1:80', {
      ttlMs: 60_000,
      metadata: { zone: 'a' },
    });
    await first.end('SIGKILL');
    const back = await lone.start({ dataDir, listen: first.address });
    expect((await back.sdk.binder.resolve('kept')).endpoint).toEqual(endpoint);
    expect(await back.sdk.binder.renew(endpoint.endpointId, fencingToken)).toBe(60_000);
  });
});

describe('protection mode', () => {
  const index = (address: string): number => Number(/\.(\d+):/.exec(address)?.[1]);

  it('keeps what would vanish at once, says so, and ends when they are back', async () => {
    const { binder } = node.sdk;
    const addresses = Array.from({ length: 8 }, (_, index) => `127.0.0.${index + 1}:9`);
    for (const address of addresses) {
      await binder.register('protected', address, { ttlMs: index(address) < 3 ? HOUR_MS : 1_000 });
    }
    await until(async () => {
      const { protectionActive } = await binder.explain('protected', addresses[0]!);
      return protectionActive ? true : undefined;
    }, 5_000);
    await until(async () => {
      const all = await collect(binder.endpoints('protected'));
      return all.length === 4 && all.filter(({ health }) => health === 'unhealthy').length === 2
        ? true
        : undefined;
    }, 5_000);
    expect(await binder.resolve('protected')).toMatchObject({ protectionActive: true });
    const held = (await collect(binder.endpoints('protected'))).find(
      ({ health }) => health === 'unhealthy',
    )!;
    expect((await binder.explain('protected', held.address)).evidence.at(-1)).toMatchObject({
      rule: 'PROTECTION_MODE',
    });
    expect((await binder.report('protected', held.address)).verdict).toBe('protected');
    await binder.register('protected', held.address, { ttlMs: HOUR_MS });
    await binder.register('protected', '127.0.0.9:9', { ttlMs: HOUR_MS });
    await until(async () => {
      const { protectionActive } = await binder.resolve('protected');
      return protectionActive ? undefined : true;
    }, 5_000);
  }, 30_000);
});

describe('bad input', () => {
  const address = '10.0.0.1:80';
  it.each([
    ['an empty service', 'RegisterEndpoint', { service: '', address }],
    ['a service of 256 bytes', 'RegisterEndpoint', { service: 's'.repeat(256), address }],
    ['a service of 300 bytes', 'Resolve', { service: 's'.repeat(300) }],
    ['a service with a space', 'Resolve', { service: 'a b' }],
    ['an address without port', 'RegisterEndpoint', { service: 's', address: '10.0.0.1' }],
    ['port 0', 'RegisterEndpoint', { service: 's', address: '10.0.0.1:0' }],
    ['port 65536', 'RegisterEndpoint', { service: 's', address: '10.0.0.1:65536' }],
    ['a TTL of 0.9 s', 'RegisterEndpoint', { service: 's', address, ttl: '0.9s' }],
    ['a TTL of a day and a second', 'RegisterEndpoint', { service: 's', address, ttl: '86401s' }],
    ['a negative TTL', 'RegisterEndpoint', { service: 's', address, ttl: '-1s' }],
    ['token 0', 'RenewLease', { endpointId: 'e', fencingToken: 0 }],
    ['an ID and an address', 'DeregisterEndpoint', { endpointId: 'e', service: 's', address }],
    ['a check without a kind', 'RegisterEndpoint', { service: 's', address, healthCheck: {} }],
  ])('is refused: %s', async (_, method, request) => {
    const refused = await refusal(node.address, `ringbinder.v1.BinderService/${method}`, request);
    expect(refused.code).toBe('invalid_argument');
    expect(refused.message).toContain('[REQUEST_INVALID]');
  });

  it.each([
    ['a foreign endpoint ID', 'RenewLease', { endpointId: 'e', fencingToken: 7 }, 'LEASE_EXPIRED'],
    ['an ID that nobody has', 'DeregisterEndpoint', { endpointId: 'e' }, 'ENDPOINT_UNKNOWN'],
    ['a page token of another list', 'ListServices', { pageToken: 'x' }, 'PAGE_TOKEN_INVALID'],
    [
      'the check of an unknown dialect',
      'RegisterEndpoint',
      { service: 's', address, healthCheck: { legacy: { dialect: 'klingon' } } },
      'DIALECT_UNKNOWN',
    ],
  ])('is refused by its own reason: %s', async (_, method, request, reason) => {
    const refused = await refusal(node.address, `ringbinder.v1.BinderService/${method}`, request);
    expect(refused.message).toContain(`[${reason}]`);
  });
});

describe('Resolve', () => {
  it('gives 10,000 calls at once to seven endpoints, as many to each, give or take one', async () => {
    const { binder } = node.sdk;
    for (let index = 0; index < 7; index += 1) {
      await binder.register('rotated', `10.0.0.${index}:80`, { ttlMs: HOUR_MS });
    }
    const turns = new Map<string, number>();
    const calls = Array.from({ length: 10_000 }, async () => {
      const { endpoint } = await binder.resolve('rotated', { timeoutMs: 60_000 });
      turns.set(endpoint.address, (turns.get(endpoint.address) ?? 0) + 1);
    });
    await Promise.all(calls);
    const counts = [...turns.values()];
    expect(counts).toHaveLength(7);
    expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1);
  }, 90_000);
});

describe('WatchService', () => {
  it('shows a change to a thousand watchers soon', async () => {
    const clients = Array.from(
      { length: WATCHER_CONNECTIONS },
      () => new Binders([node.address], { timeoutMs: 60_000 }),
    );
    const end = new AbortController();
    let snapshots = 0;
    const arrivals: number[] = [];
    const watching = Array.from({ length: WATCHERS }, async (_, index) => {
      const client = clients[index % WATCHER_CONNECTIONS]!;
      for await (const { kind } of client.watch('watched', { signal: end.signal })) {
        if (kind === 'snapshot') snapshots += 1;
        else arrivals.push(performance.now());
      }
    });
    await until(() => (snapshots === WATCHERS ? true : undefined), 30_000);
    await node.sdk.binder.register('watched', '10.0.0.1:80');
    const start = performance.now();
    await until(() => (arrivals.length === WATCHERS ? true : undefined), 30_000);
    const latest = arrivals.sort((one, other) => one - other)[Math.floor(0.99 * WATCHERS)]! - start;
    expect(latest).toBeLessThan(ARRIVAL_MS_MAX);
    end.abort();
    await Promise.all(watching);
    for (const client of clients) client.close();
  }, 90_000);

  it('cuts a watcher that does not read, and nobody else notices', async () => {
    const lazy = spawn(process.execPath, [
      CLI,
      'bind',
      'watch',
      'flooded',
      '--server',
      node.address,
    ]);
    const [err, closed] = [text(lazy.stderr), once(lazy, 'close')];
    await once(lazy.stderr, 'data');
    const { binder } = node.sdk;
    const register = async (round: number) =>
      binder.register('flooded', '10.0.0.1:80', {
        ttlMs: HOUR_MS,
        metadata: { round: String(round).padStart(1_000) },
      });
    let changes = 0;
    const end = new AbortController();
    const watching = (async () => {
      for await (const { kind } of binder.watch('flooded', { signal: end.signal })) {
        if (kind === 'changed') changes += 1;
      }
    })();
    await register(0);
    await once(lazy.stdout, 'data');
    lazy.kill('SIGSTOP');
    for (let round = 1; round <= 13_000; round += 50) {
      await Promise.all(Array.from({ length: 50 }, async (_, index) => register(round + index)));
    }
    const seen = (): string => String(changes);
    await until(() => (changes === 13_000 ? true : undefined), 30_000, seen);
    lazy.kill('SIGCONT');
    lazy.stdout.resume();
    const [code] = (await closed) as [number];
    expect(await err).toContain('WATCHER_TOO_SLOW');
    expect(code).toBe(RESOURCE_EXHAUSTED);
    end.abort();
    await watching;
  }, 120_000);
});
