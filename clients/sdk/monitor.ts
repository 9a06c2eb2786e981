/** The whole ring, as the connected node sees it when it is asked. */
import {
  MonitorServiceService,
  type PeerView as WireView,
  type WatchTopologyResponse,
} from '../../proto/gen/ringbinder/v1/monitor_service.js';
import type { NodeChannel } from './channel.js';
import type { CallOptions } from './lasting-stream.js';
import { dateFrom, durationToMs, peerFrom, type Peer } from './messages.js';
import type { Lookup } from './peer.js';

export type PeerView = {
  readonly peer: Peer;
  readonly predecessor: Peer | undefined;
  readonly successors: readonly Peer[];
  readonly fingers: readonly { readonly start: number; readonly peer: Peer | undefined }[];
};

export type Topology = {
  /** Of all that answered, in ring order. */
  readonly views: readonly PeerView[];
  /** Who is named and did not answer. */
  readonly unreachable: readonly Peer[];
};

export type TopologyEvent =
  | ({ readonly kind: 'snapshot' } & Topology)
  | { readonly kind: 'changed'; readonly view: PeerView }
  | { readonly kind: 'unreachable' | 'removed'; readonly peer: Peer };

export type RingState = 'forming' | 'ideal' | 'repairing' | 'broken' | 'unknown';

export type RingVerdict = {
  readonly state: RingState;
  readonly memberCount: number;
  readonly principalCount: number;
  readonly successorsMax: number;
  /** Whether two looks in a row agreed. */
  readonly stable: boolean;
  readonly violations: readonly {
    readonly rule: string;
    readonly peers: readonly Peer[];
    readonly text: string;
  }[];
  readonly unreachable: readonly Peer[];
};

export type Trace = Lookup & { readonly origin: Peer };

export type NodeStats = {
  readonly peerCount: number;
  readonly keyCount: number;
  readonly holderCount: number;
  readonly serviceCount: number;
  readonly endpointCount: number;
  /** By dialect. */
  readonly guestCounts: Readonly<Record<string, number>>;
  readonly lookupCount: number;
  readonly storedBytes: number;
  readonly receivedBytes: number;
  readonly sentBytes: number;
  readonly startTime: Date | undefined;
};

const STATES: readonly RingState[] = ['unknown', 'forming', 'ideal', 'repairing', 'broken'];

export class MonitorApi {
  readonly #channel: NodeChannel;

  constructor(channel: NodeChannel) {
    this.#channel = channel;
  }

  /** What a peer knows of the ring, asked of itself. */
  async routingTable(ringId: number, options?: CallOptions): Promise<PeerView> {
    const request = { ringId: BigInt(ringId) };
    const { view } = await this.#channel.unary(
      MonitorServiceService.getRoutingTable,
      request,
      options,
    );
    return viewFrom(view);
  }

  async topology(options?: CallOptions): Promise<Topology> {
    const wire = await this.#channel.unary(MonitorServiceService.getTopology, {}, options);
    return { views: wire.views.map(viewFrom), unreachable: wire.unreachable.map(peerFrom) };
  }

  /** All views, then each change; heartbeats are left out. */
  async *watch(options?: CallOptions): AsyncGenerator<TopologyEvent, void, void> {
    const method = MonitorServiceService.watchTopology;
    for await (const wire of this.#channel.stream(method, {}, options)) {
      const event = eventFrom(wire);
      if (event !== undefined) yield event;
    }
  }

  /** The way of a lookup from a peer, by default from the connected node. */
  async trace(
    target: string | number,
    { from, ...options }: CallOptions & { readonly from?: number } = {},
  ): Promise<Trace> {
    const wire = await this.#channel.unary(
      MonitorServiceService.traceLookup,
      {
        target:
          typeof target === 'string'
            ? { $case: 'key', value: target }
            : { $case: 'ringId', value: BigInt(target) },
        fromRingId: from === undefined ? undefined : BigInt(from),
      },
      options,
    );
    return {
      ringId: Number(wire.ringId),
      owner: peerFrom(wire.owner),
      origin: peerFrom(wire.origin),
      hops: wire.hops.map(({ peer, latency }) => ({
        peer: peerFrom(peer),
        latencyMs: durationToMs(latency),
      })),
    };
  }

  /** Whether the ring is legal, from two looks at all of it. */
  async check(options?: CallOptions): Promise<RingVerdict> {
    const wire = await this.#channel.unary(MonitorServiceService.checkRing, {}, options);
    return {
      state: STATES[wire.state] ?? 'unknown',
      memberCount: wire.memberCount,
      principalCount: wire.principalCount,
      successorsMax: wire.successorsMax,
      stable: wire.stable,
      violations: wire.violations.map(({ rule, peers, text }) => ({
        rule,
        peers: peers.map(peerFrom),
        text,
      })),
      unreachable: wire.unreachable.map(peerFrom),
    };
  }

  /** What a node holds and has done, by default the connected one. */
  async stats({
    ringId,
    ...options
  }: CallOptions & { readonly ringId?: number } = {}): Promise<NodeStats> {
    const request = { ringId: ringId === undefined ? undefined : BigInt(ringId) };
    const wire = await this.#channel.unary(MonitorServiceService.getStats, request, options);
    return {
      peerCount: wire.peerCount,
      keyCount: Number(wire.keyCount),
      holderCount: Number(wire.holderCount),
      serviceCount: wire.serviceCount,
      endpointCount: wire.endpointCount,
      guestCounts: wire.guestCounts,
      lookupCount: Number(wire.lookupCount),
      storedBytes: Number(wire.storedBytes),
      receivedBytes: Number(wire.receivedBytes),
      sentBytes: Number(wire.sentBytes),
      startTime: wire.startTime && dateFrom(wire.startTime),
    };
  }
}

function viewFrom(wire: WireView | undefined): PeerView {
  return {
    peer: peerFrom(wire?.peer),
    predecessor: wire?.predecessor && peerFrom(wire.predecessor),
    successors: wire?.successors.map(peerFrom) ?? [],
    fingers:
      wire?.fingers.map(({ start, peer }) => ({
        start: Number(start),
        peer: peer && peerFrom(peer),
      })) ?? [],
  };
}

function eventFrom({ event }: WatchTopologyResponse): TopologyEvent | undefined {
  switch (event?.$case) {
    case 'snapshot':
      return {
        kind: 'snapshot',
        views: event.value.views.map(viewFrom),
        unreachable: event.value.unreachable.map(peerFrom),
      };
    case 'changed':
      return { kind: 'changed', view: viewFrom(event.value.view) };
    case 'unreachable':
    case 'removed':
      return { kind: event.$case, peer: peerFrom(event.value.peer) };
    default:
      return undefined;
  }
}
