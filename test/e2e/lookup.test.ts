import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { LookupOptions } from '../../clients/sdk/index.js';
import { cli } from '../support/cli.js';
import { TestNet, untilIdeal, type TestNode } from '../support/nodes.js';
import { until } from '../support/until.js';

const NODES = 5;
/** Short lists, so that some owners are not in them. */
const SUCCESSORS_MAX = 2;
const RING_SIZE = 2 ** 31;

const MANNERS: readonly LookupOptions[] = [
  {},
  { skipRouteCache: true },
  { skipRouteCache: true, mode: 'recursive' },
  { skipRouteCache: true, parallelism: 3 },
  { mode: 'recursive', parallelism: 2 },
  { parallelism: 3 },
];

let net: TestNet;
let nodes: readonly TestNode[];

beforeAll(async () => {
  net = new TestNet();
  nodes = byRingId(await net.ring(NODES, ['--successors-max', String(SUCCESSORS_MAX)]));
  await untilIdeal(nodes, 20_000, SUCCESSORS_MAX);
}, 60_000);

afterAll(async () => net[Symbol.asyncDispose]());

const byRingId = (some: readonly TestNode[]): readonly TestNode[] =>
  [...some].sort((one, other) => one.ringId - other.ringId);

function ownerOf(position: number, living: readonly TestNode[]): number {
  return (living.find(({ ringId }) => ringId >= position) ?? living[0]!).ringId;
}

/** Just behind each node, where the next one owns, and some more. */
function positions(): readonly number[] {
  const behind = nodes.map(({ ringId }) => (ringId + 1) % RING_SIZE);
  return [...behind, ...nodes.map(({ ringId }) => ringId), 0, RING_SIZE - 1];
}

describe('PeerService.Lookup', () => {
  it('takes one hop to any owner but its own node', async () => {
    const asker = nodes[0]!;
    for (const position of positions()) {
      await asker.sdk.peer.lookupRingId(position);
      const { owner, hops } = await asker.sdk.peer.lookupRingId(position);
      expect(owner.ringId).toBe(ownerOf(position, nodes));
      expect(hops).toHaveLength(owner.ringId === asker.ringId ? 0 : 1);
    }
  });

  it('finds the same owner in every manner, from every node', async () => {
    for (const asker of nodes) {
      for (const position of positions()) {
        for (const manner of MANNERS) {
          const { owner, hops } = await asker.sdk.peer.lookupRingId(position, manner);
          expect(owner.ringId).toBe(ownerOf(position, nodes));
          if (owner.ringId !== asker.ringId) expect(hops.at(-1)?.peer.ringId).toBe(owner.ringId);
        }
      }
    }
  });

  it('has the way of a recursive lookup in its hops', async () => {
    const [asker, , next, owner] = nodes;
    const options = { skipRouteCache: true, mode: 'recursive' } as const;
    const { hops } = await asker!.sdk.peer.lookupRingId(owner!.ringId, options);
    expect(hops.map(({ peer }) => peer.ringId)).toEqual([next!.ringId, owner!.ringId]);
  });

  it.each<LookupOptions>([{ parallelism: 4 }])('refuses %o', async (options) => {
    await expect(nodes[0]!.sdk.peer.lookupRingId(1, options)).rejects.toMatchObject({
      reason: 'REQUEST_INVALID',
    });
  });

  it('does as the CLI is told', async () => {
    const { ringId, address } = nodes[3]!;
    const at = ['--server', nodes[0]!.address, '--json', 'lookup', '--ring-id', String(ringId)];
    const quick = await cli(at);
    const slow = await cli([...at, '--recursive', '--parallel', '3', '--no-cache']);
    const hopsOf = (text: string): number => (JSON.parse(text) as { hops: object[] }).hops.length;
    expect(JSON.parse(slow.out)).toMatchObject({ owner: { ringId, address } });
    expect([quick, slow].map(({ out }) => hopsOf(out))).toEqual([1, 2]);
    expect(await cli([...at, '--parallel', '4'])).toMatchObject({ code: 2 });
  });

  it('is right again when an owner was killed', async () => {
    const dead = nodes[3]!;
    const living = nodes.filter((node) => node !== dead);
    const asker = nodes[0]!;
    await asker.sdk.peer.lookupRingId(dead.ringId);
    await dead.end('SIGKILL');
    for (const manner of MANNERS) {
      await until(async () => {
        const { owner } = await asker.sdk.peer.lookupRingId(dead.ringId, manner);
        return owner.ringId === ownerOf(dead.ringId, living) ? true : undefined;
      }, 10_000);
    }
    await untilIdeal(living, 15_000, SUCCESSORS_MAX);
    for (const manner of MANNERS) {
      const { owner } = await asker.sdk.peer.lookupRingId(dead.ringId, manner);
      expect(owner.ringId).toBe(ownerOf(dead.ringId, living));
    }
  });
});
