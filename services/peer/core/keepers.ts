/**
 * The neighbours of a peer among those that keep records: the ring without its guests.
 *
 * A peer knows only its nearest neighbours. Where guests stand among them it asks those for theirs,
 * back until the first keeper, and ahead until it knows enough of them or has come round.
 */
import type { Conversation } from './conversation.js';
import type { Neighbors } from './messages.js';
import { isBetween, isGuest, type PeerRef } from './ring-space.js';
import { firstAnswer } from './survey.js';

export type Keepers = {
  /** The nearest one before; undefined when there is no other. */
  readonly predecessor: PeerRef | undefined;
  /** The nearest ones behind, in ring order. */
  readonly successors: readonly PeerRef[];
};

/** Most guests that are asked in one direction. */
const ASKED_MAX = 64;

/** Returns undefined when the guests on the way do not answer, or are too many. */
export function* keepersAround(
  view: Neighbors,
  successorsMax: number,
): Conversation<Keepers | undefined> {
  const predecessor = yield* keeperBefore(view);
  const successors = yield* keepersBehind(view, successorsMax);
  if (predecessor === 'unknown' || successors === undefined) return undefined;
  return { predecessor, successors };
}

function* keeperBefore({
  self,
  predecessor,
}: Neighbors): Conversation<PeerRef | undefined | 'unknown'> {
  let before = predecessor;
  for (let asked = 0; asked < ASKED_MAX; asked += 1) {
    if (before === undefined || before.ringId === self.ringId) return undefined;
    if (!isGuest(before)) return before;
    const view: Neighbors | undefined = yield* firstAnswer([before], []);
    if (view === undefined) return 'unknown';
    before = view.predecessor;
  }
  return 'unknown';
}

function* keepersBehind(
  view: Neighbors,
  successorsMax: number,
): Conversation<readonly PeerRef[] | undefined> {
  const { self } = view;
  const keepers: PeerRef[] = [];
  let namer = view;
  let last = self;
  for (let asked = 0; asked < ASKED_MAX; asked += 1) {
    const { successors } = namer;
    const before = successors.filter((peer) => isAhead(namer.self, peer, self));
    const added = before.filter((peer) => isAhead(last, peer, self));
    keepers.push(...added.filter((peer) => !isGuest(peer)));
    // Who names fewer than others do has named all there are.
    const isRound = before.length < successors.length || successors.length < successorsMax;
    if (isRound || keepers.length >= successorsMax) return keepers.slice(0, successorsMax);
    const next: Neighbors | undefined = yield* firstAnswer(added.toReversed(), []);
    if (next === undefined) return undefined;
    last = added.at(-1) ?? last;
    namer = next;
  }
  return undefined;
}

/** Whether a peer stands behind one and before the end of the way round. */
function isAhead(one: PeerRef, peer: PeerRef, end: PeerRef): boolean {
  return peer.ringId !== end.ringId && isBetween(one.ringId, peer.ringId, end.ringId);
}
