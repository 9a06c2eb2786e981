/**
 * The directory as a node uses it for itself: get a ring ID, enter the membership, renew it, end it,
 * and see who else is in.
 *
 * The node that founded the ring holds the directory and calls its keepers; every other node calls
 * that one. A directory that does not answer is `DIRECTORY_UNREACHABLE`.
 */
import { HashServiceService } from '../../proto/gen/ringbinder/v1/hash_service.js';
import {
  WelcomeServiceService,
  type WatchPeersResponse,
} from '../../proto/gen/ringbinder/v1/welcome_service.js';
import { RingbinderError } from '../errors.js';
import type { HashKeeper } from '../hash/keeper.js';
import { DIRECTORY_TIMEOUT_MS } from '../limits.js';
import type { PeerRef, RingId } from '../peer/core/ring-space.js';
import { peerFromWire, peerToWire, requiredPeer } from '../peer/wire.js';
import { callServerStream, callUnary } from '../rpc/channel.js';
import { connectTo } from '../rpc/node-client.js';
import { durationFromWire } from '../rpc/wire-time.js';
import type { MembershipEvent, WelcomeKeeper } from '../welcome/keeper.js';

export type Admission = { readonly contacts: readonly PeerRef[]; readonly leaseTtlMs: number };

export interface Directory {
  /** The ring ID of an address; assigned now when it has none. */
  assign(address: string): Promise<RingId>;
  /** Enters a peer, or its new life; refused with `RING_FORMING`, `RING_ID_TAKEN`. */
  join(peer: PeerRef): Promise<Admission>;
  /** Refused with `PEER_NOT_MEMBER` when the membership has ended. */
  renew(ringId: RingId): Promise<void>;
  leave(ringId: RingId): Promise<void>;
  /** A snapshot of the members, then each change. Ends by the signal; throws when it breaks off. */
  watch(signal: AbortSignal): AsyncIterable<MembershipEvent>;
  close(): void;
}

export function localDirectory(hash: HashKeeper, welcome: WelcomeKeeper): Directory {
  return {
    assign: async (address) => (await hash.assign(address)).ringId,
    join: async (peer) => welcome.join(peer),
    renew: async (ringId) => {
      await welcome.renew(ringId);
    },
    leave: async (ringId) => welcome.leave(ringId),
    watch: async function* (signal) {
      for await (const { event } of welcome.watch(signal)) if (event !== undefined) yield event;
    },
    close: () => undefined,
  };
}

export function remoteDirectory(address: string, ringSize: number): Directory {
  const client = connectTo(address);
  const options = { timeoutMs: DIRECTORY_TIMEOUT_MS };
  const reach = async <Result>(call: Promise<Result>): Promise<Result> =>
    call.catch((thrown: unknown) => {
      throw thrown instanceof RingbinderError ? thrown : directoryUnreachable(address, thrown);
    });
  return {
    assign: async (peerAddress) => {
      const request = { address: peerAddress };
      return Number(
        (await reach(callUnary(client, HashServiceService.assignRingId, request, options))).ringId,
      );
    },
    join: async (peer) => {
      const request = { peer: peerToWire(peer) };
      const { contacts, leaseTtl } = await reach(
        callUnary(client, WelcomeServiceService.join, request, options),
      );
      return {
        contacts: contacts.map((contact) => peerFromWire(contact, ringSize)),
        leaseTtlMs: leaseTtl === undefined ? 0 : durationFromWire(leaseTtl),
      };
    },
    renew: async (ringId) => {
      const request = { ringId: BigInt(ringId) };
      await reach(callUnary(client, WelcomeServiceService.renewMembership, request, options));
    },
    leave: async (ringId) => {
      await reach(
        callUnary(client, WelcomeServiceService.leave, { ringId: BigInt(ringId) }, options),
      );
    },
    watch: async function* (signal) {
      const method = WelcomeServiceService.watchPeers;
      for await (const { event } of callServerStream(client, method, {}, { signal })) {
        const told = eventFromWire(event, ringSize);
        if (told !== undefined) yield told;
      }
    },
    close: () => client.close(),
  };
}

/** Undefined for heartbeats, and for what only newer nodes tell. */
function eventFromWire(
  event: WatchPeersResponse['event'],
  ringSize: number,
): MembershipEvent | undefined {
  switch (event?.$case) {
    case 'snapshot':
      return {
        kind: 'snapshot',
        peers: event.value.peers.map((peer) => peerFromWire(peer, ringSize)),
      };
    case 'joined':
    case 'left':
    case 'expired': {
      const peer = peerFromWire(requiredPeer(event.value.peer), ringSize);
      return { kind: event.$case, peer };
    }
    default:
      return undefined;
  }
}

export function directoryUnreachable(
  address: string | undefined,
  cause?: unknown,
): RingbinderError {
  const where = address ?? 'an address that is not known yet';
  const text = `the node that holds the directory, at ${where}, does not answer`;
  const facts = { directoryAddress: address ?? '' };
  return new RingbinderError('DIRECTORY_UNREACHABLE', text, facts, { retryAfterMs: 1_000, cause });
}
