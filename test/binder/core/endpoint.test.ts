import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { supersedes, type Endpoint, type Removal } from '../../../services/binder/core/endpoint.js';
import { endpointOf } from './endpoints.js';

const REMOVALS: readonly (Removal | undefined)[] = [
  undefined,
  'deregistered',
  'lease-ended',
  'checks-failed',
  'report-proved',
];

/** Few values, so that many draws have something in common. No two states share a stamp. */
const states = fc
  .uniqueArray(
    fc.record({
      fencingToken: fc.integer({ min: 1, max: 3 }),
      term: fc.integer({ min: 0, max: 2 }),
      removal: fc.constantFrom(...REMOVALS),
      stamp: fc.integer({ min: 1, max: 50 }),
    }),
    { selector: ({ stamp }) => stamp, minLength: 1, maxLength: 8 },
  )
  .map((all) => all.map((parts) => endpointOf(parts)));

const merged = (all: readonly Endpoint[]): Endpoint | undefined =>
  all.reduce<Endpoint | undefined>(
    (mine, theirs) => (supersedes(theirs, mine) ? theirs : mine),
    undefined,
  );

describe('supersedes', () => {
  it.each([
    ['a later registration over a removal', { fencingToken: 2 }, { removal: 'deregistered' }],
    ['a deregistration over a later term', { removal: 'deregistered' }, { term: 3 }],
    ['a later term over the end of a lease', { term: 1 }, { removal: 'lease-ended', stamp: 9 }],
    ['a removal over what happens in the same term', { removal: 'report-proved' }, { stamp: 9 }],
    ['a later stamp over an earlier one', { stamp: 9 }, { stamp: 8 }],
  ] as const)('puts %s', (_, later, earlier) => {
    const [one, other] = [later, earlier].map((parts) =>
      endpointOf({ fencingToken: 1, stamp: 1, ...parts }),
    );
    expect(supersedes(one!, other)).toBe(true);
    expect(supersedes(other!, one)).toBe(false);
  });

  it('puts no state over itself', () => {
    fc.assert(fc.property(states, ([state]) => !supersedes(state!, state)));
  });

  it('lets the same state win in whatever order, and however often, states come', () => {
    fc.assert(
      fc.property(states, fc.infiniteStream(fc.nat()), (all, draws) => {
        const winner = merged(all);
        const shuffled = [...all, ...all].sort(() => (draws.next().value % 2 === 0 ? 1 : -1));
        expect(merged(shuffled)).toBe(winner);
        const [half, rest] = [all.slice(0, all.length / 2), all.slice(all.length / 2)];
        expect(merged([merged(rest)!, ...half])).toBe(winner);
      }),
    );
  });
});
