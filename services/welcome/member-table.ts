/**
 * The table of members as the store tells it, and those who watch.
 *
 * Nothing else changes it: what this node commits comes back by the watch of the store like what others
 * commit, in the same order everywhere.
 */
import { HEARTBEAT_MS } from '../limits.js';
import type { PeerRef, RingId } from '../peer/core/ring-space.js';
import { WatchQueue, type WatchItem } from '../rpc/watch-queue.js';
import type { StoreChange, StoreEntry, StoreEvent } from '../storage/store.js';
import { type Clock, onceAfter } from '../system/clock.js';
import {
  createDirectory,
  memberAt,
  withMember,
  withoutMembers,
  type Directory,
} from './core/directory.js';
import { memberOf, type StoredPeer } from './records.js';

/** A watcher with more events waiting than this is cut off. */
const WATCHER_EVENTS_MAX = 10_000;
/** How long to wait for the store to tell what it has committed: it does at once, or is cut off. */
const SHOWN_MS_MAX = 1_000;

export type MembershipEvent =
  /** Everyone who is a member, in ring order; always the first event. */
  | { readonly kind: 'snapshot'; readonly peers: readonly PeerRef[] }
  /** `joined`: a new member, or a member in a later life. `expired`: its lease ended. */
  | { readonly kind: 'joined' | 'left' | 'expired'; readonly peer: PeerRef };

export type MemberTableDeps = {
  readonly clock: Clock;
  readonly ringSize: number;
  /** Called when a membership has ended. */
  readonly onEnded: (peer: PeerRef, kind: 'left' | 'expired') => void;
};

export class MemberTable {
  readonly #deps: MemberTableDeps;
  readonly #watchers = new Set<WatchQueue<MembershipEvent>>();
  readonly #revisions = new Map<RingId, number>();
  readonly #waiting = new Set<() => void>();
  readonly #closing = new AbortController();
  #directory: Directory;

  constructor(deps: MemberTableDeps) {
    this.#deps = deps;
    this.#directory = createDirectory(deps.ringSize);
  }

  get directory(): Directory {
    return this.#directory;
  }

  /** Follows the store. What is beyond the ring is no member. */
  follow(event: StoreEvent): void {
    if (event.kind === 'snapshot') this.#replace(event.entries);
    else for (const change of event.changes) this.#change(change);
    for (const look of [...this.#waiting]) look();
  }

  /** Resolves when the table shows the membership, or what came after it; or behind a bound. */
  async shows({ peer, revision }: StoredPeer): Promise<void> {
    await this.#until(() => (this.#revisions.get(peer.ringId) ?? 0) >= revision);
  }

  /** Resolves when the table no longer shows the membership; or behind a bound. */
  async lacks({ peer, revision }: StoredPeer): Promise<void> {
    await this.#until(() => this.#revisions.get(peer.ringId) !== revision);
  }

  /**
   * Yields a snapshot, then every change as it happens, with quiet items between; ends when the
   * signal says so. Throws `WATCHER_TOO_SLOW` behind 10,000 events that wait.
   */
  async *watch(signal: AbortSignal): AsyncGenerator<WatchItem<MembershipEvent>, void, void> {
    const { clock } = this.#deps;
    const limits = { heartbeatMs: HEARTBEAT_MS, eventsMax: WATCHER_EVENTS_MAX };
    const queue = new WatchQueue<MembershipEvent>({ clock, signal, ...limits });
    queue.push({ kind: 'snapshot', peers: this.#directory.peers });
    this.#watchers.add(queue);
    try {
      yield* queue.items();
    } finally {
      this.#watchers.delete(queue);
    }
  }

  /** Nobody waits any more. Watchers end by their signals. */
  close(): void {
    this.#closing.abort();
  }

  #change(change: StoreChange): void {
    const member = memberOf(change.entry);
    if (change.kind === 'put') this.#put(member);
    else this.#remove(member.peer, change.isExpired ? 'expired' : 'left');
  }

  /** Those who are missing in a later snapshot went while nobody could tell how. */
  #replace(entries: readonly StoreEntry[]): void {
    const members = entries.map(memberOf);
    const ringIds = new Set(members.map(({ peer }) => peer.ringId));
    for (const peer of this.#directory.peers) {
      if (!ringIds.has(peer.ringId)) this.#remove(peer, 'expired');
    }
    for (const member of members) this.#put(member);
  }

  #put({ peer, revision }: StoredPeer): void {
    if (peer.ringId >= this.#deps.ringSize) return;
    const known = memberAt(this.#directory, peer.ringId);
    this.#revisions.set(peer.ringId, revision);
    if (known?.address === peer.address && known.incarnation === peer.incarnation) return;
    this.#directory = withMember(this.#directory, peer);
    this.#tell({ kind: 'joined', peer });
  }

  #remove({ ringId }: PeerRef, kind: 'left' | 'expired'): void {
    const peer = memberAt(this.#directory, ringId);
    if (peer === undefined) return;
    this.#revisions.delete(ringId);
    this.#directory = withoutMembers(this.#directory, new Set([ringId]));
    this.#tell({ kind, peer });
    this.#deps.onEnded(peer, kind);
  }

  #tell(event: MembershipEvent): void {
    for (const watcher of this.#watchers) watcher.push(event);
  }

  async #until(holds: () => boolean): Promise<void> {
    if (holds() || this.#closing.signal.aborted) return;
    await new Promise<void>((resolve) => {
      const finish = onceAfter(this.#deps.clock, SHOWN_MS_MAX, this.#closing.signal, () => {
        this.#waiting.delete(look);
        resolve();
      });
      const look = (): void => {
        if (holds()) finish();
      };
      this.#waiting.add(look);
    });
  }
}
