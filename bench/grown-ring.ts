/**
 * A ring grown in the simulator by real joins, run until every pointer and finger is true: the ring
 * "after stabilization" of the paper's experiments.
 */
import { judge } from '../services/peer/core/invariants.js';
import { MEMBER_LIMITS, type MemberLimits } from '../services/peer/core/member.js';
import { clockwise, distance, firstAt, type PeerRef } from '../services/peer/core/ring-space.js';
import type { NetworkFaults } from '../services/simulator/plan.js';
import type { SimNode } from '../services/simulator/sim-node.js';
import { World } from '../services/simulator/world.js';
import { below, oneOf, seededChance, type Chance } from '../services/system/chance.js';

export const RING_SIZE = 2 ** 31;
/** Virtual time between two looks whether the ring is ideal, and after which one is overdue. */
const LOOK_MS = 1_000;
const SETTLE_MS_MAX = 600_000;
/** Members that a joiner may join through, in case some of them are gone by then. */
const CONTACTS = 3;

export type RingOptions = {
  readonly nodes: number;
  /** r: length of the successor list. */
  readonly successorsMax: number;
  readonly seed: number;
  readonly network?: NetworkFaults;
  readonly limits?: Partial<MemberLimits>;
};

export type GrownRing = {
  readonly world: World;
  readonly chance: Chance;
  readonly newNode: () => SimNode;
  /** Starts one more node, which joins through some of these members, and is one some time later. */
  readonly join: (members: readonly SimNode[]) => void;
};

/**
 * Grows a ring to its size, doubling it with each batch of joiners.
 *
 * `knownMax` and `routesMax` are 0 unless given: the search for peers of another ring and the route
 * cache, which Chord does not have, are off.
 */
export function growRing(options: RingOptions): GrownRing {
  const { nodes, successorsMax, seed, network, limits } = options;
  const chance = seededChance(seed);
  const plain = { ...MEMBER_LIMITS, knownMax: 0, routesMax: 0 };
  const all = { ...plain, ringSize: RING_SIZE, successorsMax, ...limits };
  const world = new World(all, chance);
  if (network !== undefined) world.network.faults = network;
  const taken = new Set<number>();
  const nextNode = (): SimNode => newNode(world, chance, taken);
  const join = (members: readonly SimNode[]): void => {
    const contacts = Array.from({ length: CONTACTS }, () => oneOf(chance, members));
    const peers = contacts.flatMap((node) => node?.member?.state.self ?? []);
    world.start(nextNode()).join(peers);
  };
  world.start(nextNode()).found();
  while (world.nodes.size < nodes) {
    const { members } = world;
    const count = Math.min(members.length, nodes - members.length);
    for (let index = 0; index < count; index += 1) join(members);
    runUntil(world, () => isSettled(world, successorsMax));
  }
  runUntil(world, () => haveTrueFingers(world));
  return { world, chance, newNode: nextNode, join };
}

export function runFor({ timeline }: World, ms: number): void {
  const end = timeline.now + ms;
  while (timeline.now < end && timeline.runNext());
}

function newNode(world: World, chance: Chance, taken: Set<number>): SimNode {
  for (;;) {
    const ringId = below(chance, RING_SIZE);
    if (taken.has(ringId)) continue;
    taken.add(ringId);
    return world.addNode(`p${world.nodes.size}`, ringId);
  }
}

function runUntil(world: World, isDone: () => boolean): void {
  const end = world.timeline.now + SETTLE_MS_MAX;
  while (!isDone()) {
    if (world.timeline.now > end) throw new Error('the ring did not become ideal');
    runFor(world, LOOK_MS);
  }
}

function isSettled(world: World, successorsMax: number): boolean {
  const views = world.views('now');
  return views.length === world.nodes.size && judge(views, successorsMax).isIdeal;
}

/** Whether every finger beyond the successor list names the owner of its position. */
function haveTrueFingers({ members }: World): boolean {
  const ring = members.flatMap(({ member }) => member?.state.self ?? []);
  ring.sort((one, other) => one.ringId - other.ringId);
  return members.every(({ member }) => {
    const { self, successors } = member?.state ?? {};
    const last = successors?.at(-1);
    if (member === undefined || self === undefined || last === undefined) return false;
    const known = new Map(member.fingers.entries().map(({ start, peer }) => [start, peer.ringId]));
    const covered = distance(self.ringId, last.ringId, RING_SIZE);
    for (let reach = RING_SIZE / 2; reach > covered; reach /= 2) {
      const start = clockwise(self.ringId, reach, RING_SIZE);
      const owner = ownerAmong(ring, start).ringId;
      if ((known.get(start) ?? self.ringId) !== owner) return false;
    }
    return true;
  });
}

/** The owner of a position, among peers in ring order. */
export function ownerAmong(ring: readonly PeerRef[], position: number): PeerRef {
  const owner = firstAt(ring, position);
  if (owner === undefined) throw new Error('a ring has at least one peer');
  return owner;
}
