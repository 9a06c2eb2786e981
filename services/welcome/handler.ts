/** The gRPC face of the membership: WelcomeService, on the node that holds the directory. */
import type {
  WatchPeersResponse,
  WelcomeServiceServer,
} from '../../proto/gen/ringbinder/v1/welcome_service.js';
import {
  HEARTBEAT,
  optionalPeerToWire,
  peerFromWire,
  peerToWire,
  requiredPeer,
} from '../peer/wire.js';
import type { Handlers } from '../rpc/handlers.js';
import { ringIdFromWire } from '../rpc/wire-ring-id.js';
import { ageToWire, durationToWire, timestampToWire } from '../rpc/wire-time.js';
import type { WatchItem } from '../rpc/watch-queue.js';
import type { WelcomeKeeper } from './keeper.js';
import type { MembershipEvent } from './member-table.js';

export type WelcomeHandlerDeps = { readonly keeper: WelcomeKeeper; readonly ringSize: number };

export function createWelcomeHandler({
  keeper,
  ringSize,
}: WelcomeHandlerDeps): Handlers<WelcomeServiceServer> {
  return {
    join: async ({ peer }) => {
      const joined = await keeper.join(peerFromWire(requiredPeer(peer), ringSize));
      return {
        first: joined.isFirst,
        predecessor: optionalPeerToWire(joined.predecessor),
        successor: optionalPeerToWire(joined.successor),
        contacts: joined.contacts.map(peerToWire),
        leaseTtl: durationToWire(joined.leaseTtlMs),
      };
    },
    renewMembership: async ({ ringId }) => {
      const { leaseTtlMs } = await keeper.renew(ringIdFromWire(ringId, ringSize));
      return { leaseTtl: durationToWire(leaseTtlMs) };
    },
    leave: async ({ ringId }) => {
      await keeper.leave(ringIdFromWire(ringId, ringSize));
      return {};
    },
    getPeer: async ({ ringId }) => ({
      peer: peerToWire(await keeper.getPeer(ringIdFromWire(ringId, ringSize))),
      age: ageToWire(keeper.ageMs),
    }),
    getRoutingTable: async ({ ringId }) => {
      const entries = await keeper.getRoutingTable(ringIdFromWire(ringId, ringSize));
      return {
        entries: entries.map(({ start, peer }) => ({
          start: BigInt(start),
          peer: peerToWire(peer),
        })),
        age: ageToWire(keeper.ageMs),
      };
    },
    listPeers: async ({ pageSize, pageToken }) => {
      const { peers, nextPageToken } = await keeper.list(pageSize, pageToken);
      return { peers: peers.map(peerToWire), nextPageToken, age: ageToWire(keeper.ageMs) };
    },
    watchPeers: async function* (_request, { signal }) {
      for await (const item of keeper.watch(signal)) yield watchEventToWire(item);
    },
  };
}

function watchEventToWire({
  sequence,
  observedAtMs,
  event,
}: WatchItem<MembershipEvent>): WatchPeersResponse {
  return {
    sequence: BigInt(sequence),
    observeTime: timestampToWire(observedAtMs),
    event: membershipEventToWire(event),
  };
}

function membershipEventToWire(
  event: MembershipEvent | undefined,
): NonNullable<WatchPeersResponse['event']> {
  if (event === undefined) return { $case: 'heartbeat', value: HEARTBEAT };
  if (event.kind === 'snapshot') {
    return { $case: 'snapshot', value: { peers: event.peers.map(peerToWire) } };
  }
  return { $case: event.kind, value: { peer: peerToWire(event.peer) } };
}
