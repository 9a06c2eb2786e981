/** Lookups asked while a run goes on, each judged by what the ring was when it began and ended. */
import { USUAL_MANNER, type LookupManner } from '../peer/core/find-owner.js';
import { isSameLife, type PeerRef } from '../peer/core/ring-space.js';
import type { LookupResult } from '../peer/core/lookup.js';
import { below, oneOf, type Chance } from '../system/chance.js';
import type { RingChecker } from './checks.js';
import type { World } from './world.js';

export type LookupStats = {
  asked: number;
  answered: number;
  /** Named another owner than the ring had, which was ideal before and after, with no peer silent. */
  wrong: number;
  /** Peers asked on the way, the owner among them, of all that were answered. */
  hops: number;
  /** Questions on the way that nobody answered. */
  timeouts: number;
};

export type LookupDeps = {
  readonly world: World;
  readonly checker: RingChecker;
  readonly chance: Chance;
  readonly ringSize: number;
};

/** Each as likely as the others: whatever the manner, the owner must be the same. */
const MANNERS: readonly LookupManner[] = [
  USUAL_MANNER,
  { ...USUAL_MANNER, usesCache: false },
  { ...USUAL_MANNER, parallelism: 3 },
  { ...USUAL_MANNER, mode: 'recursive', usesCache: false },
];

export class LookupProbe {
  readonly #deps: LookupDeps;
  readonly stats: LookupStats = { asked: 0, answered: 0, wrong: 0, hops: 0, timeouts: 0 };
  #isOver = false;

  constructor(deps: LookupDeps) {
    this.#deps = deps;
  }

  /** Asks about nine lookups a second, each from any member for any position in any manner. */
  start(): void {
    const { world, chance } = this.#deps;
    world.timeline.after(20 + below(chance, 200), () => {
      if (this.#isOver) return;
      this.#lookup();
      this.start();
    });
  }

  end(): void {
    this.#isOver = true;
  }

  #lookup(): void {
    const { world, checker, chance, ringSize } = this.#deps;
    const asker = oneOf(chance, world.members);
    const position = below(chance, ringSize);
    if (asker?.member === undefined || asker.isPaused) return;
    this.stats.asked += 1;
    const before = checker.ownerOf(position);
    const { falseSilences } = world.exchange;
    const judge = ({ owner, hops, timeouts }: LookupResult): void => {
      this.stats.timeouts += timeouts;
      if (owner === undefined) return;
      this.stats.answered += 1;
      this.stats.hops += hops.length;
      const isQuiet = falseSilences === world.exchange.falseSilences;
      if (isQuiet && isWrong(owner, before, checker.ownerOf(position))) this.stats.wrong += 1;
    };
    asker.member.lookup(position, judge, oneOf(chance, MANNERS));
  }
}

function isWrong(found: PeerRef, before: PeerRef | undefined, after: PeerRef | undefined): boolean {
  if (before === undefined || after === undefined || !isSameLife(before, after)) return false;
  return !isSameLife(found, before);
}
