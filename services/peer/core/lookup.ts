/**
 * The iterative lookup: walks towards a position and ends at its first live owner.
 *
 * The walk starts from what this peer knows itself. A peer that does not answer is avoided from then
 * on, and the peer that named it is asked again. The last peer must answer that it is a member; when
 * it knows a predecessor at or after the position, somebody joined or was passed over in between,
 * and that predecessor is tried first.
 */
import type { Ask, Conversation, Reply } from './conversation.js';
import type { Hop } from './messages.js';
import type { RouteStep, Way } from './routing.js';
import { isAvoided, isBetween, isOwnedBy, type PeerRef, type RingId } from './ring-space.js';

export type LookupResult = {
  /** The first live peer at or after the position; undefined when no way to it was found. */
  readonly owner: PeerRef | undefined;
  /** The peer before the owner, where the walk came to know it. */
  readonly predecessor: PeerRef | undefined;
  /** Who answered, in order; the owner last, unless it is the asking peer itself. */
  readonly hops: readonly Hop[];
  /** Questions that nobody answered. */
  readonly timeouts: number;
};

export type LookupOptions = {
  readonly self: PeerRef;
  readonly position: RingId;
  /** One step from here, with what is known here at that moment. */
  readonly here: (avoided: readonly PeerRef[]) => RouteStep;
  /** The predecessor of this peer at that moment. */
  readonly predecessor: () => PeerRef | undefined;
  /** Most questions asked before the lookup gives up. */
  readonly asksMax: number;
  /** Peers taken for dead from the start. */
  readonly avoided?: readonly PeerRef[];
  /** Ends the walk at a candidate that has not been asked; by default none. */
  readonly accept?: (candidate: PeerRef) => boolean;
};

/** Most peers that a question may name as avoided. */
export const AVOIDED_MAX = 32;

type Walk = {
  readonly options: LookupOptions;
  readonly avoided: PeerRef[];
  /** Where the walk stood before, to go back to. */
  readonly trail: Way[];
  readonly hops: Hop[];
  timeouts: number;
};

/** Where a walk stands after a reply: going on, nowhere to go, or there. */
type Outcome =
  | Way
  | { readonly kind: 'nowhere' }
  | { readonly kind: 'owned'; readonly peer: PeerRef; readonly predecessor: PeerRef | undefined };

/** Looks a position up. Yields questions; returns the owner, or that no way was found. */
export function* lookup(options: LookupOptions): Conversation<LookupResult> {
  const avoided = [...(options.avoided ?? [])];
  const walk: Walk = { options, avoided, trail: [], hops: [], timeouts: 0 };
  let stand = fromHere(walk);
  for (let asks = 0; asks <= options.asksMax; asks += 1) {
    if (stand.kind === 'owned') return result(walk, stand.peer, stand.predecessor);
    if (stand.kind === 'nowhere') break;
    if (stand.kind === 'owner' && options.accept?.(stand.peer) === true) {
      return result(walk, stand.peer, undefined);
    }
    if (asks === options.asksMax) break;
    stand = isSelf(walk, stand.peer)
      ? askMyself(walk, stand)
      : takeReply(walk, stand, yield questionFor(walk, stand));
  }
  return result(walk, undefined, undefined);
}

function result(
  { hops, timeouts }: Walk,
  owner: PeerRef | undefined,
  predecessor: PeerRef | undefined,
): LookupResult {
  return { owner, predecessor, hops, timeouts };
}

function fromHere({ options, avoided }: Walk): Outcome {
  const step = options.here(avoided);
  if (step.kind !== 'self') return step;
  return { kind: 'owned', peer: options.self, predecessor: options.predecessor() };
}

/** The walk has come back to the peer that started it. */
function askMyself(walk: Walk, stand: Way): Outcome {
  const { self, predecessor } = walk.options;
  return stand.kind === 'owner' ? confirm(walk, self, predecessor()) : fromHere(walk);
}

function questionFor({ options, avoided }: Walk, { kind, peer }: Way): Ask {
  if (kind === 'owner') return { to: peer, question: { kind: 'ping' } };
  const { position } = options;
  const named = namedAsAvoided(avoided, options.avoided?.length ?? 0);
  return { to: peer, question: { kind: 'find-successor', position, avoided: named } };
}

/** Those avoided from the start, and the last ones found dead: earlier ones lie mostly behind. */
function namedAsAvoided(avoided: readonly PeerRef[], fromStart: number): readonly PeerRef[] {
  if (avoided.length <= AVOIDED_MAX) return [...avoided];
  return [...avoided.slice(0, fromStart), ...avoided.slice(fromStart - AVOIDED_MAX)];
}

function takeReply(walk: Walk, { kind, peer }: Way, reply: Reply): Outcome {
  if (reply.kind === 'unanswered') {
    walk.timeouts += 1;
    return goBack(walk, peer);
  }
  const { answer, elapsedMs } = reply;
  // It lives, and nobody said that somebody else stands before it.
  if (answer.kind === 'busy' && kind === 'owner') {
    return { kind: 'owned', peer, predecessor: undefined };
  }
  const isMember = answer.kind === 'alive' && answer.stage === 'member';
  if (!isMember && answer.kind !== 'owner' && answer.kind !== 'next-hop') return goBack(walk, peer);
  walk.hops.push({ peer, elapsedMs });
  if (answer.kind === 'alive') return confirm(walk, answer.self, answer.predecessor);
  return follow(walk, peer, answer);
}

/** The candidate lives. Is there a better one before it? */
function confirm(walk: Walk, owner: PeerRef, predecessor: PeerRef | undefined): Outcome {
  const { position } = walk.options;
  if (
    predecessor === undefined ||
    isAvoided(predecessor, walk.avoided) ||
    isOwnedBy(predecessor.ringId, position, owner.ringId)
  ) {
    const namer = walk.trail.at(-1);
    const before = namer?.kind === 'next-hop' ? namer.peer : predecessor;
    return { kind: 'owned', peer: owner, predecessor: before };
  }
  walk.trail.push({ kind: 'owner', peer: owner });
  return { kind: 'owner', peer: predecessor };
}

/** A peer has pointed to itself, to the owner, or to a peer that must be closer. */
function follow(walk: Walk, from: PeerRef, to: Way): Outcome {
  if (to.peer.ringId === from.ringId) return { kind: 'owned', peer: from, predecessor: undefined };
  const isProgress =
    to.kind === 'owner' || isBetween(from.ringId, to.peer.ringId, walk.options.position);
  if (!isProgress || isAvoided(to.peer, walk.avoided)) return goBack(walk, from);
  walk.trail.push({ kind: 'next-hop', peer: from });
  return to;
}

/** Avoids a peer that led nowhere, and stands again where it was named. */
function goBack(walk: Walk, failed: PeerRef): Outcome {
  walk.avoided.push(failed);
  return walk.trail.pop() ?? fromHere(walk);
}

function isSelf(walk: Walk, peer: PeerRef): boolean {
  return peer.ringId === walk.options.self.ringId;
}
