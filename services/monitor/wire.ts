/** Views, topologies and verdicts between the wire and the monitor's core. */
import {
  RingState,
  type CheckRingResponse,
  type PeerView as WireView,
  type WatchTopologyResponse,
} from '../../proto/gen/ringbinder/v1/monitor_service.js';
import { HEARTBEAT, peerToWire, viewToWire } from '../peer/wire.js';
import { timestampToWire } from '../rpc/wire-time.js';
import type { WatchItem } from '../rpc/watch-queue.js';
import type { Topology, TopologyChange } from './core/topology.js';
import type { RingCondition, RingVerdict } from './core/verdict.js';

/** Beyond so many members views go without fingers: an answer must fit a message. */
const FINGERS_MEMBERS_MAX = 1_000;
const VIOLATIONS_MAX = 100;
const VIOLATION_PEERS_MAX = 16;
const UNREACHABLE_MAX = 100;

export type TopologyEvent =
  { readonly kind: 'snapshot'; readonly topology: Topology } | TopologyChange;

export function topologyToWire({ views, unreachable }: Topology): {
  views: WireView[];
  unreachable: ReturnType<typeof peerToWire>[];
} {
  const hasFingers = views.length <= FINGERS_MEMBERS_MAX;
  return {
    views: views.map((view) => viewToWire(hasFingers ? view : { ...view, fingers: [] })),
    unreachable: unreachable.map(peerToWire),
  };
}

export function topologyEventToWire({
  sequence,
  observedAtMs,
  event,
}: WatchItem<TopologyEvent>): WatchTopologyResponse {
  return {
    sequence: BigInt(sequence),
    observeTime: timestampToWire(observedAtMs),
    event: eventToWire(event),
  };
}

function eventToWire(event: TopologyEvent | undefined): WatchTopologyResponse['event'] {
  switch (event?.kind) {
    case undefined:
      return { $case: 'heartbeat', value: HEARTBEAT };
    case 'snapshot':
      return { $case: 'snapshot', value: topologyToWire(event.topology) };
    case 'changed':
      return { $case: 'changed', value: { view: viewToWire(event.view) } };
    case 'unreachable':
    case 'removed':
      return { $case: event.kind, value: { peer: peerToWire(event.peer) } };
  }
}

const STATE_TO_WIRE: Readonly<Record<RingCondition, RingState>> = {
  forming: RingState.RING_STATE_FORMING,
  ideal: RingState.RING_STATE_IDEAL,
  repairing: RingState.RING_STATE_REPAIRING,
  broken: RingState.RING_STATE_BROKEN,
};

export function verdictToWire(
  verdict: RingVerdict,
  successorsMax: number,
  observedAtMs: number,
): CheckRingResponse {
  return {
    state: STATE_TO_WIRE[verdict.condition],
    memberCount: verdict.memberCount,
    principalCount: verdict.principalCount,
    violations: verdict.violations.slice(0, VIOLATIONS_MAX).map(({ rule, peers, text }) => ({
      rule,
      peers: peers.slice(0, VIOLATION_PEERS_MAX).map(peerToWire),
      text,
    })),
    stable: verdict.isStable,
    successorsMax,
    unreachable: verdict.unreachable.slice(0, UNREACHABLE_MAX).map(peerToWire),
    observeTime: timestampToWire(observedAtMs),
  };
}
