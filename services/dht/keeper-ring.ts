/**
 * The ring as the table sees it: without guests, who are members but keep no records.
 *
 * What would be a guest's falls to the next keeper behind it. While guests stand near, what is behind
 * them is looked up once a second and after every change; in between, what was seen last holds.
 */
import type { Keepers } from '../peer/core/keepers.js';
import type { LookupResult } from '../peer/core/lookup.js';
import { clockwise, isBetween, isGuest, type RingId } from '../peer/core/ring-space.js';
import type { Cancel, Clock } from '../system/clock.js';
import type { RingPart } from './core/ring-view.js';

const LOOK_EVERY_MS = 1_000;
/** Guests in a row that a lookup passes by. */
const GUESTS_MAX = 64;

export type KeeperRingDeps = {
  readonly peer: {
    readonly state: RingPart;
    lookup(position: RingId): Promise<LookupResult>;
    keepers(): Promise<Keepers | undefined>;
  };
  readonly ringSize: number;
  readonly successorsMax: number;
  readonly clock: Clock;
};

type Seen = Pick<RingPart, 'predecessor' | 'successors'>;

export class KeeperRing {
  readonly #deps: KeeperRingDeps;
  readonly #stopLooking: Cancel;
  /** What was last known for certain. */
  #keepers: Keepers = { predecessor: undefined, successors: [] };
  #isLooking = false;
  #told: { readonly from: Seen; readonly keepers: Keepers; readonly seen: Seen } | undefined;

  constructor(deps: KeeperRingDeps) {
    this.#deps = deps;
    this.#stopLooking = deps.clock.every(LOOK_EVERY_MS, () => this.#look());
  }

  /** Its parts are the same objects as long as nothing has changed. */
  get state(): RingPart {
    const { state } = this.#deps.peer;
    if (!hasGuests(state)) {
      this.#keepers = state;
      return state;
    }
    const isSame = isSameSeen(this.#told?.from, state);
    if (!isSame) this.#look();
    if (this.#told === undefined || !isSame || this.#told.keepers !== this.#keepers) {
      this.#told = { from: state, keepers: this.#keepers, seen: this.#seenFrom(state) };
    }
    return { self: state.self, stage: state.stage, ...this.#told.seen };
  }

  /** The owner among keepers. */
  async lookup(position: RingId): Promise<LookupResult> {
    const { peer, ringSize } = this.#deps;
    let result = await peer.lookup(position);
    for (let guests = 0; guests < GUESTS_MAX; guests += 1) {
      const { owner } = result;
      if (owner === undefined || !isGuest(owner)) return result;
      result = await peer.lookup(clockwise(owner.ringId, 1, ringSize));
    }
    return { ...result, owner: undefined };
  }

  close(): void {
    this.#stopLooking();
  }

  /** The neighbours that are seen, and behind guests those that were last known. */
  #seenFrom({ self, predecessor, successors }: RingPart): Seen {
    const near = successors.filter((peer) => !isGuest(peer));
    const last = near.at(-1) ?? self;
    const further = this.#keepers.successors.filter(({ ringId }) =>
      isBetween(last.ringId, ringId, self.ringId),
    );
    const isHidden = predecessor !== undefined && isGuest(predecessor);
    return {
      predecessor: isHidden ? this.#keepers.predecessor : predecessor,
      successors: [...near, ...further].slice(0, this.#deps.successorsMax),
    };
  }

  #look(): void {
    const { peer } = this.#deps;
    if (this.#isLooking || peer.state.stage !== 'member' || !hasGuests(peer.state)) return;
    this.#isLooking = true;
    void this.#see().finally(() => {
      this.#isLooking = false;
    });
  }

  async #see(): Promise<void> {
    const keepers = await this.#deps.peer.keepers().catch(() => undefined);
    if (keepers !== undefined) this.#keepers = keepers;
  }
}

function hasGuests({ predecessor, successors }: RingPart): boolean {
  return (predecessor !== undefined && isGuest(predecessor)) || successors.some(isGuest);
}

function isSameSeen(one: Seen | undefined, other: Seen): boolean {
  return one?.predecessor === other.predecessor && one?.successors === other.successors;
}
