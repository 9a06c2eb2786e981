/** The TypeScript SDK: what others may import. */
import { BinderApi } from './binder.js';
import { NodeChannel, type ConnectOptions } from './channel.js';
import { DhtApi } from './dht.js';
import { HashApi } from './hash.js';
import { MonitorApi } from './monitor.js';
import { PeerApi } from './peer.js';
import { WelcomeApi } from './welcome.js';

/** A connection to one node; the node forwards what it cannot answer itself. */
export class Ringbinder {
  readonly hash: HashApi;
  readonly welcome: WelcomeApi;
  readonly peer: PeerApi;
  readonly monitor: MonitorApi;
  readonly dht: DhtApi;
  readonly binder: BinderApi;
  readonly #channel: NodeChannel;

  /** Connects at the first call; a node that is down makes calls fail, not this. */
  constructor(address: string, options: ConnectOptions = {}) {
    this.#channel = new NodeChannel(address, options);
    this.hash = new HashApi(this.#channel);
    this.welcome = new WelcomeApi(this.#channel);
    this.peer = new PeerApi(this.#channel);
    this.monitor = new MonitorApi(this.#channel);
    this.dht = new DhtApi(this.#channel);
    this.binder = new BinderApi(this.#channel);
  }

  /** Where the node is. */
  get address(): string {
    return this.#channel.address;
  }

  close(): void {
    this.#channel.close();
  }
}

export { Binders } from './binders.js';
export { CallError } from './errors.js';
export { Lease } from './lease.js';
export { PeerStream } from './peer-stream.js';
export { registerBinderResolver, type BinderResolverOptions } from './resolver/resolver.js';
export type { ConnectOptions } from './channel.js';
export type { CallOptions, LastingOptions } from './lasting-stream.js';
export type { Peer } from './messages.js';
export type { Assignment } from './hash.js';
export type { MembershipEvent } from './welcome.js';
export type {
  NodeStats,
  PeerView,
  RingState,
  RingVerdict,
  Topology,
  TopologyEvent,
  Trace,
} from './monitor.js';
export type { Lookup, LookupOptions, Message, Neighbors, Receipt, StreamOptions } from './peer.js';
export type {
  AnnouncedHolder,
  DhtReceipt,
  FoundValue,
  Holder,
  KeyListing,
  ReadOptions,
  RemovedValue,
  StoredKey,
  StoredValue,
  TtlOptions,
  WantEvent,
  WithdrawnHolder,
  WriteOptions,
} from './dht.js';
export type { BinderApi, Complaint, Explanation, Resolution, ServiceSummary } from './binder.js';
export type {
  CheckMethod,
  Endpoint,
  Evidence,
  Health,
  HealthCheck,
  ServiceEvent,
  Verdict,
} from './binder-messages.js';
export type {
  DeregisterOptions,
  EndpointName,
  LeaseEnd,
  LeaseOptions,
  Registration,
  RegisterOptions,
} from './lease.js';
