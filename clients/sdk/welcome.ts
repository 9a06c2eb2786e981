/** Who is in the ring, according to its directory. */
import {
  WelcomeServiceService,
  type WatchPeersResponse,
} from '../../proto/gen/ringbinder/v1/welcome_service.js';
import type { NodeChannel } from './channel.js';
import type { CallOptions } from './lasting-stream.js';
import { peerFrom, type Peer } from './messages.js';

export type MembershipEvent =
  | { readonly kind: 'snapshot'; readonly peers: readonly Peer[] }
  | { readonly kind: 'joined' | 'left' | 'expired'; readonly peer: Peer };

export class WelcomeApi {
  readonly #channel: NodeChannel;

  constructor(channel: NodeChannel) {
    this.#channel = channel;
  }

  async getPeer(ringId: number, options?: CallOptions): Promise<Peer> {
    const request = { ringId: BigInt(ringId) };
    return peerFrom(
      (await this.#channel.unary(WelcomeServiceService.getPeer, request, options)).peer,
    );
  }

  /** Every member, page by page, in ring order. */
  async *peers(options?: CallOptions): AsyncGenerator<Peer, void, void> {
    let pageToken = '';
    do {
      const request = { pageSize: 1_000, pageToken };
      const page = await this.#channel.unary(WelcomeServiceService.listPeers, request, options);
      yield* page.peers.map(peerFrom);
      pageToken = page.nextPageToken;
    } while (pageToken !== '');
  }

  /** Everyone first, then each change as it happens; heartbeats are left out. */
  async *watch(options?: CallOptions): AsyncGenerator<MembershipEvent, void, void> {
    for await (const wire of this.#channel.stream(WelcomeServiceService.watchPeers, {}, options)) {
      const event = eventFrom(wire);
      if (event !== undefined) yield event;
    }
  }
}

function eventFrom({ event }: WatchPeersResponse): MembershipEvent | undefined {
  switch (event?.$case) {
    case 'snapshot':
      return { kind: 'snapshot', peers: event.value.peers.map(peerFrom) };
    case 'joined':
    case 'left':
    case 'expired':
      return { kind: event.$case, peer: peerFrom(event.value.peer) };
    default:
      return undefined;
  }
}
