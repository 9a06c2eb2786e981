import { describe, expect, it } from 'vitest';
import { collect } from '../support/collect.js';
import { TestNet, untilIdeal, type TestNode } from '../support/nodes.js';
import { until } from '../support/until.js';

const byRingId = (nodes: readonly TestNode[]): readonly TestNode[] =>
  [...nodes].sort((one, other) => one.ringId - other.ringId);

/** The first node at or after a position. */
function ownerOf(position: number, nodes: readonly TestNode[]): TestNode {
  const ordered = byRingId(nodes);
  return ordered.find(({ ringId }) => ringId >= position) ?? ordered[0]!;
}

describe('a ring of real nodes', () => {
  it('lets three nodes see each other within 5 s', async () => {
    await using net = new TestNet();
    const founder = await net.start();
    const start = performance.now();
    const others = [
      await net.start({ join: [founder.address] }),
      await net.start({ join: [founder.address] }),
    ];
    const all = [founder, ...others];
    await until(async () => {
      const lists = await Promise.all(
        all.map(async ({ sdk }) => (await collect(sdk.welcome.peers())).length),
      );
      return lists.every((count) => count === 3) ? true : undefined;
    }, 5_000);
    await untilIdeal(all, 5_000);
    expect(performance.now() - start).toBeLessThan(10_000);
  });

  it('has exact neighbours with five nodes started at once', async () => {
    await using net = new TestNet();
    const nodes = byRingId(await net.ring(5));
    await untilIdeal(nodes, 10_000);
    for (const [index, node] of nodes.entries()) {
      const { predecessor, successors } = await node.sdk.peer.neighbors();
      const others = [1, 2, 3, 4].map((step) => nodes[(index + step) % 5]!.ringId);
      expect(successors.map(({ ringId }) => ringId)).toEqual(others);
      expect(predecessor?.ringId).toBe(nodes[(index + 4) % 5]!.ringId);
    }
  });

  it('repairs the death of any two of eight, and finds every living owner meanwhile', async () => {
    await using net = new TestNet();
    const nodes = byRingId(await net.ring(8));
    await untilIdeal(nodes, 20_000);
    const dead = [nodes[2]!, nodes[3]!];
    const living = nodes.filter((node) => !dead.includes(node));
    const positions = living.map(({ ringId }) => ringId);
    await Promise.all(dead.map(async (node) => node.end('SIGKILL')));
    const start = performance.now();
    const repair = { isOver: false };
    const watched = untilIdeal(living, 15_000).finally(() => (repair.isOver = true));
    watched.catch(() => undefined);
    let lookups = 0;
    do {
      for (const asker of living) {
        const position = positions[lookups % positions.length]!;
        const { owner } = await asker.sdk.peer.lookupRingId(position);
        expect(owner.ringId).toBe(ownerOf(position, living).ringId);
        lookups += 1;
      }
    } while (!repair.isOver);
    await watched;
    expect(performance.now() - start).toBeLessThan(15_000);
    expect(lookups).toBeGreaterThan(0);
    for (const position of [0, 2 ** 31 - 1, dead[0]!.ringId, dead[1]!.ringId]) {
      const { owner } = await living[0]!.sdk.peer.lookupRingId(position);
      expect(owner.ringId).toBe(ownerOf(position, living).ringId);
    }
  });

  it('repairs the death of two far apart as well', async () => {
    await using net = new TestNet();
    const nodes = byRingId(await net.ring(8));
    await untilIdeal(nodes, 20_000);
    await Promise.all([nodes[0]!, nodes[4]!].map(async (node) => node.end('SIGKILL')));
    await untilIdeal(
      nodes.filter((_, index) => index !== 0 && index !== 4),
      15_000,
    );
  });

  it('lets a node leave gracefully, at once and from the directory too', async () => {
    await using net = new TestNet();
    const [founder, ...others] = await net.ring(4);
    const [leaving, ...staying] = others;
    await untilIdeal([founder!, ...others], 10_000);
    expect(await leaving!.end('SIGTERM')).toBe(0);
    await untilIdeal([founder!, ...staying], 5_000);
    const listed = await collect(founder!.sdk.welcome.peers());
    expect(listed.map(({ ringId }) => ringId)).not.toContain(leaving!.ringId);
  });
});
