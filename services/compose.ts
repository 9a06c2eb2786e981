/** The composition root: the only file that names concrete classes together. */
import type { Logger } from 'pino';
import { NodeServiceService } from '../proto/gen/ringbinder/internal/v1/node_service.js';
import { RegistryServiceService } from '../proto/gen/ringbinder/internal/v1/registry_service.js';
import { TableServiceService } from '../proto/gen/ringbinder/internal/v1/table_service.js';
import { BinderServiceService } from '../proto/gen/ringbinder/v1/binder_service.js';
import { DhtServiceService } from '../proto/gen/ringbinder/v1/dht_service.js';
import { HashServiceService } from '../proto/gen/ringbinder/v1/hash_service.js';
import { MonitorServiceService } from '../proto/gen/ringbinder/v1/monitor_service.js';
import { PeerServiceService } from '../proto/gen/ringbinder/v1/peer_service.js';
import { WelcomeServiceService } from '../proto/gen/ringbinder/v1/welcome_service.js';
import { BinderPart } from './compose/binder.js';
import { DashboardPart } from './compose/dashboard.js';
import { DirectoryPart } from './compose/directory.js';
import { localCalls } from './compose/legacy/local-calls.js';
import { LegacyPart } from './compose/legacy/part.js';
import { MetricsPart, repairsOf } from './compose/metrics.js';
import { MonitorPart } from './compose/monitor.js';
import { RingPart } from './compose/ring.js';
import { TablePart } from './compose/table.js';
import type { Config } from './config.js';
import { DIRECTORY_TIMEOUT_MS } from './limits.js';
import type { Readings } from './metrics/meters.js';
import { directoryUnreachable } from './node/directory.js';
import { Notebook, type NodeMemory } from './node/notebook.js';
import { StartError } from './node/start-error.js';
import { CARRY_STREAM, OPEN_STREAM } from './peer/stream/wire-chunk.js';
import { Forwarder } from './rpc/forward.js';
import { OVERALL } from './rpc/health.js';
import { RpcServer } from './rpc/server.js';
import { openStores, type NodeStores } from './storage/open-stores.js';
import { systemClock } from './system/clock.js';

const SERVICES = {
  hash: HashServiceService,
  welcome: WelcomeServiceService,
  peer: { ...PeerServiceService, openStream: OPEN_STREAM },
  monitor: MonitorServiceService,
  dht: DhtServiceService,
  binder: BinderServiceService,
} as const;

export type Node = {
  /** Resolves when the node is a member of its ring and serves; rejects with a `StartError`. */
  start(): Promise<void>;
  /** Leaves the ring, lets calls end, closes the stores. Harmless when repeated. */
  stop(): Promise<void>;
};

/** `requestStop` is called when a caller asks for the end of this node. */
export async function composeNode(
  config: Config,
  log: Logger,
  requestStop: () => void,
): Promise<Node> {
  if (!config.roles.includes('peer')) {
    throw new StartError('--roles must contain peer: in this version every node is in the ring');
  }
  const { stores, listen } = await openStores(config, log.child({ component: 'store' }));
  const memory = await new Notebook(stores.node).read();
  return new ComposedNode({ config, listen, log, stores, memory, requestStop });
}

type Parts = {
  readonly config: Config;
  /** Where to listen; with a port when the data directory is named after it. */
  readonly listen: string;
  readonly log: Logger;
  readonly stores: NodeStores;
  readonly memory: NodeMemory | undefined;
  readonly requestStop: () => void;
};

class ComposedNode implements Node {
  readonly #parts: Parts;
  readonly #metrics: MetricsPart;
  readonly #dashboard = new DashboardPart();
  readonly #server: RpcServer;
  readonly #closers: (() => void | Promise<void>)[] = [];
  readonly #forwarder: Forwarder;
  readonly #directory: DirectoryPart;
  readonly #peer: RingPart;
  readonly #table: TablePart;
  readonly #binder: BinderPart;
  readonly #legacy: LegacyPart;
  readonly #monitor: MonitorPart;

  constructor(parts: Parts) {
    this.#parts = parts;
    const { config, log } = parts;
    this.#metrics = new MetricsPart(() => this.#readings());
    const { meters } = this.#metrics;
    this.#server = new RpcServer({
      log: log.child({ component: 'rpc' }),
      clock: systemClock,
      ended: (path, status, ms) => meters.callEnded(path, status, ms),
    });
    this.#forwarder = new Forwarder({
      target: () => this.#peer.ring?.directoryAddress,
      timeoutMs: DIRECTORY_TIMEOUT_MS,
      unreachable: directoryUnreachable,
    });
    const { stores, requestStop } = parts;
    this.#directory = new DirectoryPart({
      ...parts,
      survey: async () => this.#peer.face.seat.driver.survey(),
    });
    const directory = this.#directory;
    this.#peer = new RingPart({
      ...parts,
      directory,
      watched: {
        event: (kind) => meters.ringEvent(kind),
        lookupEnded: (hops) => meters.lookupEnded(hops),
      },
    });
    const { face } = this.#peer;
    this.#table = new TablePart({
      config,
      stores,
      requestStop,
      face,
      log: log.child({ component: 'dht' }),
    });
    this.#binder = new BinderPart({
      config,
      stores,
      face,
      log: log.child({ component: 'binder' }),
    });
    const { legacy, legacyPeer, legacyRate } = config;
    this.#legacy = new LegacyPart({
      legacy,
      legacyPeer,
      legacyRate,
      calls: localCalls({
        config,
        table: this.#table,
        binder: this.#binder,
        ring: { part: this.#peer, log: log.child({ component: 'guests' }) },
        streams: this.#peer.streams,
        requestStop,
      }),
      noted: (dialect, { direction, what }) => meters.legacyMessage(dialect, direction, what),
      log: log.child({ component: 'legacy' }),
    });
    this.#monitor = new MonitorPart({
      ring: this.#peer,
      table: this.#table,
      binder: this.#binder,
      server: this.#server,
      guestCounts: () => this.#legacy.programCounts,
    });
    this.#closers.push(
      async () => stores.close(),
      () => this.#monitor.close(),
      async () => this.#table.close(),
      () => this.#directory.close(),
      () => this.#binder.close(),
      () => this.#peer.close(),
      async () => this.#legacy.close(),
      async () => this.#metrics.close(),
      async () => this.#dashboard.close(),
    );
  }

  async start(): Promise<void> {
    const { config, log } = this.#parts;
    const terms = await this.#directory.open();
    this.#addServices();
    this.#setServing('NOT_SERVING');
    const bound = await this.#listen();
    const address = config.advertise ?? bound;
    const ownRing = terms && { ...terms, directoryAddress: address };
    const driver = await this.#peer.enter(address, ownRing);
    const { ring } = this.#peer;
    if (ring !== undefined) {
      await this.#table.open(driver, ring);
      if (config.roles.includes('binder')) await this.#binder.open(driver, ring);
    }
    const isFounder = config.join.length === 0;
    const legacy = await this.#legacy.open({ isOnByDefault: isFounder });
    const metrics = await this.#metrics.open(config.metrics, isFounder, log);
    this.#setServing('SERVING');
    const { ringId } = driver.state.self;
    const dashboard = await this.#openDashboard(bound);
    const places = { legacy, metrics, dashboard };
    log.info({ address, listen: bound, ...places, ringId, ring }, 'ringbinder ready');
  }

  async stop(): Promise<void> {
    this.#setServing('NOT_SERVING');
    await this.#binder.leave();
    await this.#table.handAllOver();
    await this.#peer.leave();
    await this.#server.drain(this.#parts.config.drainTimeoutMs);
    this.#forwarder.close();
    for (const close of this.#closers.splice(0).reverse()) await close();
  }

  async #listen(): Promise<string> {
    const { listen } = this.#parts;
    try {
      return await this.#server.listen(listen);
    } catch (thrown) {
      const isTaken = (thrown as NodeJS.ErrnoException).code === 'EADDRINUSE';
      const text = thrown instanceof Error ? thrown.message : String(thrown);
      throw new StartError(
        isTaken ? `${listen} is taken by another program; --listen chooses another port` : text,
        thrown,
      );
    }
  }

  async #openDashboard(bound: string): Promise<string> {
    const { config, log } = this.#parts;
    const { seat } = this.#peer.face;
    const node = () => {
      const { ringId, address } = seat.driver.state.self;
      return { ringId, address, ringName: seat.ringName, ringSize: seat.ringSize };
    };
    const isFounder = config.join.length === 0;
    return this.#dashboard.open(config.dashboard, isFounder, { target: bound, node, log });
  }

  #setServing(status: 'SERVING' | 'NOT_SERVING'): void {
    this.#server.health.set(OVERALL, status);
    for (const role of this.#parts.config.roles) {
      const [{ path }] = Object.values(SERVICES[role]) as [{ readonly path: string }];
      this.#server.health.set(path.split('/')[1] ?? '', status);
    }
  }

  #readings(): Readings {
    const { size, counts } = this.#table.readings;
    return {
      isMember: this.#peer.isMember,
      members: this.#peer.memberCount,
      guests: this.#legacy.programCounts,
      streams: this.#peer.streamCount,
      tableRecords: size.records,
      tableBytes: size.bytes,
      repairs: repairsOf(counts),
      ...this.#binder.counts,
      ...this.#server.traffic,
    };
  }

  #addServices(): void {
    const { roles } = this.#parts.config;
    const handlers = {
      ...this.#directory.handlers(() => this.#peer.ringSize, this.#forwarder),
      peer: this.#peer.peerHandler(),
      monitor: this.#monitor.handler(),
      dht: this.#table.dhtHandler((address, dialect) => this.#legacy.introduce(address, dialect)),
      binder: this.#binder.binderHandler(),
    };
    for (const [role, definition] of Object.entries(SERVICES)) {
      const name = role as keyof typeof SERVICES;
      if (roles.includes(name)) this.#server.add(definition, handlers[name]);
      else this.#server.addNotServed(definition);
    }
    this.#server.add(
      { ...NodeServiceService, carryStream: CARRY_STREAM },
      this.#peer.nodeHandler(),
    );
    this.#server.add(TableServiceService, this.#table.peerHandler());
    const isBinder = roles.includes('binder');
    if (isBinder) this.#server.add(RegistryServiceService, this.#binder.registryHandler());
    else this.#server.addNotServed(RegistryServiceService);
  }
}
