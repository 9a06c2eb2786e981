/**
 * The directory as a node uses it for itself: get a ring ID, enter the membership, renew it, end it.
 *
 * The node that founded the ring holds the directory and calls its keepers; every other node calls
 * that one. A directory that does not answer is `DIRECTORY_UNREACHABLE`.
 */
import { HashServiceService } from '../../proto/gen/ringbinder/v1/hash_service.js';
import { WelcomeServiceService } from '../../proto/gen/ringbinder/v1/welcome_service.js';
import { RingbinderError } from '../errors.js';
import type { HashKeeper } from '../hash/keeper.js';
import { DIRECTORY_TIMEOUT_MS } from '../limits.js';
import type { PeerRef, RingId } from '../peer/core/ring-space.js';
import { peerFromWire, peerToWire } from '../peer/wire.js';
import { callUnary } from '../rpc/channel.js';
import { connectTo } from '../rpc/node-client.js';
import { durationFromWire } from '../rpc/wire-time.js';
import type { WelcomeKeeper } from '../welcome/keeper.js';

export type Admission = { readonly contacts: readonly PeerRef[]; readonly leaseTtlMs: number };

export interface Directory {
  /** The ring ID of an address; assigned now when it has none. */
  assign(address: string): Promise<RingId>;
  /** Enters a peer, or its new life; refused with `RING_FORMING`, `RING_ID_TAKEN`. */
  join(peer: PeerRef): Promise<Admission>;
  /** Refused with `PEER_NOT_MEMBER` when the membership has ended. */
  renew(ringId: RingId): Promise<void>;
  leave(ringId: RingId): Promise<void>;
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
    close: () => client.close(),
  };
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
