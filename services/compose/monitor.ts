/** A node's part in seeing the ring, put together: MonitorService, and what it counts of this node. */
import type { GetStatsResponse } from '../../proto/gen/ringbinder/v1/monitor_service.js';
import { createMonitorHandler } from '../monitor/handler.js';
import { MonitorLinks } from '../monitor/link.js';
import { Observatory } from '../monitor/observatory.js';
import type { PeerRef } from '../peer/core/ring-space.js';
import type { RpcServer } from '../rpc/server.js';
import { timestampToWire } from '../rpc/wire-time.js';
import { systemClock } from '../system/clock.js';
import type { BinderPart } from './binder.js';
import type { RingPart } from './ring.js';
import type { TablePart } from './table.js';

export type MonitorPartDeps = {
  readonly ring: RingPart;
  readonly table: TablePart;
  readonly binder: BinderPart;
  readonly server: RpcServer;
  /** Legacy programs that work with this node, by dialect. */
  readonly guestCounts: () => Readonly<Record<string, number>>;
};

export class MonitorPart {
  readonly #deps: MonitorPartDeps;
  readonly #startedAtMs = systemClock.now();
  readonly #links: MonitorLinks;
  readonly #observatory: Observatory;

  constructor(deps: MonitorPartDeps) {
    this.#deps = deps;
    const { face } = deps.ring;
    this.#links = new MonitorLinks({
      clock: systemClock,
      ringName: () => face.seat.ringName,
      ringSize: () => face.seat.ringSize,
    });
    this.#observatory = new Observatory({
      known: () => this.#known(),
      show: async (peer) => this.#links.show(peer),
      clock: systemClock,
    });
  }

  handler() {
    const { face, application } = this.#deps.ring;
    return createMonitorHandler({
      face,
      application,
      observatory: this.#observatory,
      links: this.#links,
      successorsMax: () => this.#deps.ring.ring?.successorsMax ?? 0,
      stats: async () => this.#stats(),
      clock: systemClock,
    });
  }

  close(): void {
    this.#observatory.close();
    this.#links.close();
  }

  #known(): readonly PeerRef[] {
    const { driver } = this.#deps.ring.face.seat;
    return [driver.state.self, ...driver.acquaintances, ...driver.routes.peers()];
  }

  async #stats(): Promise<GetStatsResponse> {
    const { ring, table, binder, server, guestCounts } = this.#deps;
    const { keys, holders, bytes } = await table.count();
    const { services, endpoints } = binder.counts;
    const { receivedBytes, sentBytes } = server.traffic;
    return {
      peerCount: ring.memberCount,
      keyCount: BigInt(keys),
      holderCount: BigInt(holders),
      serviceCount: services,
      endpointCount: endpoints,
      guestCounts: Object.fromEntries(Object.entries(guestCounts()).filter(([, it]) => it > 0)),
      lookupCount: BigInt(ring.lookupCount),
      storedBytes: BigInt(bytes),
      receivedBytes: BigInt(receivedBytes),
      sentBytes: BigInt(sentBytes),
      startTime: timestampToWire(this.#startedAtMs),
      observeTime: timestampToWire(systemClock.now()),
    };
  }
}
