/**
 * Finding the ring to join: asks the nodes at some addresses what ring they belong to.
 *
 * Nodes of different rings, a ring other than the one in the data directory, and this node itself
 * are told apart here, before anything is joined.
 */
import type { DescribeNodeResponse } from '../../proto/gen/ringbinder/internal/v1/node_service.js';
import type { PeerRef } from '../peer/core/ring-space.js';
import { peerFromWire, stageFromWire } from '../peer/wire.js';
import { StartError } from './start-error.js';

export type Ring = {
  readonly name: string;
  readonly size: number;
  readonly successorsMax: number;
  /** N: copies of each record of the table. */
  readonly copies: number;
  /** Where the directory is, `host:port`. */
  readonly directoryAddress: string;
};

export type FoundRing = Ring & {
  /** Members among the nodes that answered. */
  readonly members: readonly PeerRef[];
};

export type RingFinderDeps = {
  readonly describe: (address: string) => Promise<DescribeNodeResponse>;
  /** Random name of this process. */
  readonly processName: string;
  /** Name of the ring in the data directory; undefined for any. */
  readonly ringName: string | undefined;
};

/** How many nodes are asked at once. */
const ASKED_MAX = 32;

/** Returns the ring, or undefined when nobody answers who knows it; throws a `StartError`. */
export async function findRing(
  addresses: readonly string[],
  { describe, processName, ringName }: RingFinderDeps,
): Promise<FoundRing | undefined> {
  const asked = addresses.slice(0, ASKED_MAX);
  const answers = await Promise.all(
    asked.map(async (address) => describe(address).catch(() => undefined)),
  );
  const isMyself = (it: DescribeNodeResponse | undefined): boolean =>
    it?.processName === processName;
  if (answers.length > 0 && answers.every(isMyself)) {
    throw new StartError(`--join names this node itself: ${asked.join(', ')}`);
  }
  const others = answers.flatMap((it) =>
    it === undefined || isMyself(it) || it.ringName === '' ? [] : [it],
  );
  return others.length === 0 ? undefined : theRingOf(others, ringName);
}

function theRingOf(
  nodes: readonly DescribeNodeResponse[],
  expected: string | undefined,
): FoundRing | undefined {
  const names = [...new Set(nodes.map(({ ringName }) => ringName))];
  const [name] = names;
  const node = nodes.find(({ stage }) => stageFromWire(stage) === 'member') ?? nodes[0];
  if (node === undefined || name === undefined) return undefined;
  if (names.length > 1) {
    throw new StartError(`the nodes to join belong to different rings: ${names.join(', ')}`);
  }
  if (expected !== undefined && name !== expected) {
    throw new StartError(
      `the data directory belongs to the ring ${expected}, the nodes to join to ${name}`,
    );
  }
  const size = Number(node.ringSize);
  const members = nodes.flatMap((it) => memberOf(it, size) ?? []);
  const { successorsMax, copies, directoryAddress } = node;
  return { name, size, successorsMax, copies, directoryAddress, members };
}

function memberOf({ self, stage }: DescribeNodeResponse, size: number): PeerRef | undefined {
  if (self === undefined || stageFromWire(stage) !== 'member') return undefined;
  try {
    return peerFromWire(self, size);
  } catch (cause) {
    const text = `the node at ${self.address} calls itself peer ${String(self.ringId)} of a ring of ${size} positions`;
    throw new StartError(text, cause);
  }
}
