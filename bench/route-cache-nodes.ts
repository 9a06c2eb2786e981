/** Eight nodes on loopback, each a process: lookups through one of them, with the cache and without. */
import type { LookupOptions } from '../clients/sdk/index.js';
import { seededChance, below } from '../services/system/chance.js';
import { TestNet, untilIdeal } from '../test/support/nodes.js';
import { LookupTally } from './lookup-tally.js';
import { RING_SIZE } from './ring-growth.js';

const NODES = 8;
const ROUNDS = 1_500;
const WARM_UP_ROUNDS = 200;
const SETTLE_MS_MAX = 30_000;

const MANNERS: readonly (readonly [string, LookupOptions])[] = [
  ['with cache', {}],
  ['without', { skipRouteCache: true }],
  ['recursive, without', { skipRouteCache: true, mode: 'recursive' }],
  ['parallel 3, without', { skipRouteCache: true, parallelism: 3 }],
];

export async function benchRealNodes(): Promise<void> {
  await using net = new TestNet();
  const nodes = await net.ring(NODES);
  await untilIdeal(nodes, SETTLE_MS_MAX);
  const chance = seededChance(1);
  const tallies = MANNERS.map(([name]) => new LookupTally(name));
  for (let round = -WARM_UP_ROUNDS; round < ROUNDS; round += 1) {
    const asker = nodes[below(chance, NODES)];
    const position = below(chance, RING_SIZE);
    for (const [index, [, options]] of MANNERS.entries()) {
      const start = performance.now();
      const found = await asker?.sdk.peer.lookupRingId(position, options);
      const ms = performance.now() - start;
      if (round >= 0) tallies[index]?.add(found?.hops.length, ms);
    }
  }
  process.stdout.write(`route-cache: ${NODES} processes on loopback, one lookup at a time\n`);
  for (const tally of tallies) process.stdout.write(`  ${tally.toString()}\n`);
}
