import { describe, expect, it } from 'vitest';
import { CallError } from '../../clients/sdk/index.js';
import { collect } from '../support/collect.js';
import { TestNet, untilIdeal, type TestNode } from '../support/nodes.js';
import { until } from '../support/until.js';

/** Starts a founder and others with data directories, so that they can come back. */
async function lastingRing(net: TestNet, size: number): Promise<TestNode[]> {
  const founder = await net.start({ dataDir: net.dataDir('n0') });
  const nodes = [founder];
  for (let index = 1; index < size; index += 1) {
    nodes.push(await net.start({ dataDir: net.dataDir(`n${index}`), join: [founder.address] }));
  }
  await untilIdeal(nodes, 20_000);
  return nodes;
}

/** Starts a node again where it was. */
const again = (net: TestNet, node: TestNode, index: number): TestNode =>
  net.launch({ listen: node.address, dataDir: net.dataDir(`n${index}`) });

describe('restarts', () => {
  it('bring a founder back into its own ring, with its ring ID and a new incarnation', async () => {
    await using net = new TestNet();
    const [founder, ...others] = await lastingRing(net, 4);
    const before = (await founder!.sdk.peer.neighbors()).self;
    await founder!.end('SIGKILL');
    const back = again(net, founder!, 0);
    await back.ready();
    await untilIdeal([back, ...others], 15_000);
    const after = (await back.sdk.peer.neighbors()).self;
    expect(after.ringId).toBe(before.ringId);
    expect(after.incarnation).toBeGreaterThan(before.incarnation);
    expect((await collect(back.sdk.welcome.peers())).length).toBe(4);
  });

  it('bring any node back through whom it remembers, also without the directory', async () => {
    await using net = new TestNet();
    const [founder, ...others] = await lastingRing(net, 4);
    await founder!.end('SIGKILL');
    await others[1]!.end('SIGKILL');
    const back = again(net, others[1]!, 2);
    await back.ready();
    expect(back.ringId).toBe(others[1]!.ringId);
    await untilIdeal([others[0]!, back, others[2]!], 15_000);
    const start = performance.now();
    const refused = back.sdk.hash.assignRingId('10.0.0.9:7400', { timeoutMs: 20_000 });
    await expect(refused).rejects.toMatchObject({ reason: 'DIRECTORY_UNREACHABLE' });
    // Three tries of the SDK, each within 5 s.
    expect(performance.now() - start).toBeLessThan(15_000);
  }, 60_000);

  it('bring a whole ring back after all were killed at once', async () => {
    await using net = new TestNet();
    const nodes = await lastingRing(net, 4);
    await Promise.all(nodes.map(async (node) => node.end('SIGKILL')));
    const back = nodes.map((node, index) => again(net, node, index));
    await Promise.all(back.map(async (node) => node.ready(30_000)));
    await untilIdeal(back, 30_000);
    expect(back.map(({ ringId }) => ringId)).toEqual(nodes.map(({ ringId }) => ringId));
  }, 90_000);

  it('never lose nor repeat an assignment that was answered', async () => {
    await using net = new TestNet();
    const first = await net.start({ dataDir: net.dataDir('n0') });
    const assigned = new Map<string, number>();
    const assignAll = async (): Promise<void> => {
      for (let index = 0; ; index += 1) {
        const address = `10.0.${index >> 8}.${index & 255}:7400`;
        assigned.set(address, await first.sdk.hash.assignRingId(address));
      }
    };
    const assigning = assignAll().catch((thrown: unknown) => thrown);
    await until(() => (assigned.size >= 300 ? true : undefined), 20_000);
    await first.end('SIGKILL');
    expect(await assigning).toBeInstanceOf(CallError);
    const back = again(net, first, 0);
    await back.ready();
    for (const [address, ringId] of assigned) {
      expect(await back.sdk.hash.getRingId(address)).toBe(ringId);
    }
    const all = await collect(back.sdk.hash.assignments());
    expect(new Set(all.map(({ ringId }) => ringId)).size).toBe(all.length);
  }, 60_000);
});
