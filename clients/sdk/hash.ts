/** Ring IDs for addresses, and positions of keys. */
import { HashServiceService } from '../../proto/gen/ringbinder/v1/hash_service.js';
import type { NodeChannel } from './channel.js';
import type { CallOptions } from './lasting-stream.js';

export type Assignment = { readonly address: string; readonly ringId: number };

export class HashApi {
  readonly #channel: NodeChannel;

  constructor(channel: NodeChannel) {
    this.#channel = channel;
  }

  async assignRingId(address: string, options?: CallOptions): Promise<number> {
    const wire = await this.#channel.unary(HashServiceService.assignRingId, { address }, options);
    return Number(wire.ringId);
  }

  async getRingId(address: string, options?: CallOptions): Promise<number> {
    const wire = await this.#channel.unary(HashServiceService.getRingId, { address }, options);
    return Number(wire.ringId);
  }

  async getAddress(ringId: number, options?: CallOptions): Promise<string> {
    const request = { ringId: BigInt(ringId) };
    return (await this.#channel.unary(HashServiceService.getAddress, request, options)).address;
  }

  async releaseRingId(address: string, options?: CallOptions): Promise<number> {
    const wire = await this.#channel.unary(HashServiceService.releaseRingId, { address }, options);
    return Number(wire.ringId);
  }

  /** Position of a key on the ring of the connected node. */
  async hashKey(key: string, options?: CallOptions): Promise<number> {
    return Number((await this.#channel.unary(HashServiceService.hashKey, { key }, options)).ringId);
  }

  /** Every assignment, page by page, in the order of the addresses. */
  async *assignments(options?: CallOptions): AsyncGenerator<Assignment, void, void> {
    let pageToken = '';
    do {
      const request = { pageSize: 1_000, pageToken };
      const page = await this.#channel.unary(HashServiceService.listAssignments, request, options);
      for (const { address, ringId } of page.assignments) yield { address, ringId: Number(ringId) };
      pageToken = page.nextPageToken;
    } while (pageToken !== '');
  }
}
