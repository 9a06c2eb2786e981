/** The checker of Zave's invariant as its pseudocode reads, pair by pair: O(N²). */
import type { Neighbors } from '../../../services/peer/core/messages.js';
import type { PeerRef } from '../../../services/peer/core/ring-space.js';

type Found = {
  readonly broken: readonly string[];
  readonly principals: readonly number[];
  readonly isIdeal: boolean;
};

const between = (from: number, point: number, to: number) =>
  from < to ? from < point && point < to : from < point || point < to;

/** Ours, not the model's: an empty list means oneself, and a list may name a former life. */
const extended = ({ self, successors }: Neighbors): readonly PeerRef[] =>
  successors.length === 0 ? [self, self] : [self, ...successors];

export function judgeNaively(views: readonly Neighbors[], successorsMax: number): Found {
  const live = [...views].sort((one, other) => one.self.ringId - other.self.ringId);
  const isLive = (peer: PeerRef) =>
    live.some(({ self }) => self.ringId === peer.ringId && self.incarnation === peer.incarnation);
  const best = (view: Neighbors) => extended(view).slice(1).find(isLive);
  const isSkippedBy = ({ self: point }: Neighbors, by: Neighbors) =>
    extended(by).some((to, index, list) => {
      const from = list[index - 1];
      if (from === undefined) return false;
      const isFormer = to.ringId === point.ringId && to.incarnation !== point.incarnation;
      return isFormer || between(from.ringId, point.ringId, to.ringId);
    });
  const principals = live.filter((point) => !live.some((by) => isSkippedBy(point, by)));
  const broken: string[] = [];

  const lonely = live.filter((view) => live.length > 1 && best(view) === undefined);
  broken.push(...lonely.map(({ self }) => `ONE_LIVE_SUCCESSOR ${self.ringId}`));
  if (principals.length < successorsMax + 1) broken.push('SUFFICIENT_PRINCIPALS');
  for (const { self, successors } of live) {
    const ids = [self, ...successors].map(({ ringId }) => ringId);
    const isOrdered = ids.every((one, i) =>
      ids.every((two, j) =>
        ids.every((three, k) => !(i < j && j < k) || (between(one, two, three) && one !== three)),
      ),
    );
    const isDistinct = new Set(ids).size === ids.length;
    if (!isOrdered || !isDistinct) broken.push(`ORDERED_SUCCESSOR_LISTS ${self.ringId}`);
  }
  if (lonely.length === 0) broken.push(...ringRules());
  return { broken, principals: principals.map(({ self }) => self.ringId), isIdeal: isIdeal() };

  function after(view: Neighbors): Neighbors {
    const next = best(view);
    return live.find(({ self }) => self.ringId === next?.ringId) ?? view;
  }

  function reachedFrom(start: Neighbors): ReadonlySet<Neighbors> {
    const reached = new Set<Neighbors>();
    for (let at = after(start); !reached.has(at); at = after(at)) reached.add(at);
    return reached;
  }

  function ringRules(): readonly string[] {
    const ring = live.filter((view) => reachedFrom(view).has(view));
    const isOne = ring.every((view) => ring.every((other) => reachedFrom(view).has(other)));
    if (!isOne) return ['ONE_ORDERED_RING'];
    const isInOrder = ring.every((view) =>
      ring.every(({ self }) => !between(view.self.ringId, self.ringId, after(view).self.ringId)),
    );
    const aside = principals.some((point) => !ring.includes(point));
    return [
      ...(isInOrder ? [] : ['ONE_ORDERED_RING']),
      ...(aside ? ['PRINCIPALS_ARE_RING_MEMBERS'] : []),
    ];
  }

  function isIdeal(): boolean {
    return live.every(({ predecessor, successors }, index) => {
      const others = [...live.slice(index + 1), ...live.slice(0, index)].map(({ self }) => self);
      const text = (some: readonly (PeerRef | undefined)[]) =>
        some.map((it) => `${it?.ringId}.${it?.incarnation}`).join();
      const isList = text(successors) === text(others.slice(0, successorsMax));
      return isList && text([predecessor]) === text([others.at(-1)]);
    });
  }
}
