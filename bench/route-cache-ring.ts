/**
 * A simulated ring of 1,000 members, of which one joins or crashes every second. Members hear of that
 * as from the directory: of a join after one network delay, of a crash when the lease has ended.
 */
import { USUAL_MANNER, type LookupManner } from '../services/peer/core/find-owner.js';
import { MEMBER_LIMITS } from '../services/peer/core/member.js';
import type { PeerRef } from '../services/peer/core/ring-space.js';
import type { RouteCache } from '../services/peer/core/route-cache.js';
import type { SimNode } from '../services/simulator/sim-node.js';
import { below, oneOf, type Chance } from '../services/system/chance.js';
import { LookupTally } from './lookup-tally.js';
import { growRing, RING_SIZE, runFor } from './grown-ring.js';

const NODES = 1_000;
const CHANGE_INTERVAL_MS = 1_000;
const LEASE_MS = 15_000;
const LOOKUP_INTERVAL_MS = 10;
/** The ring changes for so long before anything is counted: until crashes expire as they happen. */
const WARM_UP_MS = 30_000;
const MEASURED_MS = 150_000;

const MANNERS: readonly (readonly [string, Partial<LookupManner>])[] = [
  ['with cache', {}],
  ['without', { usesCache: false }],
  ['recursive, without', { usesCache: false, mode: 'recursive' }],
  ['parallel 3, without', { usesCache: false, parallelism: 3 }],
  ['parallel 3, with cache', { parallelism: 3 }],
];

export function benchChangingRing(): void {
  const start = performance.now();
  const ring = new ChangingRing();
  ring.run(WARM_UP_MS);
  ring.tallies = MANNERS.map(([name]) => new LookupTally(name));
  ring.run(MEASURED_MS);
  const seconds = ((performance.now() - start) / 1_000).toFixed(0);
  process.stdout.write(
    `route-cache: N = ${NODES}, delay 1 to 5 ms, 1 change/s, lease ${LEASE_MS / 1_000} s: ` +
      `${ring.joins} joins, ${ring.crashes} crashes (${seconds} s)\n`,
  );
  for (const tally of ring.tallies) process.stdout.write(`  ${tally.toString()}\n`);
}

class ChangingRing {
  readonly #ring = growRing({
    nodes: NODES,
    successorsMax: MEMBER_LIMITS.successorsMax,
    seed: 1,
    limits: MEMBER_LIMITS,
  });
  readonly #chance = this.#ring.chance;
  readonly #world = this.#ring.world;
  /** What the directory lists. */
  readonly #listed = new Map<number, PeerRef>();
  tallies: readonly LookupTally[] = [];
  joins = 0;
  crashes = 0;

  constructor() {
    for (const { member } of this.#world.members) {
      if (member !== undefined) this.#listed.set(member.state.self.ringId, member.state.self);
    }
    for (const node of this.#world.members) this.#tellAll(node);
    this.#changeSoon();
    this.#lookUpSoon();
  }

  run(ms: number): void {
    runFor(this.#world, ms);
  }

  #changeSoon(): void {
    this.#world.timeline.after(CHANGE_INTERVAL_MS, () => {
      if (this.joins <= this.crashes) this.#join();
      else this.#crash();
      this.#changeSoon();
    });
  }

  /** The directory lists a joiner when it asks to join, and tells it who else is in. */
  #join(): void {
    const node = this.#ring.newNode();
    const contacts = pick(this.#chance, [...this.#listed.values()], 4);
    const member = this.#world.start(node);
    this.joins += 1;
    this.#listed.set(node.ringId, member.state.self);
    member.join(contacts);
    this.#tellAll(node);
    this.#tell((routes) => routes.hear(member.state.self));
  }

  #crash(): void {
    const node = oneOf(this.#chance, this.#world.members);
    const self = node?.member?.state.self;
    if (node === undefined || self === undefined) return;
    this.crashes += 1;
    this.#world.crash(node);
    this.#world.timeline.after(LEASE_MS, () => {
      this.#listed.delete(self.ringId);
      this.#tell((routes) => routes.forget(self));
    });
  }

  #tellAll({ member }: SimNode): void {
    for (const peer of this.#listed.values()) member?.routes.learn(peer);
  }

  /** Every member hears of a change after a delay of its own. */
  #tell(act: (routes: RouteCache) => void): void {
    for (const { member } of this.#world.up) {
      if (member === undefined) continue;
      this.#world.timeline.after(1 + below(this.#chance, 5), () => act(member.routes));
    }
  }

  #lookUpSoon(): void {
    this.#world.timeline.after(LOOKUP_INTERVAL_MS, () => {
      const asker = oneOf(this.#chance, this.#world.members);
      const position = below(this.#chance, RING_SIZE);
      for (const [index, [, manner]] of MANNERS.entries()) {
        this.#lookUp(asker, position, manner, this.tallies[index]);
      }
      this.#lookUpSoon();
    });
  }

  #lookUp(
    asker: SimNode | undefined,
    position: number,
    manner: Partial<LookupManner>,
    tally: LookupTally | undefined,
  ): void {
    const { timeline } = this.#world;
    const since = timeline.now;
    asker?.member?.lookup(
      position,
      ({ owner, hops }) => {
        tally?.add(owner === undefined ? undefined : hops.length, timeline.now - since);
      },
      { ...USUAL_MANNER, ...manner },
    );
  }
}

function pick<Item>(chance: Chance, all: readonly Item[], count: number): readonly Item[] {
  const first = below(chance, all.length);
  return [...all.slice(first), ...all.slice(0, first)].slice(0, count);
}
