/** The gRPC face of a peer: PeerService. */
import {
  LookupMode,
  type LookupRequest,
  type PeerServiceServer,
  type WatchMessagesResponse,
} from '../../proto/gen/ringbinder/v1/peer_service.js';
import { positionOfKey } from '../hash/core/digest.js';
import type { Handlers } from '../rpc/handlers.js';
import { ringIdFromWire } from '../rpc/wire-ring-id.js';
import { timestampToWire } from '../rpc/wire-time.js';
import type { WatchItem } from '../rpc/watch-queue.js';
import type { LookupManner } from './core/find-owner.js';
import type { Letter } from './core/messages.js';
import type { PeerApplication } from './application.js';
import type { PeerFace } from './face.js';
import type { InboxKeeper } from './inbox-keeper.js';
import {
  aliveToWire,
  HEARTBEAT,
  hopToWire,
  letterToWire,
  neighborsToWire,
  peerFromWire,
  peerToWire,
  requiredPeer,
} from './wire.js';

export type PeerHandlerDeps = {
  readonly face: PeerFace;
  readonly application: PeerApplication;
  readonly inbox: InboxKeeper;
  readonly ringSize: () => number;
};

export function createPeerHandler(deps: PeerHandlerDeps): Partial<Handlers<PeerServiceServer>> {
  const { face, application, inbox, ringSize } = deps;
  return {
    getNeighbors: async ({ caller }) =>
      neighborsToWire(await face.ask(caller, { kind: 'neighbors' }, 'neighbors')),

    findSuccessor: async ({ ringId, avoidedPeers, alternatesMax, caller }) => {
      const position = ringIdFromWire(ringId, ringSize());
      const avoided = avoidedPeers.map((peer) => peerFromWire(peer, ringSize()));
      const question = { kind: 'find-successor', position, avoided, alternatesMax } as const;
      const { kind, peer, alternates } = await face.ask(caller, question, 'owner', 'next-hop');
      return {
        answer: { $case: kind === 'owner' ? 'owner' : 'nextHop', value: peerToWire(peer) },
        alternates: alternates?.map(peerToWire) ?? [],
      };
    },

    notify: async ({ candidate, caller }) => {
      const peer = peerFromWire(requiredPeer(candidate), ringSize());
      await face.ask(caller, { kind: 'notify', candidate: peer }, 'noted');
      return {};
    },

    ping: async ({ caller }) => aliveToWire(await face.ask(caller, { kind: 'ping' }, 'alive')),

    lookup: async ({ target, ...wishes }, { deadlineMs }) => {
      const position =
        target?.$case === 'key'
          ? positionOfKey(target.value, ringSize())
          : ringIdFromWire(target?.value ?? 0n, ringSize());
      const { owner, hops } = await application.lookup(position, {
        ...mannerFromWire(wishes),
        patienceMs: deadlineMs ?? Number.POSITIVE_INFINITY,
      });
      return { ringId: BigInt(position), owner: peerToWire(owner), hops: hops.map(hopToWire) };
    },

    sendMessage: async ({ toRingId, payload, messageId }) => {
      const to = ringIdFromWire(toRingId, ringSize());
      const receipt = await application.send(to, payload, messageId);
      return { messageId: receipt.messageId, path: receipt.path.map(peerToWire) };
    },

    watchMessages: async function* (_request, { signal }) {
      for await (const item of inbox.watch(signal)) yield watchEventToWire(item);
    },
  };
}

function mannerFromWire({
  mode,
  parallelism,
  skipRouteCache,
}: Omit<LookupRequest, 'target'>): Omit<LookupManner, 'patienceMs'> {
  return {
    mode: mode === LookupMode.LOOKUP_MODE_RECURSIVE ? 'recursive' : 'iterative',
    parallelism: Math.max(1, parallelism),
    usesCache: !skipRouteCache,
  };
}

function watchEventToWire({
  sequence,
  observedAtMs,
  event,
}: WatchItem<Letter>): WatchMessagesResponse {
  return {
    sequence: BigInt(sequence),
    observeTime: timestampToWire(observedAtMs),
    event:
      event === undefined
        ? { $case: 'heartbeat', value: HEARTBEAT }
        : { $case: 'message', value: letterToWire(event) },
  };
}
