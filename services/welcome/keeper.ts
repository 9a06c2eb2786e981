/**
 * Keeps who is in the ring, on the nodes that hold the directory: one with a store of its own, or
 * several that share one.
 *
 * The store is what counts: a membership is an entry with a lease, begun and ended there first. The
 * table in memory follows it, and answers. A call that changes something resolves when the table of
 * this node shows it.
 */
import type { Logger } from 'pino';
import { ringIdOutOfRange } from '../hash/refusals.js';
import type { PeerRef, RingId } from '../peer/core/ring-space.js';
import { decodePageToken, encodePageToken, pageSizeOf } from '../rpc/page-token.js';
import type { WatchItem } from '../rpc/watch-queue.js';
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
import { commitOfEnd, MEMBER_PREFIX, memberKey, memberOf, readMember } from './records.js';
import { incarnationStale, peerNotMember, ringIdTaken } from './refusals.js';
import { Turns } from './turns.js';

/** A page of members ends early behind this many characters: gRPC messages end at 4 MiB. */
const PAGE_LENGTH_MAX = 1_000_000;
const LIST_SCOPE = 'welcome/peers';

export type WelcomeKeeperDeps = EntranceDeps & {
  readonly clock: Clock;
  readonly log: Logger;
  /** Number of positions, from 1 to 2^53. */
  readonly ringSize: number;
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
  readonly #closing = new AbortController();

  /** Takes the table up from the store, and follows the store from now on. */
  static async open(deps: WelcomeKeeperDeps): Promise<WelcomeKeeper> {
    const keeper = new WelcomeKeeper(deps);
    await keeper.#follow();
    return keeper;
  }

  private constructor(deps: WelcomeKeeperDeps) {
    this.#deps = deps;
    const onEnded = (peer: PeerRef, kind: 'left' | 'expired'): void => {
      deps.log.info(
        { peer },
        kind === 'left' ? 'a peer left the directory' : 'a membership expired',
      );
    };
    this.#table = new MemberTable({ ...deps, onEnded });
    this.#entrance = new Entrance(deps);
  }

  /** How old the answers are, in ms; undefined while the store is in touch. */
  get ageMs(): number | undefined {
    return this.#deps.store.ageMs;
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
      await this.#enterOrRenew(peer);
      const held = await readMember(this.#deps.store, ringId);
      if (held !== undefined) await this.#table.shows(held);
      return { ...surroundingsOf(this.#table.directory, ringId), leaseTtlMs: ttlMs };
    });
  }

  /** Prolongs a membership to one lease from now. Throws `PEER_NOT_MEMBER`. */
  async renew(ringId: RingId): Promise<LeaseTerms> {
    if (!(await this.#deps.store.renew(memberKey(ringId)))) throw peerNotMember(ringId);
    return { leaseTtlMs: this.#deps.ttlMs };
  }

  /** Ends a membership. Throws `PEER_NOT_MEMBER`. */
  async leave(ringId: RingId): Promise<void> {
    const { store } = this.#deps;
    await this.#turns.take(ringId, async () => {
      for (;;) {
        const held = await readMember(store, ringId);
        if (held === undefined) throw peerNotMember(ringId);
        if (await store.commit(commitOfEnd(held))) return this.#table.lacks(held);
      }
    });
  }

  /** Throws `PEER_NOT_MEMBER`. */
  async getPeer(ringId: RingId): Promise<PeerRef> {
    const held = await readMember(this.#deps.store, ringId);
    if (held === undefined) throw peerNotMember(ringId);
    return held.peer;
  }

  /** Returns the ideal finger table of a member, smallest step first. Throws `PEER_NOT_MEMBER`. */
  async getRoutingTable(ringId: RingId): Promise<readonly RoutingEntry[]> {
    const { directory } = this.#table;
    if (memberAt(directory, ringId) === undefined) throw peerNotMember(ringId);
    return routingTableOf(directory, ringId);
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

  /**
   * Whether a ring ID must stay assigned: its peer is a member. Asks the store, for another node may
   * have let it in a moment ago.
   */
  async isMember(ringId: RingId): Promise<boolean> {
    return (await readMember(this.#deps.store, ringId)) !== undefined;
  }

  /** Follows the store no longer. The store stays open, and watchers end by their signals. */
  close(): void {
    this.#closing.abort();
    this.#table.close();
  }

  async #enterOrRenew(peer: PeerRef): Promise<void> {
    const { store, log } = this.#deps;
    const { ringId } = peer;
    const held = await readMember(store, ringId);
    const verdict = judgeJoin(held?.peer, peer);
    if (verdict.kind === 'taken') throw ringIdTaken(ringId, verdict.holder.address);
    if (verdict.kind === 'stale') throw incarnationStale(peer, verdict.holder);
    if (verdict.kind === 'renewal' && (await store.renew(memberKey(ringId)))) return;
    await this.#entrance.admit(peer);
    log.info({ peer }, 'admitted a peer');
  }

  /** Resolves with the table taken up; what comes then is followed in the background. */
  async #follow(): Promise<void> {
    const { store, ringSize, log } = this.#deps;
    const events = store.watch({ prefix: MEMBER_PREFIX }, this.#closing.signal);
    const first = await events.next();
    if (first.done === true || first.value.kind !== 'snapshot') {
      throw new Error('the store has no snapshot');
    }
    const peers = first.value.entries.map((entry) => memberOf(entry).peer);
    const stray = peers.find(({ ringId }) => ringId >= ringSize);
    if (stray !== undefined) {
      const text = `the store has a member with ring ID ${stray.ringId}; the ring size is ${ringSize}`;
      throw new Error(text);
    }
    this.#table.follow(first.value);
    const follow = async (): Promise<void> => {
      for await (const event of events) this.#table.follow(event);
    };
    follow().catch((err: unknown) => log.error({ err }, 'the members can no longer be followed'));
  }
}
