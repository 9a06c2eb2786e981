/** The gRPC face of a node towards other nodes: NodeService. */
import type {
  DescribeNodeResponse,
  NodeServiceServer,
} from '../../proto/gen/ringbinder/internal/v1/node_service.js';
import { InboxMessage } from '../../proto/gen/ringbinder/v1/peer_service.js';
import type { Handlers } from '../rpc/handlers.js';
import type { PeerFace } from './face.js';
import { letterFromWire, peerFromWire, requiredPeer } from './wire.js';

export type NodeHandlerDeps = {
  readonly face: PeerFace;
  readonly describe: () => DescribeNodeResponse;
};

export function createNodeHandler({
  face,
  describe,
}: NodeHandlerDeps): Partial<Handlers<NodeServiceServer>> {
  return {
    describeNode: async () => describe(),

    announceDeparture: async ({ peer, caller }) => {
      const departed = peerFromWire(requiredPeer(peer), face.seat.ringSize);
      await face.ask(caller, { kind: 'departure', peer: departed }, 'noted');
      return {};
    },

    nudgePeer: async ({ caller }) => {
      await face.ask(caller, { kind: 'nudge' }, 'noted');
      return {};
    },

    deliverMessage: async ({ message, caller }) => {
      const letter = letterFromWire(message ?? InboxMessage.create(), face.seat.ringSize);
      await face.ask(caller, { kind: 'deliver', letter }, 'delivered');
      return {};
    },
  };
}
