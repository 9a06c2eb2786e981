/** Peer streams as tests use them: what comes, what is sent, and how many connections carry them. */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import type { Readable } from 'node:stream';
import { PeerServiceService } from '../../proto/gen/ringbinder/v1/peer_service.js';
import { NodeChannel } from '../../clients/sdk/channel.js';
import type { PeerStream } from '../../clients/sdk/index.js';
import { connectionsTo } from './connections.js';
import type { TestNode } from './nodes.js';

/** All that still comes; the stream stays open in the other direction. */
export async function restOf(stream: Readable): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream.iterator({ destroyOnReturn: false })) {
    chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks);
}

/** Exactly so many bytes of what comes. */
export async function take(stream: PeerStream, bytes: number): Promise<Buffer> {
  return new Promise((resolve) => {
    const look = (): void => {
      const found = stream.read(bytes) as Buffer | null;
      if (found === null) return;
      stream.off('readable', look);
      resolve(found);
    };
    stream.on('readable', look);
    look();
  });
}

/** Reads all that comes, and resolves with how much that was and its digest. */
export async function digestOf(stream: PeerStream): Promise<{ bytes: number; sha256: string }> {
  const hash = createHash('sha256');
  let bytes = 0;
  for await (const chunk of stream.iterator({ destroyOnReturn: false })) {
    hash.update(chunk as Buffer);
    bytes += (chunk as Buffer).length;
  }
  return { bytes, sha256: hash.digest('hex') };
}

/** Writes until nothing is taken for so long; resolves with how many bytes that were. */
export async function writeUntilStuck(stream: PeerStream, stuckMs: number): Promise<number> {
  const chunk = Buffer.alloc(64 * 1_024, 7);
  let bytes = 0;
  for (;;) {
    bytes += chunk.length;
    if (stream.write(chunk)) continue;
    const drained = once(stream, 'drain').then(() => true);
    const isStuck = new Promise<boolean>((wake) => setTimeout(() => wake(false), stuckMs));
    if (!(await Promise.race([drained, isStuck]))) return bytes;
  }
}

/** One that each of two nodes opens to the other at the same time. */
export function crossed(
  one: TestNode,
  other: TestNode,
  name = '',
): readonly [PeerStream, PeerStream] {
  return [
    one.sdk.peer.stream(other.address, { name }),
    other.sdk.peer.stream(one.address, { name }),
  ];
}

/** How many connections two nodes have with each other, whoever dialled. */
export function connectionsBetween(one: TestNode, other: TestNode): number {
  const dialled = (from: TestNode, to: TestNode): number =>
    connectionsTo(Number(to.address.split(':').at(-1)), from.process.pid ?? 0);
  return dialled(one, other) + dialled(other, one);
}

/** A call of OpenStream in which any message can be sent. */
export function rawOpenStream(node: TestNode) {
  const channel = new NodeChannel(node.address);
  const call = channel.duplex(PeerServiceService.openStream);
  call.on('data', () => undefined);
  const failure = new Promise<Error>((resolve) => call.once('error', resolve));
  return { call, failure, close: () => channel.close() };
}
