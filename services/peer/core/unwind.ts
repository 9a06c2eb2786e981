/**
 * Finding a ring that goes round more than once before it closes (ours, not Zave's).
 *
 * Cuts in one direction may leave such a ring: each of its members is content with its neighbours,
 * and stabilizing never unwinds it (the "loopy" state of Liben-Nowell, Balakrishnan and Karger,
 * "Analysis of the Evolution of Peer-to-Peer Systems", 2002). Walking all of it shows its turns. All
 * who see it agree that the turn which begins at the smallest ring ID stays, and that the others join
 * it one by one.
 */
import type { Conversation } from './conversation.js';
import type { Neighbors } from './messages.js';
import type { PeerRef, RingId } from './ring-space.js';
import { firstAnswer } from './survey.js';

/**
 * Returns the turn that stays when the ring has several and this peer stands in another one;
 * undefined otherwise, and when the way was lost.
 */
export function* findOtherTurn(
  self: PeerRef,
  viewsMax: number,
): Conversation<readonly Neighbors[] | undefined> {
  const cycle = yield* walkCycle(self, viewsMax);
  const base = firstTurn(cycle ?? []);
  const isWound = base.length < (cycle?.length ?? 0);
  return isWound && !base.some((view) => view.self.ringId === self.ringId) ? base : undefined;
}

/**
 * Everyone on the way along the first living successors, back to the beginning; undefined when the
 * way does not lead back: the peer where it began is not on the ring yet, but beside it.
 */
function* walkCycle(
  start: PeerRef,
  viewsMax: number,
): Conversation<readonly Neighbors[] | undefined> {
  const cycle: Neighbors[] = [];
  const seen = new Set<RingId>();
  let ahead: readonly PeerRef[] = [start];
  while (cycle.length < viewsMax) {
    const view = yield* firstAnswer(ahead, []);
    if (view === undefined) return undefined;
    const { ringId } = view.self;
    if (seen.has(ringId)) return ringId === cycle[0]?.self.ringId ? cycle : undefined;
    seen.add(ringId);
    cycle.push(view);
    ahead = view.successors;
  }
  return undefined;
}

/** From the smallest ring ID on, as long as they grow. */
function firstTurn(cycle: readonly Neighbors[]): readonly Neighbors[] {
  const smallest = Math.min(...cycle.map(({ self }) => self.ringId));
  const start = cycle.findIndex(({ self }) => self.ringId === smallest);
  const ordered = [...cycle.slice(start), ...cycle.slice(0, start)];
  const end = ordered.findIndex(
    ({ self }, index) => self.ringId < (ordered[index - 1]?.self.ringId ?? 0),
  );
  return end === -1 ? ordered : ordered.slice(0, end);
}
