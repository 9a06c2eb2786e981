/**
 * Finding the place of a joiner: the walk to the peer that will be its predecessor.
 *
 * The joiner's former life may still stand at its position, so it avoids itself. Where the walk
 * cannot name the peer before the owner, the owner is asked; alone, the owner is its own predecessor.
 */
import type { Conversation } from './conversation.js';
import { lookup } from './lookup.js';
import type { PeerRef } from './ring-space.js';

export type PlaceOptions = {
  readonly self: PeerRef;
  /** Members to walk from, tried in order. */
  readonly contacts: readonly PeerRef[];
  readonly asksMax: number;
};

/** Returns the predecessor to be, or undefined when no contact led to one. */
export function* findPlace(options: PlaceOptions): Conversation<PeerRef | undefined> {
  for (const contact of options.contacts) {
    if (contact.ringId === options.self.ringId) continue;
    const predecessor = yield* walkFrom(contact, options);
    if (predecessor !== undefined && predecessor.ringId !== options.self.ringId) return predecessor;
  }
  return undefined;
}

function* walkFrom(
  contact: PeerRef,
  { self, asksMax }: PlaceOptions,
): Conversation<PeerRef | undefined> {
  const { owner, predecessor } = yield* lookup({
    self,
    position: self.ringId,
    asksMax,
    avoided: [self],
    predecessor: () => undefined,
    here: (avoided) =>
      avoided.some((it) => it.ringId === contact.ringId)
        ? { kind: 'nowhere' }
        : { kind: 'next-hop', peer: contact },
  });
  if (owner === undefined || predecessor !== undefined) return predecessor;
  const reply = yield { to: owner, question: { kind: 'ping' } };
  if (reply.kind === 'unanswered' || reply.answer.kind !== 'alive') return undefined;
  return reply.answer.predecessor ?? reply.answer.self;
}
