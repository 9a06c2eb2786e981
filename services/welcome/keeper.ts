/**
 * Keeps who is in the ring, on the one node that holds the directory.
 *
 * The table in memory is what counts, and this keeper is the only writer of the records that bring
 * it back after a restart. A membership begins and is ended in the store first, so that none that
 * was granted is lost. Its lease lives in memory alone: after a restart every member has a full
 * lease of grace anyway.
 *
 * What happens to one ring ID happens in turns: the commit of one change has ended, and the table has
 * it, before the next change of that ring ID is decided.
 */
import type { Logger } from 'pino';
import { ringIdOutOfRange } from '../hash/refusals.js';
import type { PeerRef, RingId } from '../peer/core/ring-space.js';
import { decodePageToken, encodePageToken, pageSizeOf } from '../rpc/page-token.js';
import type { WatchItem } from '../rpc/watch-queue.js';
import type { Store } from '../storage/store.js';
import type { Clock } from '../system/clock.js';
import {
  judgeJoin,
  memberAt,
  pageOf,
  routingTableOf,
  surroundingsOf,
  type RoutingEntry,
  type Surroundings,
} from './core/directory.js';
import { Entrance, type EntranceDeps } from './entrance.js';
import { MemberTable, type MembershipEvent } from './member-table.js';
import { commitOfEnd, readMembers } from './records.js';
import { incarnationStale, peerNotMember, ringIdTaken } from './refusals.js';
import { Turns } from './turns.js';

/** A page of members ends early behind this many characters: gRPC messages end at 4 MiB. */
const PAGE_LENGTH_MAX = 1_000_000;
const LIST_SCOPE = 'welcome/peers';

export type WelcomeKeeperDeps = Pick<EntranceDeps, 'admission' | 'askedBelow'> & {
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Logger;
  /** Number of positions, from 1 to 2^53. */
  readonly ringSize: number;
  /** How long a membership lasts without renewal, in milliseconds. */
  readonly ttlMs: number;
};

export type { MembershipEvent } from './member-table.js';

export type LeaseTerms = { readonly leaseTtlMs: number };

export type Joined = Surroundings & LeaseTerms;

export type PeerPage = {
  readonly peers: readonly PeerRef[];
  /** Empty only after the last page. */
  readonly nextPageToken: string;
};

export class WelcomeKeeper {
  readonly #deps: WelcomeKeeperDeps;
  readonly #table: MemberTable;
  readonly #entrance: Entrance;
  readonly #turns = new Turns<RingId>();

  /** Takes the table up from the store; every member in it has a full lease from now on. */
  static async open(deps: WelcomeKeeperDeps): Promise<WelcomeKeeper> {
    const peers = await readMembers(deps.store);
    const stray = peers.find(({ ringId }) => ringId >= deps.ringSize);
    if (stray === undefined) return new WelcomeKeeper(deps, peers);
    throw new Error(
      `the store has a member with ring ID ${stray.ringId}; the ring size is ${deps.ringSize}`,
    );
  }

  private constructor(deps: WelcomeKeeperDeps, peers: readonly PeerRef[]) {
    this.#deps = deps;
    this.#table = new MemberTable({ ...deps, onExpired: (peer) => this.#onExpired(peer) }, peers);
    this.#entrance = new Entrance({ ...deps, table: this.#table });
  }

  /** Everyone who is a member now, in ring order. */
  get members(): readonly PeerRef[] {
    return this.#table.directory.peers;
  }

  /**
   * Makes a peer a member and tells it its place; a repeat renews. Throws `RING_ID_TAKEN`,
   * `RING_ID_UNASSIGNED` when its address has another ring ID, `INCARNATION_STALE`,
   * `RING_FORMING`, `RING_ID_OUT_OF_RANGE`.
   */
  async join(peer: PeerRef): Promise<Joined> {
    const { ringSize, ttlMs } = this.#deps;
    const { ringId } = peer;
    const isInRange = Number.isInteger(ringId) && ringId >= 0 && ringId < ringSize;
    if (!isInRange) throw ringIdOutOfRange(ringId, ringSize);
    return this.#turns.take(ringId, async () => {
      const verdict = judgeJoin(this.#table.directory, peer);
      if (verdict.kind === 'taken') throw ringIdTaken(ringId, verdict.holder.address);
      if (verdict.kind === 'stale') throw incarnationStale(peer, verdict.holder);
      if (verdict.kind === 'renewal') this.#table.renew(ringId);
      else await this.#admit(peer);
      return { ...surroundingsOf(this.#table.directory, ringId), leaseTtlMs: ttlMs };
    });
  }

  /** Prolongs a membership to one lease from now. Throws `PEER_NOT_MEMBER`. */
  async renew(ringId: RingId): Promise<LeaseTerms> {
    this.#memberAt(ringId);
    this.#table.renew(ringId);
    return { leaseTtlMs: this.#deps.ttlMs };
  }

  /** Ends a membership. Throws `PEER_NOT_MEMBER`. */
  async leave(ringId: RingId): Promise<void> {
    await this.#turns.take(ringId, async () => {
      this.#memberAt(ringId);
      await this.#deps.store.commit(commitOfEnd(ringId));
      const peer = this.#table.remove(ringId);
      if (peer !== undefined) this.#deps.log.info({ peer }, 'a peer left the directory');
    });
  }

  /** Throws `PEER_NOT_MEMBER`. */
  async getPeer(ringId: RingId): Promise<PeerRef> {
    return this.#memberAt(ringId);
  }

  /** Returns the ideal finger table of a member, smallest step first. Throws `PEER_NOT_MEMBER`. */
  async getRoutingTable(ringId: RingId): Promise<readonly RoutingEntry[]> {
    this.#memberAt(ringId);
    return routingTableOf(this.#table.directory, ringId);
  }

  /** Lists the members in ring order. Throws `PAGE_TOKEN_INVALID`. */
  async list(pageSize: number, pageToken: string): Promise<PeerPage> {
    const token = decodePageToken(pageToken, LIST_SCOPE);
    const after = token === undefined ? undefined : Number(token);
    const size = pageSizeOf(pageSize);
    const bounds = { after, size, lengthMax: PAGE_LENGTH_MAX };
    const { peers, hasMore } = pageOf(this.#table.directory, bounds);
    const last = hasMore ? peers.at(-1) : undefined;
    if (last === undefined) return { peers, nextPageToken: '' };
    const position = { scope: LIST_SCOPE, after: last.ringId.toString() };
    return { peers, nextPageToken: encodePageToken(position) };
  }

  /**
   * Yields a snapshot, then every change as it happens, with quiet items between; ends when the
   * signal says so. Throws `WATCHER_TOO_SLOW` behind 10,000 events that wait.
   */
  watch(signal: AbortSignal): AsyncGenerator<WatchItem<MembershipEvent>, void, void> {
    return this.#table.watch(signal);
  }

  /** Whether a ring ID must stay assigned: its peer is a member, or becomes one just now. */
  async isMember(ringId: RingId): Promise<boolean> {
    const isListed = memberAt(this.#table.directory, ringId) !== undefined;
    return isListed || this.#entrance.isEntering(ringId);
  }

  /** Stops the clock of the leases. The store stays open, and watchers end by their signals. */
  close(): void {
    this.#table.close();
  }

  async #admit(peer: PeerRef): Promise<void> {
    await this.#entrance.admit(peer);
    this.#deps.log.info({ peer }, 'admitted a peer');
  }

  /** Forgets it in the store, unless it is back by then; a failure leaves a record too many. */
  #onExpired(peer: PeerRef): void {
    const { store, log } = this.#deps;
    log.info({ peer }, 'a membership expired');
    const forget = this.#turns.take(peer.ringId, async () => {
      if (await this.isMember(peer.ringId)) return;
      await store.commit(commitOfEnd(peer.ringId));
    });
    forget.catch((err: unknown) => log.error({ err, peer }, 'could not forget a membership'));
  }

  #memberAt(ringId: RingId): PeerRef {
    const peer = memberAt(this.#table.directory, ringId);
    if (peer === undefined) throw peerNotMember(ringId);
    return peer;
  }
}
