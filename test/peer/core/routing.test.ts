import { describe, expect, it } from 'vitest';
import { route, type RouteStep } from '../../../services/peer/core/routing.js';
import type { RingState } from '../../../services/peer/core/state.js';
import { nameOf, peer, peers } from '../ring-text.js';
import { IN_RING } from './lone-machine.js';

type Situation = {
  readonly state?: Partial<RingState>;
  readonly shortcuts?: readonly number[];
  readonly avoided?: readonly number[];
  readonly position: number;
};

/** From p20, which lies between p10 and [p30 p40 p50]. */
function from20({ state = {}, shortcuts = [], avoided = [], position }: Situation): string {
  const step: RouteStep = route(
    { ...IN_RING, ...state },
    peers(...shortcuts),
    position,
    peers(...avoided),
  );
  return 'peer' in step ? `${step.kind} ${nameOf(step.peer)}` : step.kind;
}

const ALONE = { predecessor: undefined, successors: [] };

describe('route, to what is near', () => {
  it.each([
    { title: 'its own position', position: 20, to: 'self' },
    { title: 'what follows its predecessor', position: 11, to: 'self' },
    { title: 'what follows it', position: 21, to: 'owner p30' },
    { title: 'the position of its successor', position: 30, to: 'owner p30' },
    { title: 'what follows its successor', position: 31, to: 'owner p40' },
    { title: 'the position of its second successor', position: 40, to: 'owner p40' },
    { title: 'the position of its last successor', position: 50, to: 'owner p50' },
    { title: 'what follows its last successor', position: 51, to: 'next-hop p50' },
    { title: 'the position of its predecessor', position: 10, to: 'next-hop p50' },
    { title: 'position 0', position: 0, to: 'next-hop p50' },
  ])('goes to $to for $title', ({ position, to }) => {
    expect(from20({ position })).toBe(to);
  });

  it.each([
    { title: 'everything, alone', state: ALONE, position: 7, to: 'self' },
    {
      title: 'its own position without a predecessor',
      state: { predecessor: undefined },
      position: 20,
      to: 'self',
    },
    {
      title: 'what may be its own, without a predecessor',
      state: { predecessor: undefined },
      position: 15,
      to: 'next-hop p50',
    },
    {
      title: 'what follows it, when it knows only its predecessor',
      state: { successors: [] },
      position: 25,
      to: 'next-hop p10',
    },
    {
      title: 'what is its own, when it knows only its predecessor',
      state: { successors: [] },
      position: 15,
      to: 'self',
    },
  ])('goes to $to for $title', ({ state, position, to }) => {
    expect(from20({ state, position })).toBe(to);
  });
});

describe('route, by shortcuts', () => {
  it.each([
    {
      title: 'the nearest before the position',
      shortcuts: [60, 80, 70],
      position: 90,
      to: 'next-hop p80',
    },
    { title: 'none at the position', shortcuts: [60, 90], position: 90, to: 'next-hop p60' },
    { title: 'none past the position', shortcuts: [95, 5], position: 90, to: 'next-hop p50' },
    { title: 'one across 0', shortcuts: [60, 2], position: 5, to: 'next-hop p2' },
    { title: 'none within its list', shortcuts: [35], position: 45, to: 'owner p50' },
    {
      title: 'none that is behind a successor',
      shortcuts: [35],
      avoided: [45],
      position: 45,
      to: 'next-hop p40',
    },
    {
      title: 'none that is to be avoided',
      shortcuts: [60, 80],
      avoided: [80],
      position: 90,
      to: 'next-hop p60',
    },
    {
      title: 'none where its successor owns the position',
      shortcuts: [22],
      position: 25,
      to: 'owner p30',
    },
  ])('takes $title', ({ to, ...situation }) => {
    expect(from20(situation)).toBe(to);
  });
});

describe('route, past peers to avoid', () => {
  it.each([
    {
      title: 'the next successor owns what the first owned',
      avoided: [30],
      position: 25,
      to: 'owner p40',
    },
    {
      title: 'the last successor owns what all owned',
      avoided: [30, 40],
      position: 25,
      to: 'owner p50',
    },
    {
      title: 'a later successor owns what the one before it owned',
      avoided: [40],
      position: 35,
      to: 'owner p50',
    },
    {
      title: 'whoever avoids the position comes to the peer right before it',
      avoided: [35],
      position: 35,
      to: 'next-hop p30',
    },
    { title: 'another successor is the way', avoided: [50], position: 90, to: 'next-hop p40' },
    {
      title: 'the predecessor is the way',
      avoided: [30, 40, 50],
      position: 25,
      to: 'next-hop p10',
    },
    { title: 'nothing is the way', avoided: [10, 30, 40, 50], position: 25, to: 'nowhere' },
    {
      title: 'what follows an avoided predecessor is not surely its own',
      avoided: [10],
      position: 15,
      to: 'next-hop p50',
    },
    { title: 'its own position stays its own', avoided: [10, 20], position: 20, to: 'self' },
  ])('knows that $title', ({ to, ...situation }) => {
    expect(from20(situation)).toBe(to);
  });

  it('is nowhere without a predecessor when its successors are to be avoided', () => {
    const state = { predecessor: undefined };
    expect(from20({ state, avoided: [30, 40, 50], position: 25 })).toBe('nowhere');
  });

  it('does not avoid a later life of a peer', () => {
    const state = { successors: [peer(30, 9), peer(40)] };
    expect(from20({ state, avoided: [30], position: 25 })).toBe('owner p30.9');
  });
});
