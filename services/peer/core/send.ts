/**
 * Sending a message to exactly one ring ID.
 *
 * The walk ends at a peer with that ID, which gets the letter, or at the live owner of the position,
 * which proves that nobody has it. A letter whose delivery was not answered may have arrived; it is
 * not offered to a later life of the receiver, so that nothing arrives twice.
 */
import type { Conversation } from './conversation.js';
import { findOwner, USUAL_MANNER, type FindOptions } from './find-owner.js';
import type { PeerRef } from './ring-space.js';

export type SendResult =
  | { readonly kind: 'delivered'; readonly path: readonly PeerRef[] }
  /** Nobody has this ring ID: `owner` is the next peer. */
  | { readonly kind: 'nobody'; readonly owner: PeerRef }
  | { readonly kind: 'inbox-full'; readonly receiver: PeerRef }
  /** The receiver did not say whether it has the letter. */
  | { readonly kind: 'unreachable'; readonly receiver: PeerRef }
  | { readonly kind: 'lookup-failed'; readonly timeouts: number };

export type Draft = { readonly messageId: string; readonly payload: Uint8Array };

/** Delivers one letter to the peer at `options.position`. */
export function* sendLetter(
  draft: Draft,
  options: Omit<FindOptions, 'accept'>,
): Conversation<SendResult> {
  const { self, position } = options;
  const accept = (candidate: PeerRef): boolean => candidate.ringId === position;
  const { owner, hops, timeouts } = yield* findOwner({ ...options, accept }, USUAL_MANNER);
  if (owner === undefined) return { kind: 'lookup-failed', timeouts };
  if (owner.ringId !== position) return { kind: 'nobody', owner };
  const between = hops.map(({ peer }) => peer).filter((peer) => peer.ringId !== position);
  const path = owner.ringId === self.ringId ? [self] : [self, ...between, owner];
  const letter = { ...draft, fromRingId: self.ringId, path };
  const reply = yield { to: owner, question: { kind: 'deliver', letter } };
  if (reply.kind === 'answered') {
    if (reply.answer.kind === 'delivered') return { kind: 'delivered', path };
    if (reply.answer.kind === 'inbox-full') return { kind: 'inbox-full', receiver: owner };
  }
  return { kind: 'unreachable', receiver: owner };
}
