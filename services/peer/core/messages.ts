/**
 * What peers ask each other and answer, and what the machine is told and wants done.
 *
 * Questions and answers come in pairs; the wire names are in `ringbinder.v1.PeerService` and
 * `ringbinder.internal.v1.NodeService`. A question that is never answered is reported as
 * `unanswered`: silence is the only evidence of death, and `busy` is an answer.
 */
import type { PeerRef, RingId } from './ring-space.js';

/** Number of a question among those of one peer, never used again by it. */
export type RequestId = number;

/** How far a peer has come: not in a ring, on its way in, in, or gone for good. */
export type Stage = 'outside' | 'joining' | 'member' | 'left';

/** A message on its way to the inbox of a peer. */
export type Letter = {
  readonly messageId: string;
  readonly fromRingId: RingId;
  readonly payload: Uint8Array;
  readonly path: readonly PeerRef[];
};

/** A peer that answered during a lookup. */
export type Hop = { readonly peer: PeerRef; readonly elapsedMs: number };

export type Question =
  | { readonly kind: 'neighbors' }
  | {
      readonly kind: 'find-successor';
      readonly position: RingId;
      readonly avoided: readonly PeerRef[];
      /** How many ways on beside the best one are wanted; none by default. */
      readonly alternatesMax?: number;
    }
  /** Find the owner and come back with it: pass the question on to a peer that is closer. */
  | {
      readonly kind: 'forward-lookup';
      readonly position: RingId;
      readonly avoided: readonly PeerRef[];
      /** How often it may be passed on from here. */
      readonly hopsMax: number;
      /** How long the asker waits for the answer; an integer. */
      readonly budgetMs: number;
    }
  | { readonly kind: 'notify'; readonly candidate: PeerRef }
  | { readonly kind: 'ping' }
  /** Your neighbourhood changed: look again soon. Speed only. */
  | { readonly kind: 'nudge' }
  | { readonly kind: 'departure'; readonly peer: PeerRef }
  | { readonly kind: 'deliver'; readonly letter: Letter };

/** What a peer reveals of its place: Zave's `prdc` and `succ`. */
export type Neighbors = {
  readonly self: PeerRef;
  readonly predecessor: PeerRef | undefined;
  readonly successors: readonly PeerRef[];
};

export type Answer =
  | ({ readonly kind: 'neighbors' } & Neighbors)
  | {
      readonly kind: 'owner' | 'next-hop';
      readonly peer: PeerRef;
      /** Where to go if that one is dead, best first. */
      readonly alternates?: readonly PeerRef[];
    }
  /** Who owns the position, and who was on the way there from here, the owner last. */
  | { readonly kind: 'found'; readonly owner: PeerRef; readonly hops: readonly Hop[] }
  /** I live, and found no way to the owner in time. */
  | { readonly kind: 'not-found' }
  | { readonly kind: 'noted' }
  | {
      readonly kind: 'alive';
      readonly self: PeerRef;
      readonly predecessor: PeerRef | undefined;
      readonly stage: Stage;
    }
  | { readonly kind: 'delivered' }
  | { readonly kind: 'inbox-full' }
  /** I live, but my state is changing just now. */
  | { readonly kind: 'busy' }
  /** I live, but I am not in the ring. */
  | { readonly kind: 'not-member' }
  /** The life you mean is over. */
  | { readonly kind: 'stale' };

export type RingEvent =
  | { readonly kind: 'ticked' }
  | {
      readonly kind: 'asked';
      readonly requestId: RequestId;
      readonly from: PeerRef | undefined;
      readonly question: Question;
    }
  | { readonly kind: 'answered'; readonly requestId: RequestId; readonly answer: Answer }
  /** Deadline passed or connection refused, after all tries. */
  | { readonly kind: 'unanswered'; readonly requestId: RequestId }
  /** This peer is the ring. */
  | { readonly kind: 'founded' }
  /** Join behind this peer, found by a walk to be our predecessor. */
  | { readonly kind: 'join-behind'; readonly peer: PeerRef }
  | { readonly kind: 'leave-requested' };

export type RingEffect =
  | {
      readonly kind: 'ask';
      readonly requestId: RequestId;
      readonly to: PeerRef;
      readonly question: Question;
    }
  | { readonly kind: 'answer'; readonly requestId: RequestId; readonly answer: Answer }
  /** The life of this peer was found to be over. */
  | { readonly kind: 'lost'; readonly peer: PeerRef }
  | { readonly kind: 'founded' }
  | { readonly kind: 'joined' }
  | { readonly kind: 'join-failed' };
