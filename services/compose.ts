/** The composition root: the only file that names concrete classes together. */
import { randomUUID } from 'node:crypto';
import type { Logger } from 'pino';
import {
  NodeServiceService,
  type DescribeNodeResponse,
} from '../proto/gen/ringbinder/internal/v1/node_service.js';
import { RegistryServiceService } from '../proto/gen/ringbinder/internal/v1/registry_service.js';
import { TableServiceService } from '../proto/gen/ringbinder/internal/v1/table_service.js';
import { BinderServiceService } from '../proto/gen/ringbinder/v1/binder_service.js';
import { DhtServiceService } from '../proto/gen/ringbinder/v1/dht_service.js';
import { HashServiceService } from '../proto/gen/ringbinder/v1/hash_service.js';
import { MonitorServiceService } from '../proto/gen/ringbinder/v1/monitor_service.js';
import { PeerServiceService } from '../proto/gen/ringbinder/v1/peer_service.js';
import { WelcomeServiceService } from '../proto/gen/ringbinder/v1/welcome_service.js';
import { BinderPart } from './compose/binder.js';
import { DirectoryPart } from './compose/directory.js';
import { localCalls } from './compose/legacy/local-calls.js';
import { LegacyPart } from './compose/legacy/part.js';
import { TablePart } from './compose/table.js';
import type { Config } from './config.js';
import { DIRECTORY_TIMEOUT_MS, INBOX_LIMITS } from './limits.js';
import { directoryUnreachable, remoteDirectory } from './node/directory.js';
import { Membership } from './node/membership.js';
import { Notebook, type NodeMemory } from './node/notebook.js';
import type { Ring } from './node/ring-finder.js';
import type { RingTerms } from './node/shared-ring.js';
import { StartError } from './node/start-error.js';
import { PeerApplication } from './peer/application.js';
import { MEMBER_LIMITS } from './peer/core/member.js';
import type { PeerRef } from './peer/core/ring-space.js';
import { PeerDriver } from './peer/driver.js';
import { PeerFace, type Seat } from './peer/face.js';
import { createPeerHandler } from './peer/handler.js';
import { InboxKeeper } from './peer/inbox-keeper.js';
import { PeerLinks } from './peer/link.js';
import { createNodeHandler } from './peer/node-handler.js';
import { peerToWire, stageToWire } from './peer/wire.js';
import { callUnary } from './rpc/channel.js';
import { Forwarder } from './rpc/forward.js';
import { OVERALL } from './rpc/health.js';
import { connectTo } from './rpc/node-client.js';
import { RpcServer } from './rpc/server.js';
import { openStores, type NodeStores } from './storage/open-stores.js';
import { systemChance } from './system/chance.js';
import { systemClock } from './system/clock.js';

const SERVICES = {
  hash: HashServiceService,
  welcome: WelcomeServiceService,
  peer: PeerServiceService,
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
  readonly #processName = randomUUID();
  readonly #server: RpcServer;
  readonly #inbox = new InboxKeeper({ clock: systemClock, limits: INBOX_LIMITS });
  readonly #face = new PeerFace(() => this.#seat);
  readonly #closers: (() => void | Promise<void>)[] = [];
  readonly #forwarder: Forwarder;
  readonly #table: TablePart;
  readonly #directory: DirectoryPart;
  readonly #binder: BinderPart;
  readonly #legacy: LegacyPart;
  /** The ring whose directory this node holds. */
  #ownRing: RingTerms | undefined;
  #ring: Ring | undefined;
  #seat: Seat | undefined;
  #membership: Membership | undefined;

  constructor(parts: Parts) {
    this.#parts = parts;
    const { config, log } = parts;
    this.#server = new RpcServer({ log: log.child({ component: 'rpc' }), clock: systemClock });
    this.#forwarder = new Forwarder({
      target: () => this.#ring?.directoryAddress,
      timeoutMs: DIRECTORY_TIMEOUT_MS,
      unreachable: directoryUnreachable,
    });
    const { stores, requestStop } = parts;
    this.#table = new TablePart({
      config,
      stores,
      requestStop,
      face: this.#face,
      log: log.child({ component: 'dht' }),
    });
    this.#directory = new DirectoryPart({
      ...parts,
      survey: async () => this.#face.seat.driver.survey(),
    });
    this.#binder = new BinderPart({
      config,
      stores,
      face: this.#face,
      log: log.child({ component: 'binder' }),
    });
    const { legacy, legacyPeer } = config;
    this.#legacy = new LegacyPart({
      legacy,
      legacyPeer,
      calls: localCalls({ config, table: this.#table, binder: this.#binder, requestStop }),
      log: log.child({ component: 'legacy' }),
    });
    this.#closers.push(
      async () => stores.close(),
      async () => this.#table.close(),
      () => this.#directory.close(),
      () => this.#binder.close(),
      async () => this.#legacy.close(),
    );
  }

  async start(): Promise<void> {
    const { config, log } = this.#parts;
    this.#ownRing = await this.#directory.open();
    this.#addServices();
    this.#setServing('NOT_SERVING');
    const bound = await this.#listen();
    const address = config.advertise ?? bound;
    if (this.#ownRing !== undefined) this.#ring = { ...this.#ownRing, directoryAddress: address };
    this.#membership = this.#createMembership(address);
    const driver = await this.#membership.enter();
    if (this.#ring !== undefined) {
      await this.#table.open(driver, this.#ring);
      if (config.roles.includes('binder')) await this.#binder.open(driver, this.#ring);
    }
    const legacy = await this.#legacy.open({ isOnByDefault: config.join.length === 0 });
    this.#setServing('SERVING');
    const { ringId } = driver.state.self;
    log.info({ address, listen: bound, legacy, ringId, ring: this.#ring }, 'ringbinder ready');
  }

  async stop(): Promise<void> {
    this.#setServing('NOT_SERVING');
    await this.#binder.leave();
    await this.#table.handAllOver();
    await this.#membership?.leave();
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

  #setServing(status: 'SERVING' | 'NOT_SERVING'): void {
    this.#server.health.set(OVERALL, status);
    for (const role of this.#parts.config.roles) {
      const [{ path }] = Object.values(SERVICES[role]) as [{ readonly path: string }];
      this.#server.health.set(path.split('/')[1] ?? '', status);
    }
  }

  // Services

  #addServices(): void {
    const { roles } = this.#parts.config;
    const ringSize = (): number => this.#ring?.size ?? this.#face.seat.ringSize;
    const handlers = {
      ...this.#directory.handlers(ringSize, this.#forwarder),
      peer: createPeerHandler({
        face: this.#face,
        application: new PeerApplication(this.#face),
        inbox: this.#inbox,
        ringSize,
      }),
      monitor: {},
      dht: this.#table.dhtHandler((address, dialect) => this.#legacy.introduce(address, dialect)),
      binder: this.#binder.binderHandler(),
    };
    for (const [role, definition] of Object.entries(SERVICES)) {
      const name = role as keyof typeof SERVICES;
      if (roles.includes(name)) this.#server.add(definition, handlers[name]);
      else this.#server.addNotServed(definition);
    }
    const describe = (): DescribeNodeResponse => this.#describe();
    this.#server.add(NodeServiceService, createNodeHandler({ face: this.#face, describe }));
    this.#server.add(TableServiceService, this.#table.peerHandler());
    const isBinder = roles.includes('binder');
    if (isBinder) this.#server.add(RegistryServiceService, this.#binder.registryHandler());
    else this.#server.addNotServed(RegistryServiceService);
  }

  #describe(): DescribeNodeResponse {
    const state = this.#seat?.driver.state;
    return {
      ringName: this.#ring?.name ?? '',
      ringSize: BigInt(this.#ring?.size ?? 0),
      successorsMax: this.#ring?.successorsMax ?? 0,
      copies: this.#ring?.copies ?? 0,
      directoryAddress: this.#ring?.directoryAddress ?? '',
      processName: this.#processName,
      self: state === undefined ? undefined : peerToWire(state.self),
      stage: stageToWire(state?.stage ?? 'outside'),
    };
  }

  // The ring

  #createMembership(address: string): Membership {
    const { config, log, memory, stores } = this.#parts;
    return new Membership({
      address,
      join: config.join,
      joinTimeoutMs: config.joinTimeoutMs,
      renewIntervalMs: Math.ceil(config.membershipTtlMs / 3),
      isRouteCacheOn: config.routeCache > 0,
      memory,
      notebook: new Notebook(stores.node),
      ownRing: this.#ownRing === undefined ? undefined : this.#ring,
      isShared: this.#directory.isShared,
      finder: { describe: describeNode, processName: this.#processName },
      directoryOf: (ring) => this.#directory.directoryOf(ring),
      entranceOf: (ring) => remoteDirectory(ring.directoryAddress, ring.size),
      listedMembers: async () => this.#directory.members,
      openSeat: (ring, self) => this.#openSeat(ring, self),
      clock: systemClock,
      log: log.child({ component: 'membership' }),
    });
  }

  #openSeat(ring: Ring, self: PeerRef): PeerDriver {
    const { config, log } = this.#parts;
    this.#ring = ring;
    const links = new PeerLinks({
      clock: systemClock,
      answerTimeoutMs: config.answerTimeoutMs,
      ringSize: ring.size,
      ringName: ring.name,
    });
    this.#closers.push(() => links.close());
    const driver = new PeerDriver({
      self,
      limits: {
        ...MEMBER_LIMITS,
        ringSize: ring.size,
        successorsMax: ring.successorsMax,
        routesMax: config.routeCache,
      },
      tickMs: config.tickMs,
      clock: systemClock,
      chance: systemChance,
      links,
      deliver: (letter) => this.#inbox.deliver(letter),
      log: log.child({ component: 'peer' }),
    });
    this.#seat = { driver, ringName: ring.name, ringSize: ring.size };
    logPeerEvents(driver, log.child({ component: 'peer' }));
    return driver;
  }
}

function logPeerEvents(driver: PeerDriver, log: Logger): void {
  driver.onEvent((event) => {
    const { self, predecessor, successors } = driver.state;
    switch (event.kind) {
      case 'joined':
      case 'founded':
        log.info({ self, predecessor, successors }, `${event.kind} the ring`);
        return;
      case 'lost':
        log.info({ peer: event.peer }, 'a peer is gone');
        return;
      case 'rejoining':
        log.warn({ contacts: event.contacts }, 'moving to the larger ring');
        return;
      case 'join-failed':
        log.debug({ tries: event.tries }, 'found no place in the ring yet');
    }
  });
}

/** How long a node may take to describe itself. */
const DESCRIBE_TIMEOUT_MS = 2_000;

async function describeNode(address: string): Promise<DescribeNodeResponse> {
  const client = connectTo(address);
  try {
    const options = { timeoutMs: DESCRIBE_TIMEOUT_MS };
    return await callUnary(client, NodeServiceService.describeNode, {}, options);
  } finally {
    client.close();
  }
}
