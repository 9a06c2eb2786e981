/** Original peers of dialect ring as guests of real nodes, and an original monitor's questions. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { collect } from '../support/collect.js';
import { cli } from '../support/cli.js';
import { legacyFlags } from '../support/legacy-flags.js';
import { askLine, LegacyPeer } from '../support/legacy-peer.js';
import { TestNet, type TestNode } from '../support/nodes.js';
import { until } from '../support/until.js';

let net: TestNet;
let nodes: readonly TestNode[];
let guests: readonly LegacyPeer[];

/** Each node has legacy peers of its own, on hosts of their own. */
beforeAll(async () => {
  net = new TestNet();
  const started: TestNode[] = [];
  for (const host of ['127.0.1.1', '127.0.1.2', '127.0.1.3']) {
    const place = `${host}:0`;
    const ports = { 'ring-hash': place, 'ring-welcome': place, 'ring-monitor': place };
    const join = started[0] === undefined ? [] : [started[0].address];
    const flags = legacyFlags({ ...ports, 'ring-peer': place });
    started.push(await net.start({ listen: place, join, flags }));
  }
  nodes = started;
  guests = await Promise.all(
    nodes.map(async (node, index) => {
      const peer = await LegacyPeer.listen(`127.0.1.${11 + index}`, portOf(at(node, 'peer')));
      await peer.enter(at(node, 'hash'), at(node, 'welcome'));
      return peer;
    }),
  );
}, 60_000);

afterAll(async () => {
  await Promise.all(guests.map(async (guest) => guest[Symbol.asyncDispose]()));
  await net[Symbol.asyncDispose]();
});

const at = (node: TestNode, port: string): string =>
  (node.record('ringbinder ready')!['legacy'] as Record<string, string>)[`ring ${port}`]!;
const portOf = (address: string): number => Number(address.split(':')[1]);
const text = (payload: Uint8Array): string => Buffer.from(payload).toString();

/** All ring IDs, in ring order. */
const ringIds = (): readonly string[] =>
  [...nodes.map(({ ringId }) => String(ringId)), ...guests.map(({ ringId }) => ringId)].sort(
    (one, other) => Number(one) - Number(other),
  );

describe('guests', () => {
  it('are members, listed with their dialect', async () => {
    const peers = await collect(nodes[1]!.sdk.welcome.peers());
    expect(peers.map(({ ringId }) => String(ringId))).toEqual(ringIds());
    const addresses = peers.map(({ address }) => address);
    for (const { host } of guests) expect(addresses).toContain(`ring://${host}`);
  });

  it('stand in the tables of their neighbours, who stand in theirs', async () => {
    const ids = ringIds();
    const after = (ringId: string): string => ids[(ids.indexOf(ringId) + 1) % ids.length]!;
    const before = (ringId: string): string => ids.at(ids.indexOf(ringId) - 1)!;
    for (const node of nodes) {
      await until(async () => {
        const { predecessor, successors } = await node.sdk.peer.neighbors();
        const [successor] = successors;
        const own = String(node.ringId);
        const fits =
          String(successor?.ringId) === after(own) && String(predecessor?.ringId) === before(own);
        return fits ? true : undefined;
      }, 10_000);
    }
    for (const guest of guests) {
      const seen = () => [guest.predecessor?.split(':')[0], guest.successor?.split(':')[0]];
      const ideal = [before(guest.ringId), after(guest.ringId)];
      await until(
        () => (seen().join() === ideal.join() ? true : undefined),
        10_000,
        () => `${seen().join()} is not ${ideal.join()}`,
      );
    }
  });

  it('get messages of each other, wherever their hosts are', async () => {
    for (const from of guests) {
      for (const to of guests) {
        const message = `from ${from.host}: to ${to.host}`;
        const [answer] = await from.send(to.ringId, message);
        expect(answer).toBe('message transmis au successeur.');
        const arrived = await until(
          () => to.received.find((received) => received.text === message),
          5_000,
        );
        expect(arrived.sender).toBe(from.host);
      }
    }
  });

  it('send to inboxes, and get what is sent over gRPC', async () => {
    for (const [index, node] of nodes.entries()) {
      const guest = guests[(index + 1) % guests.length]!;
      const end = new AbortController();
      const inbox = node.sdk.peer.messages({ signal: end.signal });
      await guest.send(String(node.ringId), 'hello, é');
      const { value } = await inbox.next();
      expect(text(value!.payload)).toBe('hello, é');
      expect(String(value!.fromRingId)).toBe(guest.ringId);
      end.abort();
      await node.sdk.peer.send(Number(guest.ringId), Buffer.from('two\nlines'));
      await until(() => guest.received.find((received) => received.text === 'two lines'), 5_000);
    }
  });

  it('get a message once that is sent again', async () => {
    const [guest] = guests as [LegacyPeer];
    const { peer } = nodes[1]!.sdk;
    const said = (text: string): number =>
      guest.received.filter((received) => received.text === text).length;
    for (const text of ['said twice', 'said twice', 'said later']) {
      await peer.send(Number(guest.ringId), Buffer.from(text), { messageId: text });
    }
    await until(() => (said('said later') === 1 ? true : undefined), 5_000);
    expect(said('said twice')).toBe(1);
  });

  it('are told at once that nobody has a ring ID', async () => {
    const free = ringIds().includes('7') ? '8' : '7';
    const [answer] = await guests[0]!.send(free, 'hello?');
    expect(answer).toBe(`Aucun membre du réseau n'a pour hash : ${free}`);
  });

  it('keep no records: the table goes on beside them', async () => {
    const keys = Array.from({ length: 50 }, (_, number) => `key ${number}`);
    for (const key of keys) {
      const { receipt } = await nodes[0]!.sdk.dht.put(key, `value of ${key}`);
      expect(nodes.map(({ ringId }) => ringId)).toContain(receipt.owner?.ringId);
    }
    for (const key of keys) {
      const found = await nodes[2]!.sdk.dht.get(key);
      expect(text(found!.value)).toBe(`value of ${key}`);
    }
  });
});

describe('an original monitor', () => {
  it('lists all peers, and shows the tables of nodes and guests', async () => {
    const welcome = ['--welcome', at(nodes[1]!, 'welcome')];
    const { out } = await cli(['--json', 'legacy', 'ring', 'list', ...welcome]);
    const listed = out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { ringId: number });
    expect(listed.map(({ ringId }) => String(ringId))).toEqual(ringIds());
    const base = await askLine(at(nodes[1]!, 'welcome'), `rt?:${guests[0]!.ringId}`);
    expect(base).toHaveLength(32);
    expect(base.at(-1)).toBe('end');
    const own = await askLine(at(nodes[1]!, 'monitor'), 'rt?');
    expect(own[0]).toMatch(new RegExp(`^${nodes[1]!.ringId}:\\d+:127\\.0\\.1\\.`));
    expect(own.at(-1)).toBe('end');
  });
});

describe('a guest that leaves', () => {
  it('is out at once, whichever server it tells, and may come back', async () => {
    const [first, second] = nodes as [TestNode, TestNode];
    const guest = guests[0]!;
    const yo = `yo:${guest.ringId}:${guest.host}`;
    expect(await askLine(at(second, 'welcome'), yo)).toEqual(['wrq']);
    expect(await askLine(at(second, 'welcome'), `a+:${guest.ringId}`)).toEqual(['ok']);
    await until(async () => {
      const answer = await askLine(at(second, 'welcome'), `ip?:${guest.ringId}`);
      return answer.join() === 'ukh' ? true : undefined;
    }, 5_000);
    expect(await askLine(at(second, 'welcome'), `a+:${guest.ringId}`)).toEqual(['wrq']);
    expect(await askLine(at(second, 'welcome'), `a+:${first.ringId}`)).toEqual(['wrq']);
    expect(await askLine(at(first, 'welcome'), yo)).toEqual(['127.0.1.1']);
  });
});
