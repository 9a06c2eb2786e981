/** From the services' answers to what the dashboard's page reads. */
import type { Timestamp } from '../../proto/gen/google/protobuf/timestamp.js';
import {
  Health,
  type Endpoint,
  type Evidence,
} from '../../proto/gen/ringbinder/v1/binder_service.js';
import type {
  GetResponse,
  ListHoldersResponse,
} from '../../proto/gen/ringbinder/v1/dht_service.js';
import {
  RingState,
  type CheckRingResponse,
  type GetStatsResponse,
  type PeerView,
  type TraceLookupResponse,
  type WatchTopologyResponse,
} from '../../proto/gen/ringbinder/v1/monitor_service.js';
import type { Peer } from '../../proto/gen/ringbinder/v1/ring.js';
import { durationFromWire, timestampFromWire } from '../rpc/wire-time.js';
import type {
  EndpointJson,
  EventsJson,
  EvidenceJson,
  HealthJson,
  KeyJson,
  PeerJson,
  RingStateJson,
  StatsJson,
  TopologyJson,
  TraceJson,
  VerdictJson,
  ViewJson,
} from './messages.js';

const STATES: Readonly<Partial<Record<RingState, RingStateJson>>> = {
  [RingState.RING_STATE_FORMING]: 'forming',
  [RingState.RING_STATE_IDEAL]: 'ideal',
  [RingState.RING_STATE_REPAIRING]: 'repairing',
  [RingState.RING_STATE_BROKEN]: 'broken',
};

const HEALTHS: Readonly<Partial<Record<Health, HealthJson>>> = {
  [Health.HEALTH_HEALTHY]: 'healthy',
  [Health.HEALTH_UNHEALTHY]: 'unhealthy',
};

/** One event of the page's stream. */
export type PageEvent = {
  readonly [Name in keyof EventsJson]: { readonly name: Name; readonly data: EventsJson[Name] };
}[keyof EventsJson];

export function peerToJson(peer: Peer | undefined): PeerJson {
  const { ringId = 0n, address = '', hostAddress } = peer ?? {};
  const json = { ringId: Number(ringId), address };
  return hostAddress === undefined ? json : { ...json, host: hostAddress };
}

export function viewToJson(view: PeerView | undefined): ViewJson {
  const { predecessor, successors = [], fingers = [], incarnation = 0n } = view ?? {};
  return {
    peer: peerToJson(view?.peer),
    ...(predecessor === undefined ? {} : { predecessor: peerToJson(predecessor) }),
    successors: successors.map(peerToJson),
    fingers: fingers.map(({ start, peer }) => ({
      start: Number(start),
      ...(peer === undefined ? {} : { to: Number(peer.ringId) }),
    })),
    incarnation: Number(incarnation),
  };
}

export function topologyToJson(topology: {
  readonly views: readonly PeerView[];
  readonly unreachable: readonly Peer[];
}): TopologyJson {
  return {
    views: topology.views.map(viewToJson),
    unreachable: topology.unreachable.map(peerToJson),
  };
}

export function eventToJson({ event }: WatchTopologyResponse): PageEvent {
  switch (event?.$case) {
    case 'snapshot':
      return { name: 'snapshot', data: topologyToJson(event.value) };
    case 'changed':
      return { name: 'changed', data: viewToJson(event.value.view) };
    case 'unreachable':
    case 'removed':
      return { name: event.$case, data: peerToJson(event.value.peer) };
    case 'heartbeat':
    case undefined:
      return { name: 'heartbeat', data: {} };
  }
}

export function verdictToJson(verdict: CheckRingResponse): VerdictJson {
  const { memberCount, principalCount, successorsMax, stable, observeTime } = verdict;
  return {
    state: STATES[verdict.state] ?? 'unknown',
    memberCount,
    principalCount,
    successorsMax,
    isStable: stable,
    violations: verdict.violations.map(({ rule, peers, text }) => ({
      rule,
      peers: peers.map(peerToJson),
      text,
    })),
    unreachable: verdict.unreachable.map(peerToJson),
    observedAtMs: msOf(observeTime),
  };
}

export function statsToJson(stats: GetStatsResponse): StatsJson {
  const { peerCount, serviceCount, endpointCount, guestCounts, startTime } = stats;
  return {
    peerCount,
    serviceCount,
    endpointCount,
    guestCounts,
    keyCount: Number(stats.keyCount),
    holderCount: Number(stats.holderCount),
    lookupCount: Number(stats.lookupCount),
    storedBytes: Number(stats.storedBytes),
    receivedBytes: Number(stats.receivedBytes),
    sentBytes: Number(stats.sentBytes),
    startedAtMs: msOf(startTime),
  };
}

export function traceToJson({ ringId, origin, owner, hops }: TraceLookupResponse): TraceJson {
  return {
    position: Number(ringId),
    origin: peerToJson(origin),
    owner: peerToJson(owner),
    hops: hops.map(({ peer, latency }) => ({
      peer: peerToJson(peer),
      latencyMs: latency === undefined ? 0 : durationFromWire(latency),
    })),
  };
}

export function keyToJson(
  { ringId, owner }: TraceLookupResponse,
  found: GetResponse | undefined,
  { holders, nextPageToken }: ListHoldersResponse,
): KeyJson {
  return {
    position: Number(ringId),
    owner: peerToJson(owner),
    ...(found === undefined ? {} : { value: valueToJson(found) }),
    holders: holders.map(({ address, expireTime }) => ({
      address,
      expiresAtMs: msOf(expireTime),
    })),
    hasMoreHolders: nextPageToken !== '',
  };
}

export function endpointToJson({ address, health, metadata }: Endpoint): EndpointJson {
  return { address, health: HEALTHS[health] ?? 'unknown', metadata };
}

export function evidenceToJson(evidence: Evidence): EvidenceJson {
  const { observer, check, outcome, rule, time } = evidence;
  return { observer, check, outcome, rule, observedAtMs: msOf(time) };
}

function valueToJson({ value, version, expireTime, receipt }: GetResponse): KeyJson['value'] & {} {
  return {
    sizeBytes: value.length,
    version,
    ...(expireTime === undefined ? {} : { expiresAtMs: msOf(expireTime) }),
    copiesAnswered: receipt?.answered ?? 0,
    copiesAsked: receipt?.asked ?? 0,
  };
}

function msOf(time: Timestamp | undefined): number {
  return time === undefined ? 0 : timestampFromWire(time);
}
