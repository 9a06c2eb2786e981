/**
 * How a peer becomes a member: the assignments allow it, the ring is ready for it, the store has it,
 * and then the table.
 *
 * Hazard, the counterpart of the one at `HashKeeper.release`: (1) our commit is durable; (2) a release
 * reads the entry that it put, and asks whether the peer is a member; (3) only now the table gets to
 * know. So a ring ID counts as entering from before its commit until the table has it.
 */
import type { PeerRef, RingId } from '../peer/core/ring-space.js';
import type { Store } from '../storage/store.js';
import { AdmissionQueue, type Admission } from './admission-queue.js';
import { memberAt } from './core/directory.js';
import type { MemberTable } from './member-table.js';
import { commitOfMembership } from './records.js';

export type EntranceDeps = {
  readonly store: Store;
  readonly table: MemberTable;
  /** Asked before a new peer, or a later life of a member, is admitted while others are few. */
  readonly admission: Admission;
  /**
   * The ring is asked only while there are others, fewer than this. At least the number of members
   * that ends `FORMING`; better more, for the directory counts the dead until their leases end.
   */
  readonly askedBelow: number;
};

export class Entrance {
  readonly #deps: EntranceDeps;
  readonly #queue: AdmissionQueue;
  readonly #entering = new Set<RingId>();

  constructor(deps: EntranceDeps) {
    this.#deps = deps;
    this.#queue = new AdmissionQueue(async (candidate) =>
      this.#othersCount(candidate) > 0 ? deps.admission(candidate) : { kind: 'open' },
    );
  }

  /**
   * Makes a peer a member. Throws `RING_ID_TAKEN` or `RING_ID_UNASSIGNED` before it lets anyone
   * wait, and `RING_FORMING`. One call at a time for each ring ID.
   */
  async admit(peer: PeerRef): Promise<void> {
    await commitOfMembership(this.#deps.store, peer);
    const isAsked = this.#othersCount(peer) < this.#deps.askedBelow;
    if (isAsked) await this.#queue.pass(peer, async () => this.#enter(peer));
    else await this.#enter(peer);
  }

  /** Whether a peer with this ring ID becomes a member just now. */
  isEntering(ringId: RingId): boolean {
    return this.#entering.has(ringId);
  }

  /** A commit that fails means that the assignments have changed: they are judged again. */
  async #enter(peer: PeerRef): Promise<void> {
    const { store, table } = this.#deps;
    this.#entering.add(peer.ringId);
    try {
      while (!(await store.commit(await commitOfMembership(store, peer))));
      table.enter(peer);
    } finally {
      this.#entering.delete(peer.ringId);
    }
  }

  /** Members beside this peer. */
  #othersCount({ ringId }: PeerRef): number {
    const { directory } = this.#deps.table;
    return directory.peers.length - (memberAt(directory, ringId) === undefined ? 0 : 1);
  }
}
