/** A node's part in the ring, put together: its membership, its guests, its links, and the gRPC faces. */
import { randomUUID } from 'node:crypto';
import type { Client } from '@grpc/grpc-js';
import type { Logger } from 'pino';
import {
  NodeServiceService,
  type DescribeNodeResponse,
} from '../../proto/gen/ringbinder/internal/v1/node_service.js';
import type { Config } from '../config.js';
import { GUESTS_MAX, INBOX_LIMITS } from '../limits.js';
import { remoteDirectory, type Directory } from '../node/directory.js';
import { Guests, type Deliver } from '../node/guests.js';
import { Membership } from '../node/membership.js';
import { Notebook, type NodeMemory } from '../node/notebook.js';
import type { Ring } from '../node/ring-finder.js';
import { PeerApplication } from '../peer/application.js';
import { MEMBER_LIMITS } from '../peer/core/member.js';
import { isGuest, type PeerRef } from '../peer/core/ring-space.js';
import { PeerDriver, type PeerEvent } from '../peer/driver.js';
import { PeerFace, type Seat } from '../peer/face.js';
import { createPeerHandler } from '../peer/handler.js';
import { InboxKeeper } from '../peer/inbox-keeper.js';
import { PeerLinks } from '../peer/link.js';
import { createNodeHandler } from '../peer/node-handler.js';
import { peerToWire, stageToWire } from '../peer/wire.js';
import type { PeerStreams } from '../peer/stream/streams.js';
import { callUnary } from '../rpc/channel.js';
import { connectTo } from '../rpc/node-client.js';
import type { NodeStores } from '../storage/open-stores.js';
import { systemChance } from '../system/chance.js';
import { systemClock } from '../system/clock.js';
import type { DirectoryPart } from './directory.js';
import { StreamsPart } from './streams.js';

/** How long a node may take to describe itself. */
const DESCRIBE_TIMEOUT_MS = 2_000;
/** A guest that leaves tells its neighbours, which takes a second at most. */
const END_TIMEOUT_MS = 3_000;

export type RingPartDeps = {
  readonly config: Config;
  readonly stores: NodeStores;
  readonly memory: NodeMemory | undefined;
  readonly directory: DirectoryPart;
  /** Told of what happens to this peer, and of its lookups. */
  readonly watched: {
    readonly event: (kind: PeerEvent['kind']) => void;
    readonly lookupEnded: (hops: number | undefined) => void;
  };
  readonly log: Logger;
};

export class RingPart {
  readonly #deps: RingPartDeps;
  /** By it this process recognizes itself. */
  readonly #processName = randomUUID();
  readonly #inbox = new InboxKeeper({ clock: systemClock, limits: INBOX_LIMITS });
  #ring: Ring | undefined;
  #links: PeerLinks | undefined;
  #seat: Seat | undefined;
  #membership: Membership | undefined;
  #guests: Guests | undefined;

  readonly face = new PeerFace(() => this.#seat);
  readonly application = new PeerApplication(this.face);

  readonly #streams: StreamsPart;

  constructor(deps: RingPartDeps) {
    this.#deps = deps;
    const { face, application } = this;
    const { answerTimeoutMs } = deps.config;
    const describe = describeNode;
    this.#streams = new StreamsPart({ face, application, describe, answerTimeoutMs });
  }

  get streams(): PeerStreams {
    return this.#streams.streams;
  }

  /** The ring, once it is known. */
  get ring(): Ring | undefined {
    return this.#ring;
  }

  /** Members that this node knows, itself included. */
  get memberCount(): number {
    if (this.#seat === undefined) return 0;
    const { state, acquaintances, routes } = this.#seat.driver;
    const known = [state.self, ...acquaintances, ...routes.peers()];
    return new Set(known.map(({ ringId }) => ringId)).size;
  }

  /** Streams with other peers. */
  get streamCount(): number {
    return this.#streams.streams.count;
  }

  get isMember(): boolean {
    return this.#seat?.driver.state.stage === 'member';
  }

  /** Lookups that this node has done. */
  get lookupCount(): number {
    return this.#seat?.driver.lookupCount ?? 0;
  }

  /** For applications and for other peers. */
  peerHandler() {
    const { face, application } = this;
    const ringSize = (): number => this.ringSize;
    const handlers = createPeerHandler({ face, application, inbox: this.#inbox, ringSize });
    return { ...handlers, openStream: this.#streams.openStream() };
  }

  /** For other nodes. */
  nodeHandler() {
    const describe = (): DescribeNodeResponse => this.#describe();
    const endGuest = async (ringId: number): Promise<boolean> =>
      (await this.#guests?.end(ringId)) ?? false;
    const handlers = createNodeHandler({ face: this.face, describe, endGuest });
    return { ...handlers, ...this.#streams.peerHandlers() };
  }

  /** Throws `PEER_NOT_MEMBER` before it is known. */
  get ringSize(): number {
    return this.#ring?.size ?? this.face.seat.ringSize;
  }

  /**
   * Resolves when this node is a member of a ring: of the one whose directory it holds, or of that of
   * others. Rejects with a `StartError`.
   */
  async enter(address: string, ownRing: Ring | undefined): Promise<PeerDriver> {
    this.#ring = ownRing;
    this.#membership = this.#createMembership(address, ownRing);
    return this.#membership.enter();
  }

  /** Who can be taken in; the node must be a member. */
  openGuests(): Guests {
    const { config, directory, log } = this.#deps;
    const ring = this.#ring;
    if (ring === undefined) throw new Error('a node has guests only as a member');
    this.#guests = new Guests({
      face: this.face,
      directory: directory.directoryOf(ring),
      directoryAddress: ring.directoryAddress,
      createDriver: (self, deliver) => this.#createDriver(ring, self, deliver),
      guestsMax: GUESTS_MAX,
      renewIntervalMs: renewIntervalMs(config),
      clock: systemClock,
      log: log.child({ component: 'guests' }),
    });
    return this.#guests;
  }

  /** The directory of the ring, for whoever closes it; the node must be a member. */
  openDirectory(): Directory {
    const ring = this.#ring;
    if (ring === undefined) throw new Error('a node knows its directory only as a member');
    return this.#deps.directory.directoryOf(ring);
  }

  /** Takes a guest of another node out of the ring; false when it has none such. */
  async endGuestOf({ ringId, host }: PeerRef): Promise<boolean> {
    if (host === undefined) return false;
    const request = { ringId: BigInt(ringId), ringName: this.#ring?.name ?? '' };
    const { existed } = await withClient(host, async (client) =>
      callUnary(client, NodeServiceService.endGuest, request, { timeoutMs: END_TIMEOUT_MS }),
    );
    return existed;
  }

  /** Takes the guests out of the ring, then the node itself; bounded in time. */
  async leave(): Promise<void> {
    await this.#guests?.close();
    await this.#membership?.leave();
  }

  close(): void {
    this.#streams.close();
    this.#links?.close();
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

  #createMembership(address: string, ownRing: Ring | undefined): Membership {
    const { config, memory, stores, directory, log } = this.#deps;
    return new Membership({
      address,
      join: config.join,
      joinTimeoutMs: config.joinTimeoutMs,
      renewIntervalMs: renewIntervalMs(config),
      isRouteCacheOn: config.routeCache > 0,
      memory,
      notebook: new Notebook(stores.node),
      ownRing,
      isShared: directory.isShared,
      finder: { describe: describeNode, processName: this.#processName },
      directoryOf: (ring) => directory.directoryOf(ring),
      entranceOf: (ring) => remoteDirectory(ring.directoryAddress, ring.size),
      listedMembers: async () => directory.members.filter((peer) => !isGuest(peer)),
      openSeat: (ring, self) => this.#openSeat(ring, self),
      clock: systemClock,
      log: log.child({ component: 'membership' }),
    });
  }

  #openSeat(ring: Ring, self: PeerRef): PeerDriver {
    this.#ring = ring;
    const driver = this.#createDriver(ring, self, (letter) => this.#inbox.deliver(letter));
    this.#seat = { driver, ringName: ring.name, ringSize: ring.size };
    logPeerEvents(driver, this.#deps.log.child({ component: 'peer' }));
    driver.onEvent(({ kind }) => this.#deps.watched.event(kind));
    return driver;
  }

  #createDriver(ring: Ring, self: PeerRef, deliver: Deliver): PeerDriver {
    const { config, log } = this.#deps;
    this.#links ??= new PeerLinks({
      clock: systemClock,
      answerTimeoutMs: config.answerTimeoutMs,
      ringSize: ring.size,
      ringName: ring.name,
    });
    return new PeerDriver({
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
      links: this.#links,
      deliver,
      lookupEnded: this.#deps.watched.lookupEnded,
      log: log.child({ component: 'peer' }),
    });
  }
}

function renewIntervalMs({ membershipTtlMs }: Config): number {
  return Math.ceil(membershipTtlMs / 3);
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

async function describeNode(address: string): Promise<DescribeNodeResponse> {
  const options = { timeoutMs: DESCRIBE_TIMEOUT_MS };
  return withClient(address, async (client) =>
    callUnary(client, NodeServiceService.describeNode, {}, options),
  );
}

async function withClient<Result>(
  address: string,
  use: (client: Client) => Promise<Result>,
): Promise<Result> {
  const client = connectTo(address);
  try {
    return await use(client);
  } finally {
    client.close();
  }
}
