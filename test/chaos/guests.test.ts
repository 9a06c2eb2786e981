/** What becomes of guests whose node is killed, and of the ring that they stood in. */
import { describe, expect, it } from 'vitest';
import { collect } from '../support/collect.js';
import { legacyFlags } from '../support/legacy-flags.js';
import { askLine, LegacyPeer } from '../support/legacy-peer.js';
import { TestNet, type TestNode } from '../support/nodes.js';
import { until } from '../support/until.js';

const at = (node: TestNode, port: string): string =>
  (node.record('ringbinder ready')!['legacy'] as Record<string, string>)[`ring ${port}`]!;

describe('a node that is killed', () => {
  it('takes its guests with it, and nothing else', async () => {
    await using net = new TestNet();
    const place = (host: string) => {
      const port = `${host}:0`;
      const ports = { 'ring-hash': port, 'ring-welcome': port, 'ring-peer': port };
      return { listen: port, flags: [...legacyFlags(ports), '--membership-ttl-ms', '5000'] };
    };
    const founder = await net.start(place('127.0.2.1'));
    const join = [founder.address];
    const host = await net.start({ ...place('127.0.2.2'), join });
    const third = await net.start({ ...place('127.0.2.3'), join });
    const guests: LegacyPeer[] = [];
    for (const [number, node] of [host, host, host, third].entries()) {
      const peerPort = Number(at(node, 'peer').split(':')[1]);
      const guest = await LegacyPeer.listen(`127.0.2.${11 + number}`, peerPort);
      guests.push(guest);
      await guest.enter(at(node, 'hash'), at(node, 'welcome'));
    }
    const keys = Array.from({ length: 100 }, (_, number) => `key ${number}`);
    for (const key of keys) await founder.sdk.dht.put(key, key);

    await host.end('SIGKILL');
    const rest = [founder, third];
    const ids = (peers: readonly { readonly ringId: number }[]): string =>
      peers.map(({ ringId }) => ringId).join();
    const last = guests[3]!;
    const expected = [...rest.map(({ ringId }) => ringId), Number(last.ringId)];
    await until(
      async () => {
        const listed = await collect(founder.sdk.welcome.peers());
        const wanted = expected.toSorted((one, other) => one - other).join();
        return ids(listed) === wanted ? true : undefined;
      },
      15_000,
      () => 'the directory still lists who is gone',
    );
    // What is gone is gone at once, and what is there is whole.
    await expect(
      founder.sdk.peer.send(Number(guests[0]!.ringId), Buffer.from('?')),
    ).rejects.toMatchObject({
      reason: 'PEER_NOT_FOUND',
    });
    await founder.sdk.peer.send(Number(last.ringId), Buffer.from('still there?'));
    await until(() => last.received.find(({ text }) => text === 'still there?'), 5_000);
    for (const key of keys) {
      const found = await third.sdk.dht.get(key);
      expect(Buffer.from(found!.value).toString()).toBe(key);
    }
    // A program whose node died enters again by another one, under its old ring ID.
    const [orphan] = guests as [LegacyPeer];
    const { ringId } = orphan;
    expect(await askLine(at(third, 'hash'), orphan.host)).toEqual([ringId]);
    expect(await askLine(at(third, 'welcome'), `yo:${ringId}:${orphan.host}`)).toEqual([
      '127.0.2.3',
    ]);
    await Promise.all(guests.map(async (guest) => guest[Symbol.asyncDispose]()));
  }, 90_000);
});
