/**
 * Finds who keeps the records of a position: from what this peer knows as their owner, from the lease
 * of the owner, from what another owner said a moment ago, or by a lookup.
 */
import type { PeerRef, RingId } from '../../peer/core/ring-space.js';
import type { Keeping } from './keeping.js';
import { answerOf, type RingAccess, type TableTalk } from './messages.js';
import type { ReplicaSet } from './replica-set.js';
import { isInRange } from './span.js';
import type { TableClock } from './table-clock.js';

/** How long what an owner said of its set is used again. */
const REMEMBERED_MS = 2_000;
const REMEMBERED_MAX = 1_024;
/** Lookups for one position; each may meet a peer that has just lost it to another. */
const TRIES_MAX = 3;

export type SetFinderDeps = {
  readonly ring: RingAccess;
  readonly keeping: Keeping;
  readonly clock: TableClock;
  readonly start: <Result>(talk: TableTalk<Result>, done: (result: Result) => void) => void;
};

type Remembered = { readonly set: ReplicaSet; readonly untilMs: number };

export class SetFinder {
  readonly #deps: SetFinderDeps;
  /** By the owner's ring ID. */
  readonly #remembered = new Map<RingId, Remembered>();

  constructor(deps: SetFinderDeps) {
    this.#deps = deps;
  }

  /** `isFresh` asks the owner, unless this peer is it. `done` may be called at once. */
  find(position: RingId, isFresh: boolean, done: (set: ReplicaSet | undefined) => void): void {
    const { keeping } = this.#deps;
    const known = keeping.ownSetFor(position) ?? (isFresh ? undefined : this.#known(position));
    if (known !== undefined) return done(known);
    this.#lookUp(position, TRIES_MAX, done);
  }

  /** Forgets the sets that a peer is in, for it did not answer. */
  forget(peer: PeerRef): void {
    for (const [owner, { set }] of this.#remembered) {
      if (set.peers.some(({ ringId }) => ringId === peer.ringId)) this.#remembered.delete(owner);
    }
  }

  #known(position: RingId): ReplicaSet | undefined {
    const leased = this.#deps.keeping.leasedSetFor(position);
    if (leased !== undefined) return leased;
    const nowMs = this.#deps.clock.steadyMs();
    for (const [owner, { set, untilMs }] of this.#remembered) {
      if (untilMs <= nowMs) this.#remembered.delete(owner);
      else if (isInRange(position, set.range)) return set;
    }
    return undefined;
  }

  #lookUp(position: RingId, triesLeft: number, done: (set: ReplicaSet | undefined) => void): void {
    const { ring, keeping, start } = this.#deps;
    const again = (): void => {
      if (triesLeft > 1) this.#lookUp(position, triesLeft - 1, done);
      else done(undefined);
    };
    ring.findOwner(position, (owner) => {
      if (owner === undefined) return done(undefined);
      if (owner.ringId === ring.view().self.ringId) {
        const own = keeping.ownSetFor(position);
        return own === undefined ? again() : done(own);
      }
      start(askForSet(owner), (set) => {
        if (set === undefined || !isInRange(position, set.range)) return again();
        this.#remember(set);
        done(set);
      });
    });
  }

  #remember(set: ReplicaSet): void {
    const owner = set.range.upTo;
    this.#remembered.delete(owner);
    this.#remembered.set(owner, { set, untilMs: this.#deps.clock.steadyMs() + REMEMBERED_MS });
    const [oldest] = this.#remembered.keys();
    if (this.#remembered.size > REMEMBERED_MAX && oldest !== undefined) {
      this.#remembered.delete(oldest);
    }
  }
}

function* askForSet(owner: PeerRef): TableTalk<ReplicaSet | undefined> {
  return answerOf(yield { to: owner, question: { kind: 'describe-set' } }, 'set')?.set;
}
