import { describe, expect, it } from 'vitest';
import { CallError } from '../../clients/sdk/index.js';
import { TestNet, untilIdeal, type TestNode } from '../support/nodes.js';
import { until } from '../support/until.js';

const COUNT = 1_000;
const IN_FLIGHT = 16;

/** Reads an inbox for as long as the node lives. */
function readInbox(node: TestNode, arrived: Map<string, number>): void {
  void (async () => {
    for await (const { messageId } of node.sdk.peer.messages()) {
      arrived.set(messageId, (arrived.get(messageId) ?? 0) + 1);
    }
  })().catch(() => undefined);
}

describe('messages', () => {
  it('arrive once or are refused, while a peer is killed and another one joins', async () => {
    await using net = new TestNet();
    const nodes = [...(await net.ring(8))];
    await untilIdeal(nodes, 20_000);
    const arrived = new Map<string, number>();
    const outcomes = new Map<string, string>();
    for (const node of nodes) readInbox(node, arrived);
    const victim = nodes[5]!;
    const senders = nodes.filter((node) => node !== victim);
    const receivers = nodes.map(({ ringId }) => ringId);

    const send = async (index: number): Promise<void> => {
      const messageId = `message-${index}`;
      const sender = senders[(index * 7) % senders.length]!;
      const to = receivers[(index * 13) % receivers.length]!;
      try {
        await sender.sdk.peer.send(to, Buffer.from(messageId), { messageId });
        outcomes.set(messageId, 'delivered');
      } catch (thrown) {
        outcomes.set(messageId, thrown instanceof CallError ? thrown.reason : String(thrown));
      }
    };
    let next = 0;
    const worker = async (): Promise<void> => {
      while (next < COUNT) {
        const index = next;
        next += 1;
        if (index === 300) await victim.end('SIGKILL');
        if (index === 500) {
          const joined = await net.start({ join: [nodes[0]!.address] });
          readInbox(joined, arrived);
          receivers.push(joined.ringId);
        }
        await send(index);
      }
    };
    await Promise.all(Array.from({ length: IN_FLIGHT }, worker));

    expect(outcomes.size).toBe(COUNT);
    const delivered = [...outcomes].filter(([, outcome]) => outcome === 'delivered');
    const refusals = new Set([...outcomes.values()].filter((outcome) => outcome !== 'delivered'));
    expect(delivered.length).toBeGreaterThan(COUNT * 0.8);
    for (const reason of refusals) {
      expect(['PEER_NOT_FOUND', 'PEER_UNREACHABLE', 'LOOKUP_FAILED']).toContain(reason);
    }
    const isVictims = (id: string): boolean =>
      receivers[(Number(id.slice('message-'.length)) * 13) % 8] === victim.ringId;
    const mustArrive = delivered.map(([id]) => id).filter((id) => !isVictims(id));
    await until(
      () => (mustArrive.every((id) => arrived.has(id)) ? true : undefined),
      5_000,
      () => `missing: ${mustArrive.filter((id) => !arrived.has(id)).join(' ')}`,
    );
    expect([...arrived.values()].every((times) => times === 1)).toBe(true);
  }, 90_000);

  it('wait in the inbox until somebody reads, then are refused', async () => {
    await using net = new TestNet();
    const node = await net.start();
    for (let index = 0; index < 1_024; index += 1) {
      await node.sdk.peer.send(node.ringId, Buffer.from(String(index)));
    }
    const refused = node.sdk.peer.send(node.ringId, Buffer.from('one too many'));
    await expect(refused).rejects.toMatchObject({
      reason: 'INBOX_FULL',
      status: 'RESOURCE_EXHAUSTED',
    });
    const read: string[] = [];
    for await (const { payload } of node.sdk.peer.messages()) {
      read.push(Buffer.from(payload).toString());
      if (read.length === 1_024) break;
    }
    expect(read).toEqual(Array.from({ length: 1_024 }, (_, index) => String(index)));
  });

  it('with the same message ID arrive once', async () => {
    await using net = new TestNet();
    const [one, other] = await net.ring(2);
    const arrived: string[] = [];
    await other!.sdk.peer.send(one!.ringId, Buffer.from('first'), { messageId: 'same' });
    await other!.sdk.peer.send(one!.ringId, Buffer.from('again'), { messageId: 'same' });
    await other!.sdk.peer.send(one!.ringId, Buffer.from('last'));
    for await (const { payload } of one!.sdk.peer.messages()) {
      arrived.push(Buffer.from(payload).toString());
      if (arrived.length === 2) break;
    }
    expect(arrived).toEqual(['first', 'last']);
  });

  it('are refused at once when nobody has the ring ID', async () => {
    await using net = new TestNet();
    const nodes = await net.ring(3);
    const nobody = nodes.map(({ ringId }) => ringId).includes(7) ? 8 : 7;
    const refused = nodes[1]!.sdk.peer.send(nobody, Buffer.from('hello?'));
    await expect(refused).rejects.toMatchObject({ reason: 'PEER_NOT_FOUND', status: 'NOT_FOUND' });
  });
});
