/** Simulated rings of a given size, at rest, for the benches. */
import type { World, SimNode } from '../services/simulator/world.js';
import { below, oneOf, type Chance } from '../services/system/chance.js';

/** Virtual time for a batch of joiners to settle, and for all finger tables to fill. */
const SETTLE_MS = 8_000;
const FILL_MS = 30_000;

export const RING_SIZE = 2 ** 31;

/** Doubles the ring until it has all its nodes, and lets their finger tables fill. */
export function growRing(world: World, chance: Chance, nodes: number): void {
  world.start(newNode(world, chance)).found();
  while (world.nodes.size < nodes) {
    const peers = world.members.flatMap(({ member }) => member?.state.self ?? []);
    const count = Math.min(peers.length, nodes - world.nodes.size);
    for (let index = 0; index < count; index += 1) {
      const contact = oneOf(chance, peers);
      if (contact !== undefined) world.start(newNode(world, chance)).join([contact]);
    }
    runFor(world, SETTLE_MS);
  }
  runFor(world, FILL_MS);
}

export function newNode(world: World, chance: Chance): SimNode {
  return world.addNode(`p${world.nodes.size}`, below(chance, RING_SIZE));
}

export function runFor(world: World, ms: number): void {
  const end = world.timeline.now + ms;
  while (world.timeline.now < end && world.timeline.runNext());
}
