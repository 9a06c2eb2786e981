/**
 * A lookup in one hop: asks the member that is remembered as the owner to prove it.
 *
 * The proof is its own answer: it is a member, and the peer before it stands before the position. One
 * that names a predecessor at or after the position has corrected us, and that one is asked next;
 * after one correction the cache has had its chance. Nothing else here decides who the owner is, so
 * the cache may be wrong in any way and costs two questions at most.
 */
import type { Ask, Conversation, Reply } from './conversation.js';
import type { LookupOptions, LookupResult } from './lookup.js';
import type { Hop } from './messages.js';
import { isOwnedBy, type PeerRef, type RingId } from './ring-space.js';

/** The one remembered, and the one that it names instead. */
export const CACHED_ASKS_MAX = 2;

export type CachedOptions = Pick<LookupOptions, 'self' | 'position' | 'here'> & {
  /** The member that is remembered as the first at or after the position. */
  readonly cached?: () => PeerRef | undefined;
};

/** What the answer of a peer that is asked whether it owns a position means. */
export type ClaimVerdict =
  | { readonly kind: 'proven'; readonly owner: PeerRef; readonly predecessor: PeerRef }
  /** A member; the one that it names stands at or after the position, before itself. */
  | { readonly kind: 'corrected'; readonly peer: PeerRef }
  | { readonly kind: 'unproven' };

/** The remembered peer to ask; undefined where the own pointers settle the matter. */
export function cachedClaimant({ self, here, cached }: CachedOptions): PeerRef | undefined {
  if (here([]).kind !== 'next-hop') return undefined;
  const claimant = cached?.();
  return claimant?.ringId === self.ringId ? undefined : claimant;
}

/** Asks in any life: a later one than remembered proves as much. */
export function askForProof(claimant: PeerRef): Ask {
  return { to: { ...claimant, incarnation: 0 }, question: { kind: 'ping' } };
}

export function judgeClaim(claimant: PeerRef, position: RingId, reply: Reply): ClaimVerdict {
  if (reply.kind === 'unanswered' || reply.answer.kind !== 'alive') return { kind: 'unproven' };
  const { self, predecessor, stage } = reply.answer;
  const isMeant = self.ringId === claimant.ringId && self.incarnation >= claimant.incarnation;
  if (!isMeant || stage !== 'member' || predecessor === undefined) return { kind: 'unproven' };
  return isOwnedBy(predecessor.ringId, position, self.ringId)
    ? { kind: 'proven', owner: self, predecessor }
    : { kind: 'corrected', peer: predecessor };
}

/** Returns the owner that proved to be it, or undefined: then walk. */
export function* askCached(options: CachedOptions): Conversation<LookupResult> {
  const { self, position } = options;
  const hops: Hop[] = [];
  let timeouts = 0;
  let claimant = cachedClaimant(options);
  for (let asks = 0; asks < CACHED_ASKS_MAX && claimant !== undefined; asks += 1) {
    const reply = yield askForProof(claimant);
    const { elapsedMs } = reply;
    const verdict = judgeClaim(claimant, position, reply);
    if (reply.kind === 'unanswered') timeouts += 1;
    else hops.push({ peer: verdict.kind === 'proven' ? verdict.owner : claimant, elapsedMs });
    if (verdict.kind === 'proven') {
      return { owner: verdict.owner, predecessor: verdict.predecessor, hops, timeouts };
    }
    const isOther = verdict.kind === 'corrected' && verdict.peer.ringId !== self.ringId;
    claimant = isOther ? verdict.peer : undefined;
  }
  return { owner: undefined, predecessor: undefined, hops, timeouts };
}
