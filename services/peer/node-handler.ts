/** The gRPC face of a node towards other nodes: NodeService. */
import type {
  DescribeNodeResponse,
  NodeServiceServer,
} from '../../proto/gen/ringbinder/internal/v1/node_service.js';
import { InboxMessage } from '../../proto/gen/ringbinder/v1/peer_service.js';
import type { Handlers } from '../rpc/handlers.js';
import { ringIdFromWire } from '../rpc/wire-ring-id.js';
import { FORWARD_MS_MAX } from './core/forward.js';
import type { RingId } from './core/ring-space.js';
import type { PeerFace } from './face.js';
import {
  hopToWire,
  letterFromWire,
  peerFromWire,
  peerToWire,
  requiredPeer,
  viewToWire,
} from './wire.js';

export type NodeHandlerDeps = {
  readonly face: PeerFace;
  readonly describe: () => DescribeNodeResponse;
  /** False when this node has no such guest. */
  readonly endGuest: (ringId: RingId) => Promise<boolean>;
};

export function createNodeHandler({
  face,
  describe,
  endGuest,
}: NodeHandlerDeps): Partial<Handlers<NodeServiceServer>> {
  return {
    describeNode: async () => describe(),

    showPeer: async ({ caller }) => ({ view: viewToWire(face.view(caller)) }),

    announceDeparture: async ({ peer, caller }) => {
      const departed = peerFromWire(requiredPeer(peer), face.seat.ringSize);
      await face.ask(caller, { kind: 'departure', peer: departed }, 'noted');
      return {};
    },

    nudgePeer: async ({ caller }) => {
      await face.ask(caller, { kind: 'nudge' }, 'noted');
      return {};
    },

    forwardLookup: async ({ ringId, avoidedPeers, hopsMax, caller }, { deadlineMs }) => {
      const { ringSize } = face.seat;
      const question = {
        kind: 'forward-lookup',
        position: ringIdFromWire(ringId, ringSize),
        avoided: avoidedPeers.map((peer) => peerFromWire(peer, ringSize)),
        hopsMax,
        budgetMs: Math.min(FORWARD_MS_MAX, deadlineMs ?? FORWARD_MS_MAX),
      } as const;
      const { owner, hops } = await face.ask(caller, question, 'found');
      return { owner: peerToWire(owner), hops: hops.map(hopToWire) };
    },

    deliverMessage: async ({ message, caller }) => {
      const letter = letterFromWire(message ?? InboxMessage.create(), face.seat.ringSize);
      await face.ask(caller, { kind: 'deliver', letter }, 'delivered');
      return {};
    },

    endGuest: async ({ ringId, ringName }) => {
      face.assertRing(ringName);
      return { existed: await endGuest(ringIdFromWire(ringId, face.seat.ringSize)) };
    },
  };
}
