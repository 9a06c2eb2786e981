/** Eight nodes on loopback, each a process: lookups through one of them, with the cache and without. */
import { Ringbinder, type LookupOptions } from '../clients/sdk/index.js';
import { below, seededChance } from '../services/system/chance.js';
import { LookupTally } from './lookup-tally.js';
import { RING_SIZE } from './grown-ring.js';
import { Workshop } from './workshop.js';

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
  await using workshop = new Workshop();
  const nodes: Ringbinder[] = [];
  try {
    for (let count = 0; count < NODES; count += 1) {
      const contact = nodes[0]?.address;
      const joining = contact === undefined ? [] : ['--join', contact];
      nodes.push(new Ringbinder(await workshop.node(['--ephemeral', ...joining])));
    }
    await new Promise((wake) => setTimeout(wake, SETTLE_MS));
    const tallies = await measure(nodes);
    process.stdout.write(`route-cache: ${NODES} processes on loopback, one lookup at a time\n`);
    for (const tally of tallies) process.stdout.write(`  ${tally.toString()}\n`);
  } finally {
    for (const node of nodes) node.close();
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
