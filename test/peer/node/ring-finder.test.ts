import { describe, expect, it } from 'vitest';
import { DescribeNodeResponse } from '../../../proto/gen/ringbinder/internal/v1/node_service.js';
import { PeerStage } from '../../../proto/gen/ringbinder/v1/peer_service.js';
import { findRing } from '../../../services/node/ring-finder.js';
import { StartError } from '../../../services/node/start-error.js';
import { peerToWire } from '../../../services/peer/wire.js';
import { peer } from '../ring-text.js';

type Nodes = Readonly<Record<string, Partial<DescribeNodeResponse>>>;

const node = (ringId: number, changes: Partial<DescribeNodeResponse> = {}) => ({
  ringName: 'blue',
  ringSize: 64n,
  successorsMax: 3,
  copies: 2,
  directoryAddress: 'd:1',
  processName: `process ${ringId}`,
  self: peerToWire(peer(ringId)),
  stage: PeerStage.PEER_STAGE_MEMBER,
  ...changes,
});

/** Asks these addresses as the process `me`; whoever is not among the nodes does not answer. */
function find(nodes: Nodes, addresses = Object.keys(nodes), ringName?: string) {
  const asked: string[] = [];
  const describeNode = async (address: string) => {
    asked.push(address);
    const found = nodes[address];
    if (found === undefined) throw new Error('nobody there');
    return DescribeNodeResponse.fromPartial(found);
  };
  const deps = { describe: describeNode, processName: 'me', ringName };
  return { finding: findRing(addresses, deps), asked };
}

const BLUE = { name: 'blue', size: 64, successorsMax: 3, copies: 2, directoryAddress: 'd:1' };

describe('findRing', () => {
  it('finds the ring that all belong to, and its members', async () => {
    const joining = node(30, { stage: PeerStage.PEER_STAGE_JOINING });
    const nodes = { a: node(10), b: node(20), c: joining, d: node(40, { self: undefined }) };
    expect(await find(nodes).finding).toEqual({ ...BLUE, members: [peer(10), peer(20)] });
  });

  it('finds it through whoever answers', async () => {
    const { finding } = find({ b: node(20) }, ['a', 'b', 'c']);
    expect(await finding).toEqual({ ...BLUE, members: [peer(20)] });
  });

  it.each<{ title: string; nodes: Nodes }>([
    { title: 'nobody answers', nodes: {} },
    { title: 'nobody knows a ring yet', nodes: { a: node(10, { ringName: '' }) } },
    {
      title: 'only this node itself and silence answer',
      nodes: { a: node(10, { processName: 'me' }) },
    },
  ])('finds none when $title', async ({ nodes }) => {
    expect(await find(nodes, ['a', 'b']).finding).toBeUndefined();
  });

  it('refuses a node that stands outside its own ring', async () => {
    const nodes = { a: node(10, { self: peerToWire(peer(64)) }) };
    await expect(find(nodes).finding).rejects.toThrow(
      new StartError('the node at p64 calls itself peer 64 of a ring of 64 positions'),
    );
  });

  it('finds none without an address', async () => {
    expect(await find({}).finding).toBeUndefined();
  });

  it('does not count itself, nor who knows no ring', async () => {
    const nodes = {
      a: node(10, { processName: 'me', ringName: 'red' }),
      b: node(20, { ringName: '' }),
      c: node(30),
    };
    expect(await find(nodes).finding).toEqual({ ...BLUE, members: [peer(30)] });
  });

  it('refuses to join itself', async () => {
    const { finding } = find({
      a: node(10, { processName: 'me' }),
      b: node(10, { processName: 'me' }),
    });
    await expect(finding).rejects.toThrow(StartError);
    await expect(finding).rejects.toThrow('--join names this node itself: a, b');
  });

  it('refuses two rings', async () => {
    const { finding } = find({ a: node(10), b: node(20, { ringName: 'red' }) });
    await expect(finding).rejects.toThrow(StartError);
    await expect(finding).rejects.toThrow('different rings: blue, red');
  });

  it('refuses another ring than the one that it remembers', async () => {
    const { finding } = find({ a: node(10) }, ['a'], 'red');
    await expect(finding).rejects.toThrow(StartError);
    await expect(finding).rejects.toThrow('belongs to the ring red, the nodes to join to blue');
    expect(await find({ a: node(10) }, ['a'], 'blue').finding).toMatchObject(BLUE);
  });

  it('asks no more than 32 nodes', async () => {
    const addresses = Array.from({ length: 40 }, (_, index) => `n${index}`);
    const { finding, asked } = find({}, addresses);
    await finding;
    expect(asked).toEqual(addresses.slice(0, 32));
  });
});
