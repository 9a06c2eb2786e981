/**
 * How a peer becomes a member: the assignments allow it, the ring is ready for it, the store has it.
 *
 * Several nodes may hold one directory on one store. Each reads, asks the ring, and commits on the
 * condition that nobody was faster; so of two that let in different peers at once one gets further,
 * and the other asks again, about a ring that has let in one more.
 */
import type { PeerRef } from '../peer/core/ring-space.js';
import type { Store, StoreCommit } from '../storage/store.js';
import { AdmissionQueue, type Admission, type AdmissionAnswer } from './admission-queue.js';
import { judgeJoin } from './core/directory.js';
import {
  commitOfMembership,
  MEMBER_PREFIX,
  memberKey,
  notingAdmission,
  readAdmitted,
  readMember,
} from './records.js';
import { incarnationStale, ringIdTaken } from './refusals.js';

/** How long a small ring waits for a peer that was let in and does not appear. */
const ADMITTED_TTL_MS = 3_000;

export type EntranceDeps = {
  readonly store: Store;
  /** Asked before a new peer, or a later life of a member, is admitted while others are few. */
  readonly admission: Admission;
  /**
   * The ring is asked only while there are others, fewer than this. At least the number of members
   * that ends `FORMING`; better more, for the directory counts the dead until their leases end.
   */
  readonly askedBelow: number;
  /** How long a membership lasts without renewal, in milliseconds. */
  readonly ttlMs: number;
};

export class Entrance {
  readonly #deps: EntranceDeps;
  readonly #queue = new AdmissionQueue();

  constructor(deps: EntranceDeps) {
    this.#deps = deps;
  }

  /**
   * Makes a peer a member. Throws `RING_ID_TAKEN`, `RING_ID_UNASSIGNED` or `INCARNATION_STALE` before
   * it lets anyone wait, and `RING_FORMING`. One call at a time for each ring ID.
   */
  async admit(peer: PeerRef): Promise<void> {
    const { store, askedBelow } = this.#deps;
    let commit = await this.#commitOf(peer);
    if ((await this.#othersCount(peer)) < askedBelow) {
      await this.#queue.pass(async () => this.#askAndEnter(peer));
      return;
    }
    while (!(await store.commit(commit))) commit = await this.#commitOf(peer);
  }

  /** A commit that fails means that somebody was faster: everything is judged again. */
  async #askAndEnter(peer: PeerRef): Promise<AdmissionAnswer> {
    const { store, admission } = this.#deps;
    for (;;) {
      const latest = await readAdmitted(store);
      const isAlone = (await this.#othersCount(peer)) === 0;
      const answer = isAlone ? OPEN : await admission(peer, latest?.peer);
      if (answer.kind === 'forming') return answer;
      const commit = await this.#commitOf(peer);
      const noted = notingAdmission(commit, { peer, latest, ttlMs: ADMITTED_TTL_MS });
      if (await store.commit(noted)) return OPEN;
    }
  }

  async #commitOf(peer: PeerRef): Promise<StoreCommit> {
    const { store, ttlMs } = this.#deps;
    const held = await readMember(store, peer.ringId);
    const verdict = judgeJoin(held?.peer, peer);
    if (verdict.kind === 'taken') throw ringIdTaken(peer.ringId, verdict.holder.address);
    if (verdict.kind === 'stale') throw incarnationStale(peer, verdict.holder);
    const member = verdict.kind === 'renewal' ? verdict.holder : peer;
    return commitOfMembership(store, { peer: member, held, ttlMs });
  }

  /** Members beside this peer, as far as that matters. */
  async #othersCount({ ringId }: PeerRef): Promise<number> {
    const { store, askedBelow } = this.#deps;
    const entries = await store.list({ prefix: MEMBER_PREFIX, limit: askedBelow + 1 });
    return entries.filter(({ key }) => key !== memberKey(ringId)).length;
  }
}

const OPEN = { kind: 'open' } as const;
