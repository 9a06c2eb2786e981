/** The gRPC face of what is seen of the ring: MonitorService. */
import type {
  GetStatsResponse,
  MonitorServiceServer,
} from '../../proto/gen/ringbinder/v1/monitor_service.js';
import { RingbinderError } from '../errors.js';
import { positionOfKey } from '../hash/core/digest.js';
import type { PeerApplication } from '../peer/application.js';
import type { PeerRef, RingId } from '../peer/core/ring-space.js';
import type { PeerFace } from '../peer/face.js';
import { peerToWire, viewToWire } from '../peer/wire.js';
import type { Handlers } from '../rpc/handlers.js';
import { ringIdFromWire } from '../rpc/wire-ring-id.js';
import { timestampToWire } from '../rpc/wire-time.js';
import type { Clock } from '../system/clock.js';
import { peerUnreachable, type MonitorLinks } from './link.js';
import type { Observatory } from './observatory.js';
import { topologyEventToWire, topologyToWire, verdictToWire } from './wire.js';

export type MonitorHandlerDeps = {
  readonly face: PeerFace;
  readonly application: PeerApplication;
  readonly observatory: Observatory;
  readonly links: MonitorLinks;
  readonly successorsMax: () => number;
  /** What this node holds and has done. */
  readonly stats: () => Promise<GetStatsResponse>;
  readonly clock: Clock;
};

export function createMonitorHandler(deps: MonitorHandlerDeps): Handlers<MonitorServiceServer> {
  const { face, observatory, links, successorsMax, stats, clock } = deps;
  const ringIdOf = (wire: bigint): RingId => ringIdFromWire(wire, face.seat.ringSize);
  return {
    getRoutingTable: async ({ ringId }) => {
      const peer = await memberAt(ringIdOf(ringId), deps);
      const view = await links.show(peer);
      if (view === 'not a member') throw notFound(peer.ringId);
      if (view === 'unreachable') throw peerUnreachable(peer);
      return { view: viewToWire(view) };
    },

    getTopology: async () => {
      const topology = await lookFrom(face, observatory);
      return { ...topologyToWire(topology), observeTime: timestampToWire(clock.now()) };
    },

    watchTopology: async function* (_request, { signal }) {
      assertMember(face);
      for await (const item of observatory.watch(signal)) yield topologyEventToWire(item);
    },

    traceLookup: async ({ target, fromRingId }) => {
      const { ringSize } = face.seat;
      const position =
        target?.$case === 'key'
          ? positionOfKey(target.value, ringSize)
          : ringIdOf(target?.value ?? 0n);
      const origin =
        fromRingId === undefined
          ? face.seat.driver.state.self
          : await memberAt(ringIdOf(fromRingId), deps);
      const { owner, hops } = await links.lookup(origin, position);
      return { owner, hops, ringId: BigInt(position), origin: peerToWire(origin) };
    },

    checkRing: async () => {
      assertMember(face);
      const verdict = await observatory.verdict(successorsMax());
      return verdictToWire(verdict, successorsMax(), clock.now());
    },

    getStats: async ({ ringId }) => {
      if (ringId === undefined) return stats();
      const peer = await memberAt(ringIdOf(ringId), deps);
      return peer.ringId === face.seat.driver.state.self.ringId ? stats() : links.stats(peer);
    },
  };
}

function assertMember(face: PeerFace): void {
  face.view(undefined);
}

async function lookFrom(face: PeerFace, observatory: Observatory) {
  assertMember(face);
  return observatory.look();
}

/** Throws `PEER_NOT_FOUND` or `LOOKUP_FAILED`. */
async function memberAt(
  ringId: RingId,
  { face, application }: Pick<MonitorHandlerDeps, 'face' | 'application'>,
): Promise<PeerRef> {
  const { self } = face.seat.driver.state;
  if (ringId === self.ringId) return self;
  const { owner } = await application.lookup(ringId);
  if (owner.ringId === ringId) return owner;
  throw notFound(ringId);
}

function notFound(ringId: RingId): RingbinderError {
  const text = `nobody has the ring ID ${ringId}`;
  return new RingbinderError('PEER_NOT_FOUND', text, { ringId: String(ringId) });
}
