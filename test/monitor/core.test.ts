import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Crawl } from '../../services/monitor/core/crawl.js';
import { changesBetween, isSameRing, type Topology } from '../../services/monitor/core/topology.js';
import { verdictOn } from '../../services/monitor/core/verdict.js';
import type { PeerView } from '../../services/peer/core/routing-table.js';
import { peer, peers } from '../peer/ring-text.js';

const R = 2;

function viewOf(ringId: number, before: number, ...after: readonly number[]): PeerView {
  return {
    self: peer(ringId),
    predecessor: peer(before),
    successors: peers(...after),
    fingers: [],
  };
}

/** Everybody's view of a ring in which every pointer is right. */
function ideal(...ringIds: readonly number[]): readonly PeerView[] {
  const at = (index: number): number => ringIds[(index + ringIds.length) % ringIds.length]!;
  return ringIds.map((ringId, index) =>
    viewOf(
      ringId,
      at(index - 1),
      ...Array.from({ length: R }, (_, place) => at(index + 1 + place)),
    ),
  );
}

const seen = (views: readonly PeerView[]): Topology => ({ views, unreachable: [] });

describe('Crawl', () => {
  it('asks everybody who is named once, no more at a time than it may', () => {
    const ring = new Map(ideal(10, 20, 30, 40, 50, 60).map((view) => [view.self.ringId, view]));
    const crawl = new Crawl([peer(10)], { asksMax: 2, peersMax: 100 });
    const asked: number[] = [];
    let underWay = crawl.next();
    while (underWay.length > 0) {
      expect(underWay.length).toBeLessThanOrEqual(2);
      asked.push(...underWay.map(({ ringId }) => ringId));
      for (const { ringId } of underWay) crawl.answered(ring.get(ringId)!);
      underWay = crawl.next();
    }
    expect(crawl.isDone).toBe(true);
    expect(asked.toSorted((one, other) => one - other)).toEqual([...ring.keys()]);
    expect(crawl.topology).toEqual(seen([...ring.values()]));
  });

  it('lists who is named and silent, and leaves out who is no member', () => {
    const crawl = new Crawl(peers(10, 20, 30), { asksMax: 8, peersMax: 100 });
    expect(crawl.next()).toHaveLength(3);
    crawl.answered(viewOf(10, 30, 20, 30));
    crawl.unanswered(peer(20));
    expect(crawl.isDone).toBe(false);
    crawl.notMember();
    expect(crawl.isDone).toBe(true);
    expect(crawl.topology).toEqual({ views: [viewOf(10, 30, 20, 30)], unreachable: peers(20) });
  });

  it('asks no more peers than it may, whoever is named', () => {
    const crawl = new Crawl([peer(1)], { asksMax: 8, peersMax: 3 });
    crawl.next();
    crawl.answered(viewOf(1, 9, 2, 3, 4, 5, 6));
    expect(crawl.next()).toHaveLength(2);
  });
});

describe('changesBetween', () => {
  const anyTopology = fc
    .uniqueArray(fc.tuple(fc.nat(20), fc.integer({ min: 1, max: 2 }), fc.nat(2)), {
      selector: ([ringId]) => ringId,
    })
    .map((drawn): Topology => {
      const sorted = drawn.sort(([one], [other]) => one - other);
      const there = sorted.filter(([, , kind]) => kind < 2);
      return {
        views: there.map(([ringId, life, kind]) => ({
          ...viewOf(ringId, 20 + kind, 21),
          self: peer(ringId, life),
        })),
        unreachable: sorted.filter(([, , kind]) => kind === 2).map(([ringId]) => peer(ringId)),
      };
    });

  it('makes the later topology of the earlier one', () => {
    fc.assert(
      fc.property(anyTopology, anyTopology, (earlier, later) => {
        const views = new Map(earlier.views.map((view) => [view.self.ringId, view]));
        const silent = new Set(earlier.unreachable.map(({ ringId }) => ringId));
        for (const change of changesBetween(earlier, later)) {
          const { ringId } = change.kind === 'changed' ? change.view.self : change.peer;
          views.delete(ringId);
          silent.delete(ringId);
          if (change.kind === 'changed') views.set(ringId, change.view);
          if (change.kind === 'unreachable') silent.add(ringId);
        }
        expect([...views.keys()].sort()).toEqual(later.views.map((it) => it.self.ringId).sort());
        expect([...silent].sort()).toEqual(later.unreachable.map(({ ringId }) => ringId).sort());
        for (const view of later.views) expect(views.get(view.self.ringId)).toEqual(view);
      }),
    );
  });

  it('tells of nothing where nothing has changed', () => {
    fc.assert(
      fc.property(anyTopology, (topology) => {
        expect(changesBetween(topology, structuredClone(topology))).toEqual([]);
        expect(isSameRing(topology, structuredClone(topology))).toBe(true);
      }),
    );
  });
});

describe('verdictOn', () => {
  const RING = ideal(10, 20, 30, 40, 50);
  const judged = (first: readonly PeerView[], second = first) =>
    verdictOn(seen(first), seen(second), R);
  const replaced = (...views: readonly PeerView[]): readonly PeerView[] =>
    RING.map((view) => views.find(({ self }) => self.ringId === view.self.ringId) ?? view);

  it('finds a whole ring ideal', () => {
    expect(judged(RING)).toMatchObject({ condition: 'ideal', isStable: true, violations: [] });
  });

  it('finds a small ring forming', () => {
    expect(judged([viewOf(10, 20, 20), viewOf(20, 10, 10)])).toMatchObject({
      condition: 'forming',
      violations: [],
    });
  });

  it('finds old pointers, and whose they are', () => {
    const verdict = judged(replaced(viewOf(30, 10, 40, 50)));
    expect(verdict).toMatchObject({ condition: 'repairing', isStable: true });
    expect(verdict.violations.map(({ rule, peers: [lead] }) => [rule, lead?.ringId])).toEqual([
      ['IDEAL_POINTERS', 30],
    ]);
  });

  it('finds a ring broken whose peers have lost their successors, and names them', () => {
    const verdict = judged(replaced(viewOf(30, 20, 31, 32)));
    expect(verdict.condition).toBe('broken');
    expect(verdict.violations[0]).toMatchObject({
      rule: 'ONE_LIVE_SUCCESSOR',
      peers: [{ ringId: 30 }],
      text: '30 has no live successor',
    });
  });

  it('finds two rings in one', () => {
    const two = [...ideal(10, 30, 50), ...ideal(20, 40, 60)];
    const verdict = judged(two.toSorted((one, other) => one.self.ringId - other.self.ringId));
    expect(verdict.condition).toBe('broken');
    expect(verdict.violations.map(({ rule }) => rule)).toContain('ONE_ORDERED_RING');
  });

  it('calls nothing broken that one look alone shows, or that changes', () => {
    const broken = replaced(viewOf(30, 20, 31, 32));
    expect(judged(RING, broken)).toMatchObject({ condition: 'repairing', isStable: false });
    expect(judged(broken, RING)).toMatchObject({ condition: 'ideal', isStable: false });
    const other = replaced(viewOf(30, 20, 33, 34));
    expect(judged(broken, other)).toMatchObject({ condition: 'repairing', isStable: false });
  });
});
