/**
 * What the binder must do for clients and services, with real processes: binders, services that are
 * kept by `bind register`, and clients that run `bind resolve` and `bind report`.
 */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { cli } from '../support/cli.js';
import { collect } from '../support/collect.js';
import { TestNet, type TestNode } from '../support/nodes.js';
import { freeAddress, TestService, type ServiceOptions } from '../support/services.js';
import { until } from '../support/until.js';

/** Exit codes: 64 and the gRPC status. */
const NOT_FOUND = 64 + 5;

let net: TestNet;
let binders: readonly TestNode[];
const services: TestService[] = [];

beforeAll(async () => {
  net = new TestNet();
  binders = await net.ring(3);
}, 60_000);

afterEach(async () => {
  await Promise.all(services.splice(0).map(async (service) => service.kill()));
});

afterAll(async () => net[Symbol.asyncDispose]());

const list = (): string => binders.map(({ address }) => address).join(',');

async function started(options: Omit<ServiceOptions, 'binders'>): Promise<TestService> {
  const all = binders.map(({ address }) => address);
  const service = await TestService.start({ binders: all, ...options });
  services.push(service);
  return service;
}

async function addressesAt({ sdk }: TestNode, service: string): Promise<readonly string[]> {
  return (await collect(sdk.binder.endpoints(service))).map(({ address }) => address);
}

/** Waits until all of some binders have these endpoints of a service. */
async function untilAllHave(
  service: string,
  addresses: readonly string[],
  at: readonly TestNode[] = binders,
): Promise<void> {
  const expected = JSON.stringify([...addresses].sort());
  let seen: readonly (readonly string[])[] = [];
  await until(
    async () => {
      seen = await Promise.all(at.map(async (binder) => addressesAt(binder, service)));
      return seen.every((each) => JSON.stringify(each) === expected) ? true : undefined;
    },
    15_000,
    () => JSON.stringify(seen),
  );
}

async function resolved(server: string, service: string): Promise<string> {
  const { out, err, code } = await cli(['bind', 'resolve', service, '--server', server]);
  if (code !== 0) throw new Error(err);
  return out.trim();
}

describe('Clients and services', () => {
  it('a client picks its binder at random from a list', async () => {
    await using lone = new TestNet();
    const three = await Promise.all([lone.start(), lone.start(), lone.start()]);
    for (const [index, { sdk }] of three.entries()) {
      await sdk.binder.register('who', `10.0.0.${index}:80`, { ttlMs: 60_000 });
    }
    const server = three.map(({ address }) => address).join(',');
    const answers = await Promise.all(
      Array.from({ length: 12 }, async () => resolved(server, 'who')),
    );
    expect(new Set(answers).size).toBeGreaterThan(1);
  }, 60_000);

  it('a binder that restarts takes the table from another', async () => {
    const [, , third] = binders;
    const orders = await started({ service: 'taken-over' });
    await untilAllHave('taken-over', [orders.address]);
    const { address } = third!;
    await third!.end('SIGKILL');
    const back = net.launch({ listen: address, join: [binders[0]!.address] });
    await back.ready();
    binders = [binders[0]!, binders[1]!, back];
    expect(await addressesAt(back, 'taken-over')).toEqual([orders.address]);
    expect(await resolved(address, 'taken-over')).toBe(orders.address);
  }, 60_000);

  it('an unknown service gives a clear error, and the client ends', async () => {
    const { code, out, err } = await cli(['bind', 'resolve', 'no-such', '--server', list()]);
    expect({ code, out }).toEqual({ code: NOT_FOUND, out: '' });
    expect(err).toContain('no-such');
    expect(err).toContain('SERVICE_UNKNOWN');
  });

  it('only existing services are handed out', async () => {
    const kept = await started({ service: 'existing', flags: ['--ttl', '2s'] });
    const gone = await started({ service: 'existing', flags: ['--ttl', '2s'] });
    await untilAllHave('existing', [kept.address, gone.address]);
    gone.process.kill('SIGTERM');
    await untilAllHave('existing', [kept.address]);
    for (const { address } of binders) {
      expect([await resolved(address, 'existing'), await resolved(address, 'existing')]).toEqual([
        kept.address,
        kept.address,
      ]);
    }
  }, 60_000);

  it('a client reports a dead service, and after that every table agrees', async () => {
    const [alive, dead] = await Promise.all([
      started({ service: 'reported', flags: ['--ttl', '1h'] }),
      started({ service: 'reported', flags: ['--ttl', '1h'] }),
    ]);
    await untilAllHave('reported', [alive.address, dead.address]);
    await dead.kill();
    const report = ['bind', 'report', 'reported', dead.address, '--server', binders[1]!.address];
    const { code, out } = await cli(report);
    expect({ code, verdict: out.includes('removed') }).toEqual({ code: 0, verdict: true });
    await untilAllHave('reported', [alive.address]);
    for (const { sdk } of binders) {
      const { evidence, endpoint } = await sdk.binder.explain('reported', dead.address);
      expect(endpoint).toBeUndefined();
      expect(evidence.at(-1)).toMatchObject({ check: 'TCP', rule: 'REPORT_PROVED' });
    }
  }, 60_000);

  it('a complaint about a service that lives removes nothing', async () => {
    const alive = await started({ service: 'slandered' });
    const { out } = await cli(['bind', 'report', 'slandered', alive.address, '--server', list()]);
    expect(out).toContain('still');
    await untilAllHave('slandered', [alive.address]);
  });

  it('services of one type are handed out cyclically', async () => {
    const three = await Promise.all(
      Array.from({ length: 3 }, async () => started({ service: 'cyclic' })),
    );
    const addresses = three.map(({ address }) => address).sort();
    await untilAllHave('cyclic', addresses);
    const { address } = binders[0]!;
    const turns: string[] = [];
    for (let turn = 0; turn < 6; turn += 1) turns.push(await resolved(address, 'cyclic'));
    expect(turns.slice(3)).toEqual(turns.slice(0, 3));
    expect([...turns.slice(0, 3)].sort()).toEqual(addresses);
  }, 60_000);

  describe('while a binder verifies', () => {
    /** It stands still: connections open, answers don't come, so that a check takes its two seconds. */
    async function standing(service: string): Promise<TestService> {
      const flags = ['--ttl', '1h', '--http', '--check-timeout', '2s', '--check-interval', '1h'];
      const stopped = await started({ service, flags });
      await until(async () => {
        const [endpoint] = await collect(binders[0]!.sdk.binder.endpoints(service));
        return endpoint?.health === 'healthy' ? true : undefined;
      }, 10_000);
      stopped.signal('SIGSTOP');
      return stopped;
    }

    it('two clients that report the same dead service a second apart share the check', async () => {
      const dead = await standing('reported-twice');
      const { binder } = binders[0]!.sdk;
      const start = performance.now();
      const first = binder.report('reported-twice', dead.address, { timeoutMs: 10_000 });
      await new Promise((wake) => setTimeout(wake, 1_000));
      const second = binder.report('reported-twice', dead.address, { timeoutMs: 10_000 });
      const [one, other] = await Promise.all([first, second]);
      expect(performance.now() - start).toBeLessThan(2_900);
      expect([one.verdict, other.verdict]).toEqual(['removed', 'removed']);
      expect(other.evidence).toEqual(one.evidence);
      await untilAllHave('reported-twice', []);
    }, 30_000);

    it('answers other requests at once', async () => {
      const dead = await standing('verified');
      const { binder } = binders[0]!.sdk;
      await binder.register('verified', '10.0.0.1:80', { ttlMs: 60_000 });
      const verification = { isOver: false };
      const report = binder
        .report('verified', dead.address, { timeoutMs: 10_000 })
        .finally(() => (verification.isOver = true));
      const latencies: number[] = [];
      while (!verification.isOver) {
        const start = performance.now();
        await binder.resolve('verified');
        latencies.push(performance.now() - start);
      }
      expect((await report).verdict).toBe('removed');
      expect(latencies.length).toBeGreaterThan(20);
      latencies.sort((one, another) => one - another);
      expect(latencies[Math.floor(0.9 * latencies.length)]).toBeLessThan(200);
    }, 30_000);
  });

  it('a service that crashed comes back and is usable, and so is a binder', async () => {
    const flags = ['--ttl', '2s'];
    const address = await freeAddress();
    const first = await started({ service: 'phoenix', flags, address });
    await untilAllHave('phoenix', [address]);
    await first.kill();
    await untilAllHave('phoenix', []);
    const again = await started({ service: 'phoenix', flags, address });
    await untilAllHave('phoenix', [address]);
    const [founder, , third] = binders;
    const { address: lost } = third!;
    await third!.end('SIGKILL');
    const back = net.launch({ listen: lost, join: [founder!.address] });
    await back.ready();
    binders = [founder!, binders[1]!, back];
    await untilAllHave('phoenix', [address]);
    expect(await again.answer()).toBe(await resolved(lost, 'phoenix'));
  }, 60_000);
});
