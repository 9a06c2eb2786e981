import { describe, expect, it } from 'vitest';
import { judge, type Judgement } from '../../../services/peer/core/invariants.js';
import type { Neighbors } from '../../../services/peer/core/messages.js';
import { namesOf, peer, peers } from '../ring-text.js';

const R = 2;

/** A view by positions; the predecessor first, the successors behind. */
const view = (
  self: number,
  predecessor: number | undefined,
  ...successors: number[]
): Neighbors => ({
  self: peer(self),
  predecessor: predecessor === undefined ? undefined : peer(predecessor),
  successors: peers(...successors),
});

/** Five members that know each other as they should. */
const IDEAL: readonly Neighbors[] = [
  view(10, 50, 20, 30),
  view(20, 10, 30, 40),
  view(30, 20, 40, 50),
  view(40, 30, 50, 10),
  view(50, 40, 10, 20),
];

/** The ideal ring with other views of some members. */
const but = (...changed: readonly Neighbors[]): readonly Neighbors[] =>
  IDEAL.map((it) => changed.find(({ self }) => self.ringId === it.self.ringId) ?? it);

/** The ideal ring after these have died. */
const without = (...dead: readonly number[]): readonly Neighbors[] =>
  IDEAL.filter(({ self }) => !dead.includes(self.ringId));

const brokenIn = (views: readonly Neighbors[], successorsMax = R) =>
  judge(views, successorsMax).violations.map(({ rule, peers: some }) => `${rule} ${namesOf(some)}`);

const outline = ({ violations, principals, memberCount, isIdeal }: Judgement) => ({
  memberCount,
  isIdeal,
  principalCount: principals.length,
  rules: violations.map(({ rule }) => rule),
});

describe('judge, an ideal ring', () => {
  it('finds nothing wrong, in whatever order the views come', () => {
    const good = { memberCount: 5, principalCount: 5, isIdeal: true, rules: [] };
    expect(outline(judge(IDEAL, R))).toEqual(good);
    expect(outline(judge([...IDEAL].reverse(), R))).toEqual(good);
  });

  it.each([
    { title: 'alone', views: [view(10, undefined)], count: 1 },
    { title: 'of two', views: [view(10, 20, 20), view(20, 10, 10)], count: 2 },
  ])('calls a ring $title ideal, and forming', ({ views, count }) => {
    expect(outline(judge(views, R))).toEqual({
      memberCount: count,
      principalCount: count,
      isIdeal: true,
      rules: ['SUFFICIENT_PRINCIPALS'],
    });
  });

  it('is no longer forming with one member more than lists are long', () => {
    const views = [view(10, 30, 20, 30), view(20, 10, 30, 10), view(30, 20, 10, 20)];
    expect(brokenIn(views)).toEqual([]);
    expect(brokenIn(views, 3)).toEqual(['SUFFICIENT_PRINCIPALS [p10 p20 p30]']);
  });

  it.each<{ title: string; changed: Neighbors }>([
    { title: 'a list is too short', changed: view(20, 10, 30) },
    { title: 'a list is too long', changed: view(20, 10, 30, 40, 50) },
    { title: 'a predecessor is missing', changed: view(20, undefined, 30, 40) },
    { title: 'a predecessor is too far away', changed: view(20, 50, 30, 40) },
    {
      title: 'a predecessor is a former life',
      changed: { ...view(20, 10, 30, 40), predecessor: peer(10, 0) },
    },
    { title: 'the end of a list is wrong', changed: view(20, 10, 30, 50) },
  ])('is legal but not ideal when $title', ({ changed }) => {
    const { isIdeal, violations } = judge(but(changed), R);
    expect(isIdeal).toBe(false);
    expect(violations.filter(({ rule }) => rule !== 'SUFFICIENT_PRINCIPALS')).toEqual([]);
  });

  it.each([
    { title: 'alone with a predecessor', views: [view(10, 20)] },
    { title: 'alone with a successor', views: [view(10, undefined, 20)] },
  ])('is not ideal $title', ({ views }) => {
    expect(judge(views, R).isIdeal).toBe(false);
  });

  it('judges nobody', () => {
    const nobody = { memberCount: 0, principals: [] };
    expect(judge([], R)).toMatchObject(nobody);
  });
});

// Zave, OneLiveSuccessor: every live member has at least one live entry in its successor list.
describe('judge, ONE_LIVE_SUCCESSOR', () => {
  it('holds while one of a list lives', () => {
    expect(brokenIn(without(20, 40))).toEqual([]);
  });

  it('is broken where a whole list is dead', () => {
    expect(brokenIn(without(20, 30))).toEqual(['ONE_LIVE_SUCCESSOR [p10]']);
  });

  it('is broken where a whole list is in other lives', () => {
    const former = { ...view(10, 50), successors: [peer(20, 0), peer(30, 0)] };
    expect(brokenIn(but(former))).toContain('ONE_LIVE_SUCCESSOR [p10]');
  });
});

// Zave, SufficientPrincipals: there are at least r + 1 principals, members that no live member skips.
describe('judge, SUFFICIENT_PRINCIPALS', () => {
  const skipping30 = view(20, 10, 40, 50);
  const skipping50 = view(40, 30, 10, 20);

  it('holds with exactly one principal more than lists are long', () => {
    const judgement = judge(but(skipping30, skipping50), R);
    expect(outline(judgement)).toMatchObject({ principalCount: 3, rules: [] });
  });

  it('is broken with one less', () => {
    const all = but(skipping30, skipping50, view(10, 50, 30, 40));
    expect(brokenIn(all)).toEqual(['SUFFICIENT_PRINCIPALS [p10 p40]']);
  });

  it('counts out a member that a list knows by a former life only', () => {
    const former = { ...view(20, 10), successors: [peer(30, 0), peer(40)] };
    expect(judge(but(former), R).principals).toHaveLength(4);
  });

  it('counts out a member that is skipped across 0', () => {
    expect(judge(but(view(40, 30, 20, 30)), R).principals).toHaveLength(3);
  });

  it('counts out everyone but a member that takes itself for alone', () => {
    expect(judge(but(view(20, 10)), R).principals).toHaveLength(1);
  });

  it('does not count out who lies past the end of a list', () => {
    expect(judge(but(view(10, 50, 20)), R).principals).toHaveLength(5);
  });
});

describe('judge, ORDERED_SUCCESSOR_LISTS', () => {
  it.each([
    { title: 'out of order', successors: [40, 30] },
    { title: 'with a repeat', successors: [30, 30] },
    { title: 'with its owner at the end', successors: [30, 20] },
    { title: 'with its owner first', successors: [20, 30] },
    { title: 'past its owner', successors: [50, 30] },
  ])('is broken by a list $title', ({ successors }) => {
    const named = namesOf(peers(20, ...successors));
    expect(brokenIn(but(view(20, 10, ...successors)))).toContain(
      `ORDERED_SUCCESSOR_LISTS ${named}`,
    );
  });

  it('holds for a list across 0', () => {
    expect(brokenIn(but(view(40, 30, 50, 20)))).toEqual([]);
  });
});

describe('judge, ONE_ORDERED_RING', () => {
  it('is broken by two rings, and names one member of each', () => {
    const two = [view(10, 30, 30), view(20, 40, 40), view(30, 10, 10), view(40, 20, 20)];
    expect(brokenIn(two, 1)).toContain('ONE_ORDERED_RING [p10 p20]');
  });

  it('is broken by a ring of several and one that is alone and unknown', () => {
    const views = [
      view(10, 30, 20, 30),
      view(20, 10, 30, 10),
      view(30, 20, 10, 20),
      view(40, undefined),
    ];
    expect(brokenIn(views, 1)).toContain('ONE_ORDERED_RING [p10 p40]');
  });

  it('holds where all lead to one that takes itself for alone, as a founder at first', () => {
    expect(brokenIn([view(10, undefined), view(20, 10, 10)])).toEqual([
      'SUFFICIENT_PRINCIPALS [p10]',
    ]);
  });

  it('is broken by a ring that goes round twice', () => {
    const twice = [
      view(10, 40, 30),
      view(20, 50, 40),
      view(30, 10, 50),
      view(40, 20, 10),
      view(50, 30, 20),
    ];
    const { violations } = judge(twice, 1);
    expect(violations.map(({ rule }) => rule)).toContain('ONE_ORDERED_RING');
    expect(violations.find(({ rule }) => rule === 'ONE_ORDERED_RING')?.text).toBe(
      'goes round 2 times',
    );
  });

  it('holds for members that are beside the ring and lead into it', () => {
    const views = [
      view(10, 40, 20, 40),
      view(20, 10, 40, 10),
      view(30, 20, 40, 10),
      view(40, 20, 10, 20),
    ];
    expect(judge(views, 1).violations).toEqual([]);
  });
});
