/** Binders on two hosts whose link is cut: each side answers, and afterwards all agree. */
import { describe, expect, it } from 'vitest';
import { Binders, type Lease } from '../../clients/sdk/index.js';
import { collect } from '../support/collect.js';
import { TestNet, untilIdeal, type TestNode } from '../support/nodes.js';
import { TwoHosts, whyNoHosts } from '../support/two-hosts.js';
import { until } from '../support/until.js';

const why = whyNoHosts();
if (why !== undefined) process.stderr.write(`partition tests are skipped: ${why}\n`);

const LEASE_MS = 5_000;
const LEASES = 20;
const BOUND_MS = 8_000;

async function endpointsAt({ sdk }: TestNode): Promise<readonly string[]> {
  const services = await collect(sdk.binder.services());
  const all = services.map(async ({ service }) => collect(sdk.binder.endpoints(service)));
  return (await Promise.all(all)).flat().map(({ address }) => address);
}

/** Waits until all of these binders have exactly so many endpoints; resolves with how long that took. */
async function untilAllHave(nodes: readonly TestNode[], count: number, withinMs: number) {
  const start = performance.now();
  let seen: readonly number[] = [];
  await until(
    async () => {
      seen = (await Promise.all(nodes.map(endpointsAt))).map(({ length }) => length);
      return seen.every((each) => each === count) ? true : undefined;
    },
    withinMs,
    () => `${seen.join(', ')} instead of ${count}`,
  );
  return Math.round(performance.now() - start);
}

describe.skipIf(why !== undefined)('binders across two hosts', () => {
  it('answer on both sides of a cut, and agree after it without having lost anyone', async () => {
    using hosts = new TwoHosts();
    await using net = new TestNet();
    const sides: [TestNode[], TestNode[]] = [[], []];
    const join: string[] = [];
    for (let index = 0; index < 4; index += 1) {
      const { namespace, address, testAddress } = hosts.hosts[index % 2]!;
      const port = 7_600 + index;
      const advertised = `${address}:${port}`;
      const node = await net.start({
        join,
        listen: `0.0.0.0:${port}`,
        host: { namespace, testAddress },
        flags: ['--insecure-listen', '--advertise', advertised],
      });
      sides[index % 2]!.push(node);
      if (join.length === 0) join.push(node.address);
    }
    const all = sides.flat();
    await untilIdeal(all, 20_000);

    let again = 0;
    const leases: Lease[] = [];
    const clients = sides.map((side) => new Binders(side.map(({ sdk }) => sdk.address)));
    for (const [side, client] of clients.entries()) {
      for (let index = 0; index < LEASES; index += 1) {
        const service = `side-${side}-${index}`;
        const onRegistered = (): void => void (again += 1);
        const options = { ttlMs: LEASE_MS, onRegistered };
        leases.push(await client.hold(service, `10.1.${side}.${index}:80`, options));
      }
    }
    await untilAllHave(all, 2 * LEASES, 10_000);

    hosts.cut();
    const apart = sides.map(async (side, index) => {
      const mine = (address: string): boolean => address.startsWith(`10.1.${index}.`);
      await until(
        async () => {
          const seen = (await Promise.all(side.map(endpointsAt))).flat();
          return seen.some((address) => !mine(address)) ? undefined : true;
        },
        60_000,
        () => `side ${index} still has endpoints of the other`,
      );
      return (await Promise.all(side.map(endpointsAt))).map((each) => each.filter(mine).length);
    });
    expect(await Promise.all(apart)).toEqual([
      [LEASES, LEASES],
      [LEASES, LEASES],
    ]);

    hosts.mend();
    const agreedMs = await untilAllHave(all, 2 * LEASES, 60_000);
    process.stderr.write(`all binders agree ${agreedMs} ms after the cut was mended\n`);
    expect(agreedMs).toBeLessThan(2 * BOUND_MS);
    expect(again).toBe(0);
    await Promise.all(leases.map(async (lease) => lease.release()));
    await untilAllHave(all, 0, 10_000);
    for (const client of clients) client.close();
  }, 240_000);
});
