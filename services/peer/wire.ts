/** Peers, questions and answers between the wire and the ring core. */
import { Peer, type Heartbeat } from '../../proto/gen/ringbinder/v1/ring.js';
import type { PeerView as WireView } from '../../proto/gen/ringbinder/v1/monitor_service.js';
import {
  PeerStage,
  type Caller,
  type GetNeighborsResponse,
  type InboxMessage,
  type LookupHop,
  type PingResponse,
} from '../../proto/gen/ringbinder/v1/peer_service.js';
import { RingbinderError } from '../errors.js';
import { ringIdFromWire } from '../rpc/wire-ring-id.js';
import { durationFromWire, durationToWire } from '../rpc/wire-time.js';
import type { Hop, Letter, Neighbors, Stage } from './core/messages.js';
import type { PeerRef } from './core/ring-space.js';
import type { PeerView } from './core/routing-table.js';

export const HEARTBEAT: Heartbeat = {};

/** An incarnation beyond the safe integers belongs to no peer of ours. */
export function peerFromWire(wire: Peer, ringSize: number): PeerRef {
  const ringId = ringIdFromWire(wire.ringId, ringSize);
  if (wire.incarnation > BigInt(Number.MAX_SAFE_INTEGER)) {
    const text = `incarnation ${String(wire.incarnation)} is above 2^53 - 1`;
    const violations = [{ field: 'incarnation', description: text }];
    throw new RingbinderError('REQUEST_INVALID', text, {}, { violations });
  }
  const peer = { ringId, address: wire.address, incarnation: Number(wire.incarnation) };
  return wire.hostAddress === undefined ? peer : { ...peer, host: wire.hostAddress };
}

export function peerToWire({ ringId, address, incarnation, host }: PeerRef): Peer {
  const hostAddress = host;
  return { ringId: BigInt(ringId), address, incarnation: BigInt(incarnation), hostAddress };
}

export function optionalPeerFromWire(
  wire: Peer | undefined,
  ringSize: number,
): PeerRef | undefined {
  return wire === undefined ? undefined : peerFromWire(wire, ringSize);
}

export function optionalPeerToWire(peer: PeerRef | undefined): Peer | undefined {
  return peer === undefined ? undefined : peerToWire(peer);
}

/** A peer that a rule says is there; `Peer` of zeros otherwise, which no rule lets pass. */
export function requiredPeer(wire: Peer | undefined): Peer {
  return wire ?? Peer.create();
}

export function neighborsToWire({
  self,
  predecessor,
  successors,
}: Neighbors): GetNeighborsResponse {
  return {
    self: peerToWire(self),
    predecessor: optionalPeerToWire(predecessor),
    successors: successors.map(peerToWire),
    incarnation: BigInt(self.incarnation),
  };
}

export function neighborsFromWire(wire: GetNeighborsResponse, ringSize: number): Neighbors {
  return {
    self: peerFromWire(requiredPeer(wire.self), ringSize),
    predecessor: optionalPeerFromWire(wire.predecessor, ringSize),
    successors: wire.successors.map((peer) => peerFromWire(peer, ringSize)),
  };
}

const STAGE_TO_WIRE: Readonly<Record<Stage, PeerStage>> = {
  outside: PeerStage.PEER_STAGE_JOINING,
  joining: PeerStage.PEER_STAGE_JOINING,
  member: PeerStage.PEER_STAGE_MEMBER,
  left: PeerStage.PEER_STAGE_LEFT,
};

export function stageToWire(stage: Stage): PeerStage {
  return STAGE_TO_WIRE[stage];
}

/** A stage that is newer than this node counts as not being a member. */
export function stageFromWire(wire: PeerStage): Stage {
  return wire === PeerStage.PEER_STAGE_MEMBER ? 'member' : 'outside';
}

type AliveAnswer = {
  readonly self: PeerRef;
  readonly predecessor: PeerRef | undefined;
  readonly stage: Stage;
};

export function aliveToWire({ self, predecessor, stage }: AliveAnswer): PingResponse {
  return {
    self: peerToWire(self),
    incarnation: BigInt(self.incarnation),
    predecessor: optionalPeerToWire(predecessor),
    stage: stageToWire(stage),
  };
}

export function aliveFromWire(wire: PingResponse, ringSize: number): AliveAnswer {
  return {
    self: peerFromWire(requiredPeer(wire.self), ringSize),
    predecessor: optionalPeerFromWire(wire.predecessor, ringSize),
    stage: stageFromWire(wire.stage),
  };
}

export function callerToWire(from: PeerRef, ringName: string, to: PeerRef): Caller {
  return {
    peer: peerToWire(from),
    ringName,
    expectedIncarnation: BigInt(to.incarnation),
    toRingId: BigInt(to.ringId),
  };
}

export function letterToWire({ messageId, fromRingId, payload, path }: Letter): InboxMessage {
  return {
    messageId,
    fromRingId: BigInt(fromRingId),
    payload: Buffer.from(payload),
    path: path.map(peerToWire),
  };
}

export function letterFromWire(wire: InboxMessage, ringSize: number): Letter {
  return {
    messageId: wire.messageId,
    fromRingId: ringIdFromWire(wire.fromRingId, ringSize),
    payload: wire.payload,
    path: wire.path.map((peer) => peerFromWire(peer, ringSize)),
  };
}

export function hopFromWire({ peer, latency }: LookupHop, ringSize: number): Hop {
  const elapsedMs = latency === undefined ? 0 : durationFromWire(latency);
  return { peer: peerFromWire(requiredPeer(peer), ringSize), elapsedMs };
}

export function hopToWire({ peer, elapsedMs }: Hop): LookupHop {
  return { peer: peerToWire(peer), latency: durationToWire(elapsedMs) };
}

export function viewToWire({ self, predecessor, successors, fingers }: PeerView): WireView {
  return {
    peer: peerToWire(self),
    predecessor: optionalPeerToWire(predecessor),
    successors: successors.map(peerToWire),
    fingers: fingers.map(({ start, peer }) => ({
      start: BigInt(start),
      peer: optionalPeerToWire(peer),
    })),
    incarnation: BigInt(self.incarnation),
  };
}

export function viewFromWire(wire: WireView, ringSize: number): PeerView {
  return {
    self: peerFromWire(requiredPeer(wire.peer), ringSize),
    predecessor: optionalPeerFromWire(wire.predecessor, ringSize),
    successors: wire.successors.map((peer) => peerFromWire(peer, ringSize)),
    fingers: wire.fingers.map(({ start, peer }) => ({
      start: ringIdFromWire(start, ringSize),
      peer: optionalPeerFromWire(peer, ringSize),
    })),
  };
}
