/**
 * Mean forwards of a finger lookup in the simulator, production core, N = 1,024, against ½·log2 N
 * (Chord, section 5.3).
 *
 * Counting rule: a forward is a peer that was asked on the way; neither the peer that looks up nor the
 * owner counts. Lists of one successor, as in the paper's formula; with r = 4 lists the last steps get
 * shorter, which is printed beside it.
 */
import { MEMBER_LIMITS } from '../services/peer/core/member.js';
import { World } from '../services/simulator/world.js';
import { below, oneOf, seededChance } from '../services/system/chance.js';
import { growRing, RING_SIZE } from './ring-growth.js';

const NODES = 1_024;
const LOOKUPS = 10_000;

export async function benchLookupHops(): Promise<void> {
  const expected = Math.log2(NODES) / 2;
  for (const successorsMax of [1, 4]) {
    const start = performance.now();
    const mean = await meanForwards(successorsMax);
    const seconds = ((performance.now() - start) / 1_000).toFixed(0);
    process.stdout.write(
      `lookup-hops: N = ${NODES}, r = ${successorsMax}: ${mean.toFixed(2)} forwards, ` +
        `½·log2 N = ${expected.toFixed(2)}, ratio ${(mean / expected).toFixed(3)} ` +
        `(${LOOKUPS} lookups, ${seconds} s)\n`,
    );
  }
}

async function meanForwards(successorsMax: number): Promise<number> {
  const chance = seededChance(1);
  const limits = { ...MEMBER_LIMITS, ringSize: RING_SIZE, successorsMax, routesMax: 0 };
  const world = new World(limits, chance);
  growRing(world, chance, NODES);
  const members = world.members;
  let forwards = 0;
  let done = 0;
  for (let index = 0; index < LOOKUPS; index += 1) {
    const asker = oneOf(chance, members);
    asker?.member?.lookup(below(chance, RING_SIZE), ({ owner, hops }) => {
      if (owner === undefined) throw new Error('a lookup failed on a ring at rest');
      forwards += Math.max(0, hops.length - 1);
      done += 1;
    });
    while (done <= index && world.timeline.runNext());
  }
  return forwards / done;
}
