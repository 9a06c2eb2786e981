import { describe, expect, it } from 'vitest';
import { USUAL_MANNER, type LookupManner } from '../../services/peer/core/find-owner.js';
import { judge } from '../../services/peer/core/invariants.js';
import { MEMBER_LIMITS } from '../../services/peer/core/member.js';
import type { PeerRef } from '../../services/peer/core/ring-space.js';
import type { SimNode } from '../../services/simulator/sim-node.js';
import { World } from '../../services/simulator/world.js';
import { below, oneOf, seededChance, type Chance } from '../../services/system/chance.js';

const RING_SIZE = 2 ** 16;
const NODES = 50;
const LIMITS = { ...MEMBER_LIMITS, ringSize: RING_SIZE };
const LIES = 20;
const SETTLE_MS_MAX = 60_000;

const MANNERS: readonly Partial<LookupManner>[] = [
  {},
  { mode: 'recursive' },
  { parallelism: 3 },
  { mode: 'recursive', parallelism: 2, usesCache: false },
];

/** A ring of simulated nodes whose caches are poisoned before every lookup. */
class PoisonedRing {
  readonly world: World;
  readonly chance: Chance;
  #count = 0;

  constructor(seed: number) {
    this.chance = seededChance(seed);
    this.world = new World(LIMITS, this.chance);
    this.world.start(this.#newNode()).found();
    for (let size = 1; size < NODES; size += 1) {
      this.join();
      if (size < 2 * LIMITS.successorsMax) this.settle();
    }
    this.settle();
  }

  join(): void {
    const contacts = this.world.members.flatMap(({ member }) => member?.state.self ?? []);
    const contact = oneOf(this.chance, contacts);
    if (contact !== undefined) this.world.start(this.#newNode()).join([contact]);
  }

  /** One crashes, unless that would break what the model assumes. */
  crash(): void {
    const node = oneOf(this.chance, this.world.members);
    if (node === undefined) return;
    const { violations } = judge(this.world.views('now', node), LIMITS.successorsMax);
    if (violations.length === 0) this.world.crash(node);
  }

  runFor(ms: number): void {
    const end = this.world.timeline.now + ms;
    while (this.world.timeline.now < end && this.world.timeline.runNext());
  }

  settle(): void {
    const end = this.world.timeline.now + SETTLE_MS_MAX;
    while (!this.isIdeal()) {
      if (this.world.timeline.now > end) throw new Error('the ring does not settle');
      this.runFor(200);
    }
  }

  isIdeal(): boolean {
    const { members, up } = this.world;
    return (
      members.length === up.length && judge(this.world.views('now'), LIMITS.successorsMax).isIdeal
    );
  }

  violations(): readonly unknown[] {
    return judge(this.world.views('now'), LIMITS.successorsMax).violations;
  }

  ownerOf(position: number): PeerRef | undefined {
    const peers = this.world.members.flatMap(({ member }) => member?.state.self ?? []);
    const ordered = peers.sort((one, other) => one.ringId - other.ringId);
    return ordered.find(({ ringId }) => ringId >= position) ?? ordered[0];
  }

  /** Teaches lies near the position: peers that never were, wrong addresses, lives past and to come. */
  poison({ member }: SimNode, position: number): void {
    const members = this.world.members.flatMap((node) => node.member?.state.self ?? []);
    for (let lie = 0; lie < LIES; lie += 1) {
      const truth = oneOf(this.chance, members);
      const stranger = oneOf(this.chance, members);
      if (truth === undefined || stranger === undefined) continue;
      const ringId = (position + below(this.chance, RING_SIZE / NODES)) % RING_SIZE;
      const address = oneOf(this.chance, [stranger.address, 'nowhere']) ?? '';
      member?.routes.learn({ ringId, address, incarnation: 1 + below(this.chance, 5_000) });
      member?.routes.learn({
        ...truth,
        address: stranger.address,
        incarnation: truth.incarnation + lie,
      });
    }
  }

  /** Looks a position up from anywhere, poisoned; returns the result once it is there. */
  lookup(
    manner: Partial<LookupManner>,
    done: (position: number, owner: PeerRef | undefined) => void,
  ) {
    const asker = oneOf(this.chance, this.world.members);
    const position = below(this.chance, RING_SIZE);
    if (asker === undefined) return;
    this.poison(asker, position);
    const whole = { ...USUAL_MANNER, ...manner };
    asker.member?.lookup(position, ({ owner }) => done(position, owner), whole);
  }

  #newNode(): SimNode {
    this.#count += 1;
    const taken = new Set([...this.world.nodes.values()].map(({ ringId }) => ringId));
    let ringId = below(this.chance, RING_SIZE);
    while (taken.has(ringId)) ringId = (ringId + 1) % RING_SIZE;
    return this.world.addNode(`p${this.#count}`, ringId);
  }
}

describe('a ring whose caches are poisoned at every lookup', () => {
  it.each([1, 2, 3])('finds every owner once it has settled, with seed %i', (seed) => {
    const ring = new PoisonedRing(seed);
    for (let second = 0; second < 20; second += 1) {
      if (second % 2 === 0) ring.crash();
      else ring.join();
      for (const manner of MANNERS) ring.lookup(manner, () => undefined);
      ring.runFor(1_000);
      expect(ring.violations()).toEqual([]);
    }
    ring.settle();
    const wrong: string[] = [];
    let answered = 0;
    for (let round = 0; round < 200; round += 1) {
      const manner = MANNERS[round % MANNERS.length] ?? {};
      ring.lookup(manner, (position, owner) => {
        answered += 1;
        const right = ring.ownerOf(position);
        if (owner?.ringId === right?.ringId && owner?.address === right?.address) return;
        wrong.push(`${position}: ${owner?.address ?? 'nobody'} instead of ${right?.address ?? ''}`);
      });
      ring.runFor(100);
    }
    ring.runFor(30_000);
    expect({ wrong, answered }).toEqual({ wrong: [], answered: 200 });
    expect(ring.isIdeal()).toBe(true);
  });

  it('learns the ring from its lookups: the second one takes one hop', () => {
    const ring = new PoisonedRing(4);
    const hops: number[] = [];
    const [asker] = ring.world.members;
    for (let round = 0; round < 2; round += 1) {
      asker?.member?.lookup(40_000, (result) => hops.push(result.hops.length));
      ring.runFor(1_000);
    }
    expect(hops[1]).toBe(1);
  });
});
