import { describe, expect, it } from 'vitest';
import { TestNet, untilIdeal, type TestNode } from '../support/nodes.js';
import { TwoHosts, whyNoHosts, type Host } from '../support/two-hosts.js';

const why = whyNoHosts();
if (why !== undefined) process.stderr.write(`partition tests are skipped: ${why}\n`);

const NODES_PER_HOST = 4;

async function startOn(
  net: TestNet,
  { namespace, address, testAddress }: Host,
  port: number,
  join: readonly string[],
): Promise<TestNode> {
  return net.start({
    join,
    listen: `0.0.0.0:${port}`,
    host: { namespace, testAddress },
    flags: ['--insecure-listen', '--advertise', `${address}:${port}`],
  });
}

describe.skipIf(why !== undefined)('a ring across two hosts', () => {
  it('becomes two rings when the link is cut, and one again by itself', async () => {
    using hosts = new TwoHosts();
    await using net = new TestNet();
    const sides: [TestNode[], TestNode[]] = [[], []];
    const join: string[] = [];
    for (let index = 0; index < 2 * NODES_PER_HOST; index += 1) {
      const side = index % 2;
      const node = await startOn(net, hosts.hosts[side]!, 7_500 + index, join);
      sides[side]!.push(node);
      if (join.length === 0) join.push(node.address);
    }
    const all = sides.flat();
    await untilIdeal(all, 20_000);

    hosts.cut();
    const split = await Promise.all(sides.map(async (side) => untilIdeal(side, 60_000)));
    const { owner } = await sides[1][0]!.sdk.peer.lookupKey('hello');
    expect(sides[1].map(({ ringId }) => ringId)).toContain(owner.ringId);

    hosts.mend();
    const merged = await untilIdeal(all, 60_000);
    process.stderr.write(
      `two rings after ${split.map(Math.round).join(' and ')} ms, one again after ${Math.round(merged)} ms\n`,
    );
    const lives = await Promise.all(all.map(async ({ sdk }) => sdk.peer.neighbors()));
    const rejoined = all.filter((node) => node.record('moving to the larger ring') !== undefined);
    expect(rejoined.length).toBeGreaterThanOrEqual(NODES_PER_HOST);
    expect(new Set(lives.map(({ self }) => self.ringId)).size).toBe(all.length);
  }, 240_000);

  it('keeps a node that was stopped for a while', async () => {
    await using net = new TestNet();
    const nodes = await net.ring(6);
    await untilIdeal(nodes, 20_000);
    nodes[3]!.process.kill('SIGSTOP');
    await untilIdeal(
      nodes.filter((_, index) => index !== 3),
      20_000,
    );
    nodes[3]!.process.kill('SIGCONT');
    await untilIdeal(nodes, 30_000);
    expect(nodes[3]!.record('this process stood still')).toBeDefined();
  }, 120_000);
});
