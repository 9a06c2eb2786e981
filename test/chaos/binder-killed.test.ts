/** Three binders with many endpoints, and what becomes of those when one is killed. */
import { describe, expect, it } from 'vitest';
import { Binders } from '../../clients/sdk/index.js';
import { collect } from '../support/collect.js';
import { TestNet } from '../support/nodes.js';
import { freeAddress, TestService } from '../support/services.js';
import { until } from '../support/until.js';

const LEASE_MS = 5_000;
const ENDPOINTS = 200;

describe('three binders with 200 endpoints', () => {
  it('lose none when a binder is killed, and drop one that stands still within its TTL and a second', async () => {
    await using three = new TestNet();
    const binders = await three.ring(3);
    const addresses = binders.map(({ address }) => address);
    const clients = Array.from({ length: 10 }, () => new Binders(addresses));
    const leases = await Promise.all(
      Array.from({ length: ENDPOINTS }, async (_, index) =>
        clients[index % 10]!.hold(`s${index % 20}`, `10.0.0.${index}:80`, { ttlMs: LEASE_MS }),
      ),
    );
    const [first, second, killed] = binders;
    const survivors = [first!, second!];
    const flags = ['--ttl', '5s'];
    const still = await TestService.start({
      service: 'still',
      binders: [first!.address, second!.address],
      flags,
      address: await freeAddress(),
    });
    const countsAt = async (): Promise<readonly number[]> =>
      Promise.all(
        survivors.map(async ({ sdk }) => {
          const services = await collect(sdk.binder.services());
          return services.reduce((sum, { endpointCount }) => sum + endpointCount, 0);
        }),
      );
    await until(
      async () => ((await countsAt()).every((count) => count === ENDPOINTS + 1) ? true : undefined),
      15_000,
      () => 'not everywhere',
    );
    const end = new AbortController();
    const removed: string[] = [];
    const watching = survivors.flatMap(({ sdk }) =>
      Array.from({ length: 20 }, async (_, index) => {
        for await (const event of sdk.binder.watch(`s${index}`, { signal: end.signal })) {
          if (event.kind === 'removed') removed.push(event.endpoint.address);
        }
      }),
    );
    await killed!.end('SIGKILL');
    still.signal('SIGSTOP');
    const start = performance.now();
    await until(async () => {
      const all = survivors.map(async ({ sdk }) => collect(sdk.binder.endpoints('still')));
      return (await Promise.all(all)).every((each) => each.length === 0) ? true : undefined;
    }, 15_000);
    expect(performance.now() - start).toBeLessThan(LEASE_MS + 1_000);
    const restMs = 3_000 + LEASE_MS + 2_000 - (performance.now() - start);
    await new Promise((wake) => setTimeout(wake, restMs));
    expect(removed).toEqual([]);
    expect(await countsAt()).toEqual([ENDPOINTS, ENDPOINTS]);
    end.abort();
    await Promise.all(watching);
    await still.kill();
    await Promise.all(leases.map(async (lease) => lease.release()));
    await until(
      async () => ((await countsAt()).every((count) => count === 0) ? true : undefined),
      5_000,
    );
    for (const client of clients) client.close();
  }, 120_000);
});
