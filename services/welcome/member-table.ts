/**
 * The table of members as it is now: the directory, the leases, and those who watch.
 *
 * Everything here happens at once, without waiting. Leases that have ended are taken out before
 * anything is read, so the table is never behind the clock, however late a timer is.
 */
import { HEARTBEAT_MS } from '../limits.js';
import type { PeerRef, RingId } from '../peer/core/ring-space.js';
import { WatchQueue, type WatchItem } from '../rpc/watch-queue.js';
import type { Cancel, Clock } from '../system/clock.js';
import {
  createDirectory,
  memberAt,
  withMember,
  withoutMembers,
  type Directory,
} from './core/directory.js';
import { Leases } from './core/leases.js';

/** A watcher with more events waiting than this is cut off. */
const WATCHER_EVENTS_MAX = 10_000;

export type MembershipEvent =
  /** Everyone who is a member, in ring order; always the first event. */
  | { readonly kind: 'snapshot'; readonly peers: readonly PeerRef[] }
  /** `joined`: a new member, or a member in a later life. `expired`: its lease ended. */
  | { readonly kind: 'joined' | 'left' | 'expired'; readonly peer: PeerRef };

export type MemberTableDeps = {
  readonly clock: Clock;
  readonly ringSize: number;
  readonly ttlMs: number;
  /** Called when the lease of a member has ended; it is no member any more. */
  readonly onExpired: (peer: PeerRef) => void;
};

export class MemberTable {
  readonly #deps: MemberTableDeps;
  readonly #leases: Leases;
  readonly #watchers = new Set<WatchQueue<MembershipEvent>>();
  #directory: Directory;
  #cancelTimer: Cancel | undefined;
  #isClosed = false;

  /** A table of these members, each with a full lease from now on. */
  constructor(deps: MemberTableDeps, peers: readonly PeerRef[]) {
    this.#deps = deps;
    this.#leases = new Leases(deps.ttlMs);
    this.#directory = createDirectory(deps.ringSize, peers);
    for (const { ringId } of peers) this.#leases.renew(ringId, deps.clock.monotonicMs());
    this.#setTimer();
  }

  get directory(): Directory {
    this.#endLeases();
    return this.#directory;
  }

  /** Puts a member in with a full lease, in place of an earlier life of it. */
  enter(peer: PeerRef): void {
    this.#endLeases();
    this.#directory = withMember(this.#directory, peer);
    this.renew(peer.ringId);
    this.#tell({ kind: 'joined', peer });
  }

  /** Gives a member a full lease from now on. */
  renew(ringId: RingId): void {
    this.#leases.renew(ringId, this.#deps.clock.monotonicMs());
    this.#setTimer();
  }

  /** Takes out a member that left; returns it, or undefined when it has gone already. */
  remove(ringId: RingId): PeerRef | undefined {
    this.#leases.remove(ringId);
    return this.#takeOut([ringId], 'left')[0];
  }

  /**
   * Yields a snapshot, then every change as it happens, with quiet items between; ends when the
   * signal says so. Throws `WATCHER_TOO_SLOW` behind 10,000 events that wait.
   */
  async *watch(signal: AbortSignal): AsyncGenerator<WatchItem<MembershipEvent>, void, void> {
    const { clock } = this.#deps;
    const limits = { heartbeatMs: HEARTBEAT_MS, eventsMax: WATCHER_EVENTS_MAX };
    const queue = new WatchQueue<MembershipEvent>({ clock, signal, ...limits });
    queue.push({ kind: 'snapshot', peers: this.directory.peers });
    this.#watchers.add(queue);
    try {
      yield* queue.items();
    } finally {
      this.#watchers.delete(queue);
    }
  }

  /** Leases end no more, and no timer runs. Watchers end by their signals. */
  close(): void {
    this.#isClosed = true;
    this.#cancelTimer?.();
  }

  #endLeases(): void {
    if (this.#isClosed) return;
    const ended = this.#leases.takeEnded(this.#deps.clock.monotonicMs());
    if (ended.length === 0) return;
    for (const peer of this.#takeOut(ended, 'expired')) this.#deps.onExpired(peer);
  }

  #takeOut(ringIds: readonly RingId[], kind: 'left' | 'expired'): readonly PeerRef[] {
    const found = ringIds.map((ringId) => memberAt(this.#directory, ringId));
    const peers = found.filter((peer) => peer !== undefined);
    this.#directory = withoutMembers(this.#directory, new Set(peers.map((peer) => peer.ringId)));
    for (const peer of peers) this.#tell({ kind, peer });
    return peers;
  }

  /** One timer, for the lease that ends next; renewing that one leaves it to find nothing to do. */
  #setTimer(): void {
    const endMs = this.#leases.nextEndMs();
    if (this.#isClosed || this.#cancelTimer !== undefined || endMs === undefined) return;
    const { clock } = this.#deps;
    const waitMs = Math.max(0, Math.ceil(endMs - clock.monotonicMs()));
    this.#cancelTimer = clock.after(waitMs, () => {
      this.#cancelTimer = undefined;
      this.#endLeases();
      this.#setTimer();
    });
  }

  #tell(event: MembershipEvent): void {
    for (const watcher of this.#watchers) watcher.push(event);
  }
}
