/** A node's peer streams, put together: their table, and the connections that carry them. */
import type { Client } from '@grpc/grpc-js';
import {
  NodeServiceService,
  type DescribeNodeResponse,
} from '../../proto/gen/ringbinder/internal/v1/node_service.js';
import { isPairAddress, parsePairAddress } from '../legacy/pair/address.js';
import { dialPair } from '../legacy/pair/socket.js';
import { STREAM_LIMITS } from '../limits.js';
import type { PeerApplication } from '../peer/application.js';
import type { PeerRef } from '../peer/core/ring-space.js';
import type { PeerFace } from '../peer/face.js';
import { findTarget } from '../peer/stream/face.js';
import { createOpenStream, createStreamHandlers } from '../peer/stream/handler.js';
import { carryStream } from '../peer/stream/link.js';
import type { PeerStream } from '../peer/stream/peer-stream.js';
import { PeerStreams } from '../peer/stream/streams.js';
import { callerToWire } from '../peer/wire.js';
import { callUnary } from '../rpc/channel.js';
import { LinkPool } from '../rpc/link-pool.js';
import { connectAlone, connectTo } from '../rpc/node-client.js';
import { systemClock } from '../system/clock.js';

export type StreamsPartDeps = {
  readonly face: PeerFace;
  readonly application: PeerApplication;
  readonly describe: (address: string) => Promise<DescribeNodeResponse>;
  /** How long an invitation may take. */
  readonly answerTimeoutMs: number;
};

type Carrier = { readonly client: Client; streamCount: number };

export class StreamsPart {
  readonly #deps: StreamsPartDeps;
  /** Bytes of streams have connections of their own: the ring must not wait behind them. */
  readonly #carriers = new LinkPool<Carrier>({
    clock: systemClock,
    open: (address) => ({ client: connectAlone(address), streamCount: 0 }),
    close: ({ client }) => client.close(),
    isBusy: ({ streamCount }) => streamCount > 0,
  });
  readonly #clients = new LinkPool<Client>({
    clock: systemClock,
    open: connectTo,
    close: (client) => client.close(),
  });
  readonly streams: PeerStreams;

  constructor(deps: StreamsPartDeps) {
    this.#deps = deps;
    const self = (): PeerRef => deps.face.seat.driver.state.self;
    this.streams = new PeerStreams({
      self,
      carries: ({ address, ringId }) => isPairAddress(address) || self().ringId < ringId,
      carry: (stream) => this.#carry(stream),
      invite: async (peer, name) => this.#invite(peer, name),
      clock: systemClock,
      limits: STREAM_LIMITS,
    });
  }

  /** For applications. */
  openStream() {
    const { streams } = this;
    const { face } = this.#deps;
    return createOpenStream({ face, streams, find: async (it) => findTarget(it, this.#deps) });
  }

  /** For other peers. */
  peerHandlers() {
    return createStreamHandlers({ face: this.#deps.face, streams: this.streams });
  }

  close(): void {
    this.streams.close();
    this.#carriers.close();
    this.#clients.close();
  }

  #carry(stream: PeerStream): void {
    const raw = parsePairAddress(stream.peer.address);
    if (raw !== undefined) {
      dialPair(raw, stream);
      return;
    }
    const carrier = this.#carriers.get(stream.peer.address);
    carrier.streamCount += 1;
    carryStream(carrier.client, this.#callerTo(stream.peer), stream, () => {
      carrier.streamCount -= 1;
    });
  }

  async #invite(peer: PeerRef, name: string): Promise<void> {
    const request = { caller: this.#callerTo(peer), name };
    const options = { timeoutMs: this.#deps.answerTimeoutMs };
    const client = this.#clients.get(peer.address);
    await callUnary(client, NodeServiceService.inviteStream, request, options);
  }

  #callerTo(peer: PeerRef): ReturnType<typeof callerToWire> {
    const { driver, ringName } = this.#deps.face.seat;
    return callerToWire(driver.state.self, ringName, peer);
  }
}
