/**
 * Peer streams against a bare grpc-js echo in a process of its own, with the same client: to the node
 * itself and back, in chunks of 64 KiB and of 1 KiB, and from one node to another; then `rb pipe` against plain TCP.
 */
import type { Client } from '@grpc/grpc-js';
import { connect } from './calls.js';
import { measurePairs, type Side } from './paired.js';
import { pipeThroughput, tcpThroughput } from './pipe-load.js';
import { openCall, throughput } from './stream-load.js';
import { Workshop } from './workshop.js';

const ECHO = new URL('./stream-echo.js', import.meta.url).pathname;
const KIB = 1_024;
const LOAD_MS = 1_000;
const PIPE_BYTES = 64 * KIB * KIB;
const PAIRS = 25;
const QUICK_PAIRS = 7;
const TARGET = 0.8;

type Kind = { readonly what: string; readonly chunkBytes: number; readonly isAcross: boolean };

const KINDS: readonly Kind[] = [
  { what: 'to itself, 64 KiB', chunkBytes: 64 * KIB, isAcross: false },
  { what: 'to itself, 1 KiB', chunkBytes: KIB, isAcross: false },
  { what: 'across two nodes, 64 KiB', chunkBytes: 64 * KIB, isAcross: true },
  { what: 'across two nodes, 1 KiB', chunkBytes: KIB, isAcross: true },
];

export async function benchPeerStream({ isQuick }: { readonly isQuick: boolean }): Promise<void> {
  await using workshop = new Workshop();
  const pairs = isQuick ? QUICK_PAIRS : PAIRS;
  const address = await workshop.node(['--ephemeral']);
  const otherAddress = await workshop.node(['--ephemeral', '--join', address]);
  const [node, other] = [connect(address), connect(otherAddress)];
  const echo = connect(await workshop.script(ECHO, []));
  for (const { what, chunkBytes, isAcross } of KINDS) {
    const perSecond = async (): Promise<number> =>
      isAcross
        ? throughTwo(node, other, otherAddress, chunkBytes)
        : throughOne(node, address, chunkBytes);
    const ours = { name: what, perSecond: async () => mib(perSecond()) };
    const theirs = {
      name: 'bare grpc-js echo',
      perSecond: async () => mib(throughOne(echo, address, chunkBytes)),
    };
    await report(ours, theirs, pairs, isAcross ? '' : `, target ${TARGET.toFixed(2)}`);
  }
  const piped = {
    name: 'rb pipe across two nodes',
    perSecond: async () => mib(pipeThroughput(address, otherAddress, PIPE_BYTES)),
  };
  const plain = { name: 'plain TCP', perSecond: async () => mib(tcpThroughput(PIPE_BYTES)) };
  await report(piped, plain, pairs, '');
  for (const client of [node, other, echo]) client.close();
}

async function report(ours: Side, theirs: Side, pairs: number, aim: string): Promise<void> {
  process.stderr.write(`peer-stream: ${ours.name}, ${pairs} pairs\n`);
  const result = await measurePairs(ours, theirs, pairs);
  const [us, them] = [result.ours.toFixed(0), result.theirs.toFixed(0)];
  const [low, high] = result.interval.map((bound) => bound.toFixed(2));
  process.stdout.write(
    `peer-stream: ${ours.name} ${us} MiB/s, ${theirs.name} ${them} MiB/s, ratio ${result.ratio.toFixed(2)} (95 %: ${low} to ${high}${aim})\n`,
  );
}

async function throughOne(client: Client, address: string, chunkBytes: number): Promise<number> {
  const stream = openCall(client, { $case: 'toAddress', value: address });
  return throughput(stream, stream, chunkBytes, LOAD_MS);
}

async function throughTwo(
  node: Client,
  other: Client,
  otherAddress: string,
  chunkBytes: number,
): Promise<number> {
  const from = openCall(node, { $case: 'toAddress', value: otherAddress });
  const to = openCall(other, { $case: 'accept', value: {} });
  to.write({ action: { $case: 'finish', value: {} } });
  from.resume();
  return throughput(from, to, chunkBytes, LOAD_MS);
}

async function mib(bytesPerSecond: Promise<number>): Promise<number> {
  return (await bytesPerSecond) / 2 ** 20;
}
