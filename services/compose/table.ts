/** A node's part in the table, put together: its disk, its links, its driver, and both gRPC faces. */
import type { Logger } from 'pino';
import type { Config } from '../config.js';
import { TableApplication, type TableSeat } from '../dht/application.js';
import { TableDriver } from '../dht/driver.js';
import { createDhtHandler } from '../dht/handler.js';
import { KeeperRing } from '../dht/keeper-ring.js';
import type { TableCounts } from '../dht/core/stats.js';
import type { TableSize } from '../dht/core/table.js';
import { TableLinks } from '../dht/links.js';
import { TableNotes } from '../dht/notes.js';
import { createTableHandler, type TableReport } from '../dht/table-handler.js';
import { RingbinderError } from '../errors.js';
import { TABLE_ROOM } from '../limits.js';
import type { Ring } from '../node/ring-finder.js';
import type { PeerDriver } from '../peer/driver.js';
import type { PeerFace } from '../peer/face.js';
import type { NodeStores } from '../storage/open-stores.js';
import { systemClock, within } from '../system/clock.js';

export type TablePartDeps = {
  readonly config: Config;
  readonly stores: NodeStores;
  readonly face: PeerFace;
  readonly log: Logger;
  /** Stops the node once the call that asks for it has been answered. */
  readonly requestStop: () => void;
};

export type TableCount = {
  /** Keys with a value, and holders, that are there now. */
  readonly keys: number;
  readonly holders: number;
  /** Of all that is stored. */
  readonly bytes: number;
};

const COUNT_EVERY_MS = 10_000;

export class TablePart {
  readonly #deps: TablePartDeps;
  #keepers: KeeperRing | undefined;
  #links: TableLinks | undefined;
  #seat: TableSeat | undefined;
  #counted:
    { readonly atMs: number; readonly counts: Promise<Omit<TableCount, 'bytes'>> } | undefined;

  readonly application: TableApplication;

  constructor(deps: TablePartDeps) {
    this.#deps = deps;
    const seat = (): TableSeat | undefined => this.#seat;
    this.application = new TableApplication({ seat, replication: deps.config, clock: systemClock });
  }

  /** For applications; refuses calls before the node is in its ring. */
  dhtHandler(introduce: (address: string, dialect: string) => void) {
    const { config, requestStop } = this.#deps;
    const stop = (): void => void systemClock.after(0, requestStop);
    const { application } = this;
    return createDhtHandler({ application, stopPassword: config.stopPassword, stop, introduce });
  }

  /** For other peers. */
  peerHandler() {
    const { face } = this.#deps;
    return createTableHandler({
      asked: async (from, question) =>
        (await this.#seat?.driver.asked(from, question)) ?? { kind: 'not-member' },
      ringName: () => face.seat.ringName,
      ringSize: () => face.seat.ringSize,
      stats: () => this.#report(),
    });
  }

  /** Takes up what is on disk; from then on this peer keeps its part of the table. */
  async open(peer: PeerDriver, ring: Ring): Promise<void> {
    const { config, stores, log } = this.#deps;
    const { size: ringSize, name: ringName, copies, successorsMax } = ring;
    const { answerTimeoutMs, tickMs, graceMs } = config;
    const table = await stores.openTable({ ...TABLE_ROOM, ringSize, graceMs });
    const links = new TableLinks({ clock: systemClock, answerTimeoutMs, ringName, ringSize });
    this.#links = links;
    this.#keepers = new KeeperRing({ peer, ringSize, successorsMax, clock: systemClock });
    const driver = await TableDriver.start({
      ringSize,
      limits: { ...config, copies },
      table,
      tickMs,
      clock: systemClock,
      notes: new TableNotes(stores.node),
      log,
      peer: this.#keepers,
      links,
    });
    peer.onEvent((event) => {
      if (event.kind === 'departed') driver.member.departed(event.peer);
    });
    this.#seat = { driver, table };
  }

  /** Gives the records to those who will keep them, for as long as that may take. */
  async handAllOver(): Promise<void> {
    const { config, log } = this.#deps;
    if (this.#seat === undefined) return;
    const { driver } = this.#seat;
    const isDone = await within(systemClock, config.leaveTimeoutMs, driver.handAllOver());
    if (isDone === true) return;
    log.warn('left before all records were handed over: they are in the data directory');
  }

  /** What is stored here, and what was done since the start to make copies whole. */
  get readings(): { readonly size: TableSize; readonly counts: TableCounts | undefined } {
    const size = this.#seat?.table.size ?? { records: 0, bytes: 0 };
    return { size, counts: this.#seat?.driver.member.counts };
  }

  /** What this node stores; counted anew at most every 10 s, for that takes a while. */
  async count(): Promise<TableCount> {
    if (this.#seat === undefined) return { keys: 0, holders: 0, bytes: 0 };
    const nowMs = systemClock.monotonicMs();
    if (this.#counted === undefined || nowMs - this.#counted.atMs > COUNT_EVERY_MS) {
      this.#counted = { atMs: nowMs, counts: this.#seat.driver.count() };
    }
    return { ...(await this.#counted.counts), bytes: this.#seat.table.size.bytes };
  }

  async close(): Promise<void> {
    await this.#seat?.driver.stop();
    this.#keepers?.close();
    this.#links?.close();
  }

  #report(): TableReport {
    if (this.#seat === undefined) {
      throw new RingbinderError('PEER_NOT_MEMBER', 'this node has not found its ring yet');
    }
    const { driver, table } = this.#seat;
    const { counts, wantCount: wantedKeys, interestCount: interests, isSettled } = driver.member;
    return { counts, size: table.size, wantedKeys, interests, isSettled };
  }
}
