/** Asks a peer what it knows of the ring, over gRPC. */
import type { Client } from '@grpc/grpc-js';
import { NodeServiceService } from '../../proto/gen/ringbinder/internal/v1/node_service.js';
import {
  MonitorServiceService,
  type GetStatsResponse,
} from '../../proto/gen/ringbinder/v1/monitor_service.js';
import {
  LookupMode,
  PeerServiceService,
  type LookupResponse,
} from '../../proto/gen/ringbinder/v1/peer_service.js';
import { RingbinderError } from '../errors.js';
import { hostOf, type PeerRef, type RingId } from '../peer/core/ring-space.js';
import type { PeerView } from '../peer/core/routing-table.js';
import { viewFromWire } from '../peer/wire.js';
import { callUnary } from '../rpc/channel.js';
import { LinkPool } from '../rpc/link-pool.js';
import { connectTo } from '../rpc/node-client.js';
import type { Clock } from '../system/clock.js';

/** A peer that lives answers at once; one that does not must not hold up the rest. */
const SHOW_TIMEOUT_MS = 1_000;
const STATS_TIMEOUT_MS = 2_000;
/** The longest that a lookup may take. */
const LOOKUP_TIMEOUT_MS = 6_000;

export type MonitorLinksDeps = {
  readonly clock: Clock;
  readonly ringName: () => string;
  readonly ringSize: () => number;
};

export class MonitorLinks {
  readonly #deps: MonitorLinksDeps;
  readonly #clients: LinkPool<Client>;

  constructor(deps: MonitorLinksDeps) {
    this.#deps = deps;
    const close = (client: Client): void => client.close();
    this.#clients = new LinkPool({ clock: deps.clock, open: connectTo, close });
  }

  /** Never rejects. */
  async show(peer: PeerRef): Promise<PeerView | 'not a member' | 'unreachable'> {
    const { ringName, ringSize } = this.#deps;
    const toRingId = BigInt(peer.ringId);
    const caller = { peer: undefined, ringName: ringName(), expectedIncarnation: 0n, toRingId };
    const options = { timeoutMs: SHOW_TIMEOUT_MS };
    const client = this.#clients.get(hostOf(peer));
    try {
      const { view } = await callUnary(client, NodeServiceService.showPeer, { caller }, options);
      return view === undefined ? 'unreachable' : viewFromWire(view, ringSize());
    } catch (thrown) {
      return thrown instanceof RingbinderError ? 'not a member' : 'unreachable';
    }
  }

  /** A lookup by another peer, all the way. Rejects with its refusal, or with `PEER_UNREACHABLE`. */
  async lookup(by: PeerRef, position: RingId): Promise<LookupResponse> {
    const target = { $case: 'ringId', value: BigInt(position) } as const;
    const mode = LookupMode.LOOKUP_MODE_ITERATIVE;
    const request = { target, mode, parallelism: 0, skipRouteCache: true };
    const options = { timeoutMs: LOOKUP_TIMEOUT_MS };
    const client = this.#clients.get(hostOf(by));
    return reach(by, callUnary(client, PeerServiceService.lookup, request, options));
  }

  async stats(of: PeerRef): Promise<GetStatsResponse> {
    const options = { timeoutMs: STATS_TIMEOUT_MS };
    const client = this.#clients.get(hostOf(of));
    return reach(of, callUnary(client, MonitorServiceService.getStats, {}, options));
  }

  close(): void {
    this.#clients.close();
  }
}

async function reach<Result>(peer: PeerRef, call: Promise<Result>): Promise<Result> {
  return call.catch((thrown: unknown) => {
    throw thrown instanceof RingbinderError ? thrown : peerUnreachable(peer, thrown);
  });
}

export function peerUnreachable({ ringId, address }: PeerRef, cause?: unknown): RingbinderError {
  const text = `the peer ${ringId} at ${address} does not answer`;
  const facts = { ringId: String(ringId), address };
  return new RingbinderError('PEER_UNREACHABLE', text, facts, { cause, retryAfterMs: 1_000 });
}
