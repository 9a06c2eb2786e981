/** What applications do with the ring: lookups and messages, with typed refusals. */
import { randomUUID } from 'node:crypto';
import { RingbinderError } from '../errors.js';
import { PAYLOAD_BYTES_MAX } from '../limits.js';
import type { LookupManner } from './core/find-owner.js';
import type { Hop } from './core/messages.js';
import type { PeerRef, RingId } from './core/ring-space.js';
import type { SendResult } from './core/send.js';
import type { PeerFace } from './face.js';

export type Found = { readonly owner: PeerRef; readonly hops: readonly Hop[] };
export type Receipt = { readonly messageId: string; readonly path: readonly PeerRef[] };

export class PeerApplication {
  readonly #face: PeerFace;

  constructor(face: PeerFace) {
    this.#face = face;
  }

  async lookup(position: RingId, manner?: LookupManner): Promise<Found> {
    const { driver } = this.#face.seat;
    const { owner, hops, timeouts } = await driver.lookup(position, manner);
    if (owner !== undefined) return { owner, hops };
    throw lookupFailed(position, timeouts);
  }

  /** `messageId` is made up when empty. */
  async send(to: RingId, payload: Uint8Array, messageId: string): Promise<Receipt> {
    if (payload.length > PAYLOAD_BYTES_MAX) throw payloadTooLarge(payload.length);
    const draft = { messageId: messageId === '' ? randomUUID() : messageId, payload };
    const result = await this.#face.seat.driver.send(to, draft);
    if (result.kind === 'delivered') return { messageId: draft.messageId, path: result.path };
    throw sendRefusal(to, result);
  }
}

function lookupFailed(position: RingId, timeouts: number): RingbinderError {
  const text = `no way to position ${position} was found; ${timeouts} peers did not answer`;
  const facts = { ringId: String(position), timeouts: String(timeouts) };
  return new RingbinderError('LOOKUP_FAILED', text, facts, { retryAfterMs: 1_000 });
}

function payloadTooLarge(bytes: number): RingbinderError {
  const facts = { payloadBytes: String(bytes), payloadBytesMax: String(PAYLOAD_BYTES_MAX) };
  const text = `a payload of ${bytes} bytes is larger than ${PAYLOAD_BYTES_MAX}`;
  return new RingbinderError('PAYLOAD_TOO_LARGE', text, facts);
}

function sendRefusal(
  to: RingId,
  result: Exclude<SendResult, { kind: 'delivered' }>,
): RingbinderError {
  const facts = { toRingId: String(to) };
  switch (result.kind) {
    case 'nobody': {
      const owner = String(result.owner.ringId);
      const text = `nobody has the ring ID ${to}; the next peer is ${owner}`;
      return new RingbinderError('PEER_NOT_FOUND', text, { ...facts, ownerRingId: owner });
    }
    case 'inbox-full':
      return new RingbinderError('INBOX_FULL', `the inbox of ${to} has no room left`, facts);
    case 'unreachable': {
      const text = `${to} did not say whether it has the message`;
      return new RingbinderError('PEER_UNREACHABLE', text, facts, { retryAfterMs: 1_000 });
    }
    case 'lookup-failed':
      return lookupFailed(to, result.timeouts);
  }
}
