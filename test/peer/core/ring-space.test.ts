import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  clockwise,
  distance,
  isBetween,
  isLaterLife,
  isOwnedBy,
  isSameLife,
} from '../../../services/peer/core/ring-space.js';
import { peer } from '../ring-text.js';

const LAST = Number.MAX_SAFE_INTEGER;

/** Some positions on a small ring, and its size. */
const onRing = (count: number) =>
  fc
    .integer({ min: 1, max: 12 })
    .chain((size) =>
      fc.tuple(
        fc.constant(size),
        fc.array(fc.nat(size - 1), { minLength: count, maxLength: count }),
      ),
    );

/** The positions on the way from one to another, step by step; the whole ring when they are one. */
function walk(from: number, to: number, size: number): readonly number[] {
  const passed: number[] = [];
  for (let at = (from + 1) % size; at !== to; at = (at + 1) % size) passed.push(at);
  return passed;
}

describe('isBetween', () => {
  it.each([
    { title: 'just after the start', from: 10, point: 11, to: 20, expected: true },
    { title: 'just before the end', from: 10, point: 19, to: 20, expected: true },
    { title: 'the start', from: 10, point: 10, to: 20, expected: false },
    { title: 'the end', from: 10, point: 20, to: 20, expected: false },
    { title: 'just before the start', from: 10, point: 9, to: 20, expected: false },
    { title: 'just after the end', from: 10, point: 21, to: 20, expected: false },
    { title: 'nothing between neighbours', from: 10, point: 10, to: 11, expected: false },
    {
      title: 'a point before the closing of the circle',
      from: 50,
      point: 60,
      to: 5,
      expected: true,
    },
    { title: 'a point after the closing of the circle', from: 50, point: 2, to: 5, expected: true },
    { title: 'position 0 when the arc passes it', from: 50, point: 0, to: 5, expected: true },
    { title: 'the start of an arc that passes 0', from: 50, point: 50, to: 5, expected: false },
    { title: 'the end of an arc that passes 0', from: 50, point: 5, to: 5, expected: false },
    { title: 'a point beside an arc that passes 0', from: 50, point: 30, to: 5, expected: false },
    { title: 'another point when both ends are one', from: 7, point: 8, to: 7, expected: true },
    { title: 'the end itself when both ends are one', from: 7, point: 7, to: 7, expected: false },
    { title: 'the last position before 0', from: 1, point: LAST, to: 0, expected: true },
    { title: 'the last position as an end', from: 0, point: LAST, to: LAST, expected: false },
  ])('says $expected for $title', ({ from, point, to, expected }) => {
    expect(isBetween(from, point, to)).toBe(expected);
  });

  it('agrees with a walk step by step', () => {
    fc.assert(
      fc.property(onRing(3), ([size, [from = 0, point = 0, to = 0]]) => {
        expect(isBetween(from, point, to)).toBe(walk(from, to, size).includes(point));
      }),
    );
  });

  it('puts each of three positions between the others one way round only', () => {
    fc.assert(
      fc.property(onRing(3), ([, [one = 0, two = 0, three = 0]]) => {
        fc.pre(new Set([one, two, three]).size === 3);
        expect(isBetween(one, two, three)).toBe(!isBetween(three, two, one));
      }),
    );
  });
});

describe('isOwnedBy', () => {
  it.each([
    { title: 'its own position', predecessor: 10, position: 20, owner: 20, expected: true },
    {
      title: 'what follows its predecessor',
      predecessor: 10,
      position: 11,
      owner: 20,
      expected: true,
    },
    {
      title: 'the position of its predecessor',
      predecessor: 10,
      position: 10,
      owner: 20,
      expected: false,
    },
    { title: 'what follows it', predecessor: 10, position: 21, owner: 20, expected: false },
    { title: 'what lies across 0', predecessor: 50, position: 0, owner: 20, expected: true },
    { title: 'anything, alone', predecessor: 20, position: 19, owner: 20, expected: true },
    { title: 'its own position, alone', predecessor: 20, position: 20, owner: 20, expected: true },
  ])('says $expected for $title', ({ predecessor, position, owner, expected }) => {
    expect(isOwnedBy(predecessor, position, owner)).toBe(expected);
  });
});

describe('distance', () => {
  it.each([
    { title: 'nothing', from: 5, to: 5, size: 10, expected: 0 },
    { title: 'one step', from: 5, to: 6, size: 10, expected: 1 },
    { title: 'almost all the way round', from: 5, to: 4, size: 10, expected: 9 },
    { title: 'the step over the closing', from: 9, to: 0, size: 10, expected: 1 },
    { title: 'the largest ring, backwards', from: 1, to: 0, size: 2 ** 53, expected: LAST },
  ])('counts $title', ({ from, to, size, expected }) => {
    expect(distance(from, to, size)).toBe(expected);
  });

  it('counts the steps of a walk', () => {
    fc.assert(
      fc.property(onRing(2), ([size, [from = 0, to = 0]]) => {
        const steps = from === to ? 0 : walk(from, to, size).length + 1;
        expect(distance(from, to, size)).toBe(steps);
      }),
    );
  });
});

describe('clockwise', () => {
  it.each([
    { title: 'stays', from: 5, offset: 0, size: 10, expected: 5 },
    { title: 'stops before the closing', from: 5, offset: 4, size: 10, expected: 9 },
    { title: 'passes the closing', from: 5, offset: 5, size: 10, expected: 0 },
    {
      title: 'keeps precision on the largest ring',
      from: LAST,
      offset: LAST,
      size: 2 ** 53,
      expected: LAST - 1,
    },
  ])('$title', ({ from, offset, size, expected }) => {
    expect(clockwise(from, offset, size)).toBe(expected);
  });

  it('undoes a distance', () => {
    fc.assert(
      fc.property(onRing(2), ([size, [from = 0, to = 0]]) => {
        expect(clockwise(from, distance(from, to, size), size)).toBe(to);
      }),
    );
  });
});

describe('isSameLife', () => {
  it.each([
    { title: 'the same life', other: peer(20, 3), expected: true },
    {
      title: 'the same life at another address',
      other: { ...peer(20, 3), address: 'x' },
      expected: true,
    },
    { title: 'another life', other: peer(20, 4), expected: false },
    { title: 'another peer', other: peer(21, 3), expected: false },
  ])('says $expected for $title', ({ other, expected }) => {
    expect(isSameLife(peer(20, 3), other)).toBe(expected);
  });
});

describe('isLaterLife', () => {
  it.each([
    { title: 'a later life', seen: peer(20, 4), expected: true },
    { title: 'the same life', seen: peer(20, 3), expected: false },
    { title: 'an earlier life', seen: peer(20, 2), expected: false },
    { title: 'any life', seen: peer(20, 0), expected: false },
    { title: 'a later life of another peer', seen: peer(21, 4), expected: false },
  ])('says $expected for $title', ({ seen, expected }) => {
    expect(isLaterLife(seen, peer(20, 3))).toBe(expected);
  });
});
