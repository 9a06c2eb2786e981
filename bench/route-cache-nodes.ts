/** Eight nodes on loopback, each a process: lookups through one of them, with the cache and without. */
import { spawn, type ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import { Ringbinder, type LookupOptions } from '../clients/sdk/index.js';
import { below, seededChance } from '../services/system/chance.js';
import { LookupTally } from './lookup-tally.js';
import { RING_SIZE } from './grown-ring.js';

const CLI = new URL('../clients/cli/main.js', import.meta.url).pathname;
const NODES = 8;
const ROUNDS = 1_500;
const WARM_UP_ROUNDS = 200;
/** A small ring stabilizes every second. */
const SETTLE_MS = 8_000;

const MANNERS: readonly (readonly [string, LookupOptions])[] = [
  ['with cache', {}],
  ['without', { skipRouteCache: true }],
  ['recursive, without', { skipRouteCache: true, mode: 'recursive' }],
  ['parallel 3, without', { skipRouteCache: true, parallelism: 3 }],
];

export async function benchRealNodes(): Promise<void> {
  const processes: ChildProcess[] = [];
  const nodes: Ringbinder[] = [];
  try {
    for (let count = 0; count < NODES; count += 1) {
      const node = await startNode(processes, nodes[0]?.address);
      nodes.push(node);
    }
    await new Promise((wake) => setTimeout(wake, SETTLE_MS));
    const tallies = await measure(nodes);
    process.stdout.write(`route-cache: ${NODES} processes on loopback, one lookup at a time\n`);
    for (const tally of tallies) process.stdout.write(`  ${tally.toString()}\n`);
  } finally {
    for (const node of nodes) node.close();
    for (const child of processes) child.kill('SIGKILL');
  }
}

async function measure(nodes: readonly Ringbinder[]): Promise<readonly LookupTally[]> {
  const chance = seededChance(1);
  const tallies = MANNERS.map(([name]) => new LookupTally(name));
  for (let round = -WARM_UP_ROUNDS; round < ROUNDS; round += 1) {
    const asker = nodes[below(chance, NODES)];
    const position = below(chance, RING_SIZE);
    for (const [index, [, options]] of MANNERS.entries()) {
      const start = performance.now();
      const found = await asker?.peer.lookupRingId(position, options);
      const ms = performance.now() - start;
      if (round >= 0) tallies[index]?.add(found?.hops.length, ms);
    }
  }
  return tallies;
}

/** Resolves when the node is in the ring. */
async function startNode(
  processes: ChildProcess[],
  contact: string | undefined,
): Promise<Ringbinder> {
  const joining = contact === undefined ? [] : ['--join', contact];
  const args = [CLI, 'serve', '--listen', '127.0.0.1:0', '--ephemeral', ...joining];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  processes.push(child);
  for await (const line of createInterface({ input: child.stderr })) {
    const record = JSON.parse(line) as { readonly msg?: string; readonly address?: string };
    if (record.msg !== 'ringbinder ready') continue;
    child.stderr.resume();
    return new Ringbinder(record.address ?? '');
  }
  throw new Error('a node ended before it was ready');
}
