/** What MonitorService says of real rings, whole ones and one that is broken on purpose. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { NodeServiceService } from '../../proto/gen/ringbinder/internal/v1/node_service.js';
import type { PeerView } from '../../services/peer/core/routing-table.js';
import { viewToWire } from '../../services/peer/wire.js';
import { RpcServer } from '../../services/rpc/server.js';
import { systemClock } from '../../services/system/clock.js';
import { call } from '../support/buf-curl.js';
import { captureLog } from '../support/capture-log.js';
import { cli } from '../support/cli.js';
import { TestNet, untilIdeal, type TestNode } from '../support/nodes.js';
import { until } from '../support/until.js';

const SIZE = 6;

let net: TestNet;
let nodes: readonly TestNode[];
let node: TestNode;

beforeAll(async () => {
  net = new TestNet();
  nodes = await net.ring(SIZE);
  node = nodes[2]!;
  await untilIdeal(nodes, 30_000);
}, 90_000);

afterAll(async () => net[Symbol.asyncDispose]());

const ringIds = (): readonly number[] =>
  nodes.map(({ ringId }) => ringId).toSorted((one, other) => one - other);

describe('a whole ring', () => {
  it('is shown by its topology, with tables as its peers have them', async () => {
    const { views, unreachable } = await node.sdk.monitor.topology();
    expect(views.map(({ peer }) => peer.ringId)).toEqual(ringIds());
    expect(unreachable).toEqual([]);
    for (const [index, view] of views.entries()) {
      const at = (place: number): number => ringIds()[(index + place + SIZE) % SIZE]!;
      expect(view.predecessor?.ringId).toBe(at(-1));
      expect(view.successors.map(({ ringId }) => ringId)).toEqual([at(1), at(2), at(3), at(4)]);
      expect(view.fingers).toHaveLength(31);
      expect(view.fingers[0]).toMatchObject({ peer: { ringId: at(1) } });
    }
    const other = nodes[4]!;
    const view = await node.sdk.monitor.routingTable(other.ringId);
    expect(view.successors).toEqual(
      views.find(({ peer }) => peer.ringId === other.ringId)?.successors,
    );
  });

  it('is ideal', async () => {
    expect(await node.sdk.monitor.check()).toEqual({
      ...{ state: 'ideal', memberCount: SIZE, principalCount: SIZE, successorsMax: 4 },
      ...{ stable: true, violations: [], unreachable: [] },
    });
    const result = await cli(['check', '--server', node.address]);
    expect(result).toMatchObject({ code: 0, out: `ideal: ${SIZE} members, ${SIZE} principals\n` });
  });

  it('shows the way of a lookup, from whoever is to do it', async () => {
    const from = nodes[5]!;
    const { origin, owner, hops, ringId } = await node.sdk.monitor.trace('a key', {
      from: from.ringId,
    });
    expect(origin.ringId).toBe(from.ringId);
    expect(owner.ringId).toBe(ringIds().find((it) => it >= ringId) ?? ringIds()[0]);
    if (owner.ringId !== from.ringId) expect(hops.at(-1)?.peer).toEqual(owner);
  });

  it('is counted', async () => {
    await node.sdk.dht.put('counted', 'a value');
    await node.sdk.dht.announceHolder('counted', '10.0.0.1', { ttlMs: 60_000 });
    await node.sdk.binder.register('counted', '127.0.0.1:9', { ttlMs: 60_000 });
    const all = await Promise.all(
      nodes.map(async ({ ringId }) => node.sdk.monitor.stats({ ringId })),
    );
    const sum = (of: (stats: (typeof all)[number]) => number): number =>
      all.reduce((total, stats) => total + of(stats), 0);
    expect(sum(({ keyCount }) => keyCount)).toBe(3);
    expect(sum(({ holderCount }) => holderCount)).toBe(3);
    expect((await node.sdk.monitor.stats()).endpointCount).toBe(1);
    for (const { peerCount, sentBytes } of all) {
      expect(peerCount).toBe(SIZE);
      expect(sentBytes).toBeGreaterThan(0);
    }
  });

  it('is watched: who comes and who is killed', async () => {
    const end = new AbortController();
    const seen: string[] = [];
    const watching = (async () => {
      for await (const event of node.sdk.monitor.watch({ signal: end.signal })) {
        if (event.kind === 'changed') seen.push(`changed ${event.view.peer.ringId}`);
        else if (event.kind !== 'snapshot') seen.push(`${event.kind} ${event.peer.ringId}`);
      }
    })();
    const comer = await net.start({ join: [node.address] });
    await until(() => (seen.includes(`changed ${comer.ringId}`) ? true : undefined), 5_000);
    await comer.end('SIGKILL');
    await until(() => (seen.includes(`unreachable ${comer.ringId}`) ? true : undefined), 5_000);
    end.abort();
    await watching;
  }, 30_000);

  it('refuses what is not there', async () => {
    const { monitor } = node.sdk;
    const free = ringIds()[0]! + 1;
    const notFound = { reason: 'PEER_NOT_FOUND' };
    await expect(monitor.routingTable(free)).rejects.toMatchObject(notFound);
    await expect(monitor.trace('a key', { from: free })).rejects.toMatchObject(notFound);
    await expect(monitor.stats({ ringId: free })).rejects.toMatchObject(notFound);
    await expect(monitor.routingTable(2 ** 31)).rejects.toMatchObject({
      reason: 'RING_ID_OUT_OF_RANGE',
    });
  });
});

describe('a ring that is broken on purpose', () => {
  it('is called broken, and the peer is named that has lost its successors', async () => {
    const [first] = nodes as [TestNode];
    const ringId = ringIds()[3]! + 1;
    const { log } = captureLog();
    const server = new RpcServer({ log, clock: systemClock });
    const address = await server.listen('127.0.0.1:0');
    const gone = { ringId: ringId + 1, address: '127.0.0.1:1', incarnation: 1 };
    const self = { ringId, address, incarnation: 1 };
    const view: PeerView = { self, predecessor: gone, successors: [gone], fingers: [] };
    server.add(NodeServiceService, { showPeer: async () => ({ view: viewToWire(view) }) });
    // The directory lists it, so it is asked.
    await call(first.address, 'ringbinder.v1.WelcomeService/Join', { peer: self });
    const verdict = await until(async () => {
      const found = await node.sdk.monitor.check();
      return found.state === 'broken' ? found : undefined;
    }, 10_000);
    expect(verdict.violations[0]).toMatchObject({
      rule: 'ONE_LIVE_SUCCESSOR',
      peers: [{ ringId, address }],
    });
    const result = await cli(['check', '--server', node.address]);
    expect(result.code).toBe(1);
    expect(result.out).toContain(`ONE_LIVE_SUCCESSOR: ${ringId} has no live successor`);
    await server.drain(0);
  }, 30_000);
});
