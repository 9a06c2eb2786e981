/** The ring, as an application uses it: lookups, messages, neighbours. */
import {
  LookupMode,
  PeerServiceService,
  type LookupRequest,
  type OpenStreamTarget,
} from '../../proto/gen/ringbinder/v1/peer_service.js';
import type { NodeChannel } from './channel.js';
import type { CallOptions } from './lasting-stream.js';
import { durationToMs, peerFrom, type Peer } from './messages.js';
import { PeerStream } from './peer-stream.js';

export type Lookup = {
  readonly ringId: number;
  readonly owner: Peer;
  /** Who was asked, the owner last; empty when the asked node is the owner. */
  readonly hops: readonly { readonly peer: Peer; readonly latencyMs: number }[];
};

export type LookupOptions = CallOptions & {
  /** Who drives the way from peer to peer: the connected node, or each peer on it. */
  readonly mode?: 'iterative' | 'recursive';
  /** Questions under way at once, 1 to 3; default 1. */
  readonly parallelism?: number;
  /** Goes the whole way, and not first to the member remembered as the owner. */
  readonly skipRouteCache?: boolean;
};

export type Neighbors = {
  readonly self: Peer;
  readonly predecessor: Peer | undefined;
  readonly successors: readonly Peer[];
};

export type Message = {
  readonly messageId: string;
  readonly fromRingId: number;
  readonly payload: Uint8Array;
  readonly path: readonly Peer[];
};

export type Receipt = { readonly messageId: string; readonly path: readonly Peer[] };

export type StreamOptions = {
  /** Tells streams between the same two peers from each other; default the empty one. */
  readonly name?: string;
};

const MODES = {
  iterative: LookupMode.LOOKUP_MODE_ITERATIVE,
  recursive: LookupMode.LOOKUP_MODE_RECURSIVE,
} as const;

export class PeerApi {
  readonly #channel: NodeChannel;
  /** Those that are open, by whom and what they were asked for. */
  readonly #streams = new Map<string, PeerStream>();

  constructor(channel: NodeChannel) {
    this.#channel = channel;
  }

  async lookupKey(key: string, options?: LookupOptions): Promise<Lookup> {
    return this.#lookup({ target: { $case: 'key', value: key } }, options);
  }

  async lookupRingId(ringId: number, options?: LookupOptions): Promise<Lookup> {
    return this.#lookup({ target: { $case: 'ringId', value: BigInt(ringId) } }, options);
  }

  async neighbors(options?: CallOptions): Promise<Neighbors> {
    const wire = await this.#channel.unary(PeerServiceService.getNeighbors, {}, options);
    return {
      self: peerFrom(wire.self),
      predecessor: wire.predecessor === undefined ? undefined : peerFrom(wire.predecessor),
      successors: wire.successors.map(peerFrom),
    };
  }

  /** Sends a message to exactly this ring ID. A repeat with the same `messageId` arrives once. */
  async send(
    toRingId: number,
    payload: Uint8Array,
    options: CallOptions & { readonly messageId?: string } = {},
  ): Promise<Receipt> {
    const request = {
      toRingId: BigInt(toRingId),
      payload: Buffer.from(payload),
      messageId: options.messageId ?? '',
    };
    const wire = await this.#channel.unary(PeerServiceService.sendMessage, request, options);
    return { messageId: wire.messageId, path: wire.path.map(peerFrom) };
  }

  /** The messages for the connected node, as they come; heartbeats are left out. */
  async *messages(options?: CallOptions): AsyncGenerator<Message, void, void> {
    for await (const { event } of this.#channel.stream(
      PeerServiceService.watchMessages,
      {},
      options,
    )) {
      if (event?.$case !== 'message') continue;
      const { messageId, fromRingId, payload, path } = event.value;
      yield { messageId, fromRingId: Number(fromRingId), payload, path: path.map(peerFrom) };
    }
  }

  /**
   * The stream of a name with another peer, by its ring ID or its address: one and the same for as long
   * as it is open. It connects when it is used. `pair://host:port` is a program that speaks raw TCP.
   */
  stream(to: number | string, { name = '' }: StreamOptions = {}): PeerStream {
    const target: OpenStreamTarget['target'] =
      typeof to === 'number'
        ? { $case: 'toRingId', value: BigInt(to) }
        : { $case: 'toAddress', value: to };
    const key = `${to}\n${name}`;
    const known = this.#streams.get(key);
    if (known !== undefined && !known.destroyed) return known;
    const stream = new PeerStream(this.#channel, { target, name });
    this.#streams.set(key, stream);
    stream.once('close', () => {
      if (this.#streams.get(key) === stream) this.#streams.delete(key);
    });
    return stream;
  }

  /** The next stream of a name that another peer opens to the connected node; wait for `open`. */
  acceptStream({ name = '' }: StreamOptions = {}): PeerStream {
    return new PeerStream(this.#channel, { target: { $case: 'accept', value: {} }, name });
  }

  async #lookup(
    { target }: Pick<LookupRequest, 'target'>,
    options: LookupOptions = {},
  ): Promise<Lookup> {
    const { mode = 'iterative', parallelism = 0, skipRouteCache = false } = options;
    const request = { target, mode: MODES[mode], parallelism, skipRouteCache };
    const wire = await this.#channel.unary(PeerServiceService.lookup, request, options);
    return {
      ringId: Number(wire.ringId),
      owner: peerFrom(wire.owner),
      hops: wire.hops.map(({ peer, latency }) => ({
        peer: peerFrom(peer),
        latencyMs: durationToMs(latency),
      })),
    };
  }
}
