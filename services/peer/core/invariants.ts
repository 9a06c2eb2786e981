/**
 * Is a ring legal? Zave's inductive invariant and what follows from it, over the views of all live
 * members at one moment (correctChord.als; the clauses are OneLiveSuccessor and SufficientPrincipals).
 *
 * A ring that has not yet had r + 1 principals is forming: the second clause does not apply to it.
 * Costs O(N·r + N·log N): skipped arcs are counted on the sorted circle, not pair by pair.
 */
import type { Neighbors } from './messages.js';
import { firstIndexAt, isBetween, isSameLife, type PeerRef } from './ring-space.js';

export type Rule =
  | 'ONE_LIVE_SUCCESSOR'
  | 'SUFFICIENT_PRINCIPALS'
  | 'ORDERED_SUCCESSOR_LISTS'
  | 'PRINCIPALS_ARE_RING_MEMBERS'
  | 'ONE_ORDERED_RING'
  /** A principal ceases to be one by its own end alone; takes two states to see. */
  | 'PRINCIPALS_ARE_KEPT';

export type Violation = {
  readonly rule: Rule;
  readonly peers: readonly PeerRef[];
  readonly text: string;
};

export type Judgement = {
  readonly memberCount: number;
  readonly principals: readonly PeerRef[];
  /** Broken rules; SUFFICIENT_PRINCIPALS is among them also while the ring is forming. */
  readonly violations: readonly Violation[];
  /** Members with a pointer that is not exactly what it would be if nothing ever failed. */
  readonly imperfect: readonly PeerRef[];
  /** There are none such. */
  readonly isIdeal: boolean;
};

/** Judges the views of all live members; views of the dead must not be among them. */
export function judge(views: readonly Neighbors[], successorsMax: number): Judgement {
  const circle = new Circle(views);
  const lonely = circle.views.filter((view) => views.length > 1 && !circle.hasLiveSuccessor(view));
  const principals = circle.principals();
  const violations: Violation[] = [];
  for (const { self } of lonely) {
    violations.push(
      violation('ONE_LIVE_SUCCESSOR', [self], `${self.ringId} has no live successor`),
    );
  }
  if (principals.length < successorsMax + 1) {
    const text = `${principals.length} principals are fewer than ${successorsMax + 1}`;
    violations.push(violation('SUFFICIENT_PRINCIPALS', principals, text));
  }
  for (const view of circle.views) {
    if (isOrdered(view)) continue;
    const peers = [view.self, ...view.successors];
    const text = `the successors of ${view.self.ringId} are out of order`;
    violations.push(violation('ORDERED_SUCCESSOR_LISTS', peers, text));
  }
  if (lonely.length === 0) violations.push(...ringViolations(circle, principals));
  const imperfect = circle.views
    .filter((_, index) => !isIdealAt(circle, index, successorsMax))
    .map(({ self }) => self);
  const isIdeal = imperfect.length === 0;
  return { memberCount: views.length, principals, violations, imperfect, isIdeal };
}

function violation(rule: Rule, peers: readonly PeerRef[], text: string): Violation {
  return { rule, peers, text };
}

/** Live members in ring order, and where their best pointers lead. */
class Circle {
  readonly views: readonly Neighbors[];
  readonly #peers: readonly PeerRef[];
  readonly #indexOf: ReadonlyMap<number, number>;

  constructor(views: readonly Neighbors[]) {
    this.views = [...views].sort((one, other) => one.self.ringId - other.self.ringId);
    this.#peers = this.views.map(({ self }) => self);
    this.#indexOf = new Map(this.views.map((view, index) => [view.self.ringId, index]));
  }

  at(index: number): Neighbors | undefined {
    return this.views[index % this.views.length];
  }

  isLive(peer: PeerRef): boolean {
    const view = this.views[this.#indexOf.get(peer.ringId) ?? -1];
    return view !== undefined && isSameLife(view.self, peer);
  }

  /** A peer with an empty list is its own successor: it founded the ring, or thinks it is alone. */
  hasLiveSuccessor({ successors }: Neighbors): boolean {
    return successors.length === 0 || successors.some((peer) => this.isLive(peer));
  }

  /** Index of the first live successor; of the member itself when it is alone. */
  bestSuccessor(index: number): number {
    const best = this.views[index]?.successors.find((peer) => this.isLive(peer));
    return (best === undefined ? undefined : this.#indexOf.get(best.ringId)) ?? index;
  }

  /** Members that no list skips: not strictly between two neighbours in any extended list. */
  principals(): readonly PeerRef[] {
    const size = this.views.length;
    const skipped = new Int32Array(size + 1);
    for (const { self, successors } of this.views) {
      let from = self.ringId;
      for (const peer of successors.length === 0 ? [self] : successors) {
        this.#markBetween(skipped, from, peer.ringId);
        this.#markLaterLife(skipped, peer);
        from = peer.ringId;
      }
    }
    let depth = 0;
    return this.views.flatMap(({ self }, index) => {
      depth += skipped[index] ?? 0;
      return depth === 0 ? [self] : [];
    });
  }

  #markBetween(skipped: Int32Array, from: number, to: number): void {
    const first = this.#countUpTo(from);
    const end = firstIndexAt(this.#peers, to);
    if (from < to) this.#mark(skipped, first, end);
    else {
      this.#mark(skipped, first, this.views.length);
      this.#mark(skipped, 0, end);
    }
  }

  /** A list that names a former life of a member passes over the member. */
  #markLaterLife(skipped: Int32Array, peer: PeerRef): void {
    const index = this.#indexOf.get(peer.ringId);
    if (index !== undefined && !this.isLive(peer)) this.#mark(skipped, index, index + 1);
  }

  #mark(skipped: Int32Array, first: number, end: number): void {
    if (first >= end) return;
    skipped[first] = (skipped[first] ?? 0) + 1;
    skipped[end] = (skipped[end] ?? 0) - 1;
  }

  #countUpTo(ringId: number): number {
    return firstIndexAt(this.#peers, ringId + 1);
  }
}

/** Whether a list, prefixed by its owner, is in ring order without repeats. */
function isOrdered({ self, successors }: Neighbors): boolean {
  let from = self.ringId;
  return successors.every((peer) => {
    const isNext = isBetween(from, peer.ringId, self.ringId) && peer.ringId !== self.ringId;
    from = peer.ringId;
    return isNext;
  });
}

/** There is one cycle of best successors, it goes round once, and every principal is on it. */
function ringViolations(circle: Circle, principals: readonly PeerRef[]): readonly Violation[] {
  const cycles = cyclesOf(circle);
  const [ring] = cycles;
  if (ring === undefined) return [];
  const peersOf = (cycle: readonly number[]): PeerRef[] =>
    cycle.flatMap((index) => circle.at(index)?.self ?? []);
  if (cycles.length > 1) {
    const text = `${cycles.length} rings`;
    return [
      violation(
        'ONE_ORDERED_RING',
        cycles.flatMap((it) => peersOf(it).slice(0, 1)),
        text,
      ),
    ];
  }
  const turns = ring.filter((index) => circle.bestSuccessor(index) <= index).length;
  const found: Violation[] = [];
  if (turns !== 1) {
    found.push(violation('ONE_ORDERED_RING', peersOf(ring), `goes round ${turns} times`));
  }
  const onRing = new Set(peersOf(ring).map(({ ringId }) => ringId));
  const aside = principals.filter(({ ringId }) => !onRing.has(ringId));
  if (aside.length > 0)
    found.push(violation('PRINCIPALS_ARE_RING_MEMBERS', aside, 'are beside the ring'));
  return found;
}

/** The cycles of best successors; every member leads into exactly one. */
function cyclesOf(circle: Circle): readonly (readonly number[])[] {
  const seenIn = new Map<number, number>();
  const cycles: number[][] = [];
  for (let start = 0; start < circle.views.length; start += 1) {
    let index = start;
    while (!seenIn.has(index)) {
      seenIn.set(index, start);
      index = circle.bestSuccessor(index);
    }
    if (seenIn.get(index) !== start) continue;
    const cycle = [index];
    for (let next = circle.bestSuccessor(index); next !== index;) {
      cycle.push(next);
      next = circle.bestSuccessor(next);
    }
    cycles.push(cycle);
  }
  return cycles;
}

function isIdealAt(circle: Circle, index: number, successorsMax: number): boolean {
  const size = circle.views.length;
  const view = circle.at(index);
  if (view === undefined) return false;
  const { predecessor, successors } = view;
  const isSame = (peer: PeerRef | undefined, at: number): boolean => {
    const there = circle.at(at)?.self;
    return peer !== undefined && there !== undefined && isSameLife(peer, there);
  };
  if (size === 1) return successors.length === 0 && predecessor === undefined;
  return (
    successors.length === Math.min(successorsMax, size - 1) &&
    successors.every((peer, place) => isSame(peer, index + 1 + place)) &&
    isSame(predecessor, index + size - 1)
  );
}
