import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { keepersAround } from '../../../services/peer/core/keepers.js';
import type { Answer, Neighbors } from '../../../services/peer/core/messages.js';
import { isGuest, type PeerRef } from '../../../services/peer/core/ring-space.js';
import { nameOf, namesOf, peer } from '../ring-text.js';
import { neighbors } from './lone-machine.js';
import { talk, type Voices } from './talk.js';

const guest = (ringId: number): PeerRef => ({ ...peer(ringId), host: 'p1' });

/** What the members of a ring know of it, by their names. */
function viewsOf(members: readonly PeerRef[], successorsMax: number): Map<string, Neighbors> {
  const at = (index: number): PeerRef => members[(index + members.length) % members.length]!;
  const length = Math.min(successorsMax, members.length - 1);
  return new Map(
    members.map((self, index) => {
      const predecessor = members.length === 1 ? undefined : at(index - 1);
      const successors = Array.from({ length }, (_, place) => at(index + 1 + place));
      return [nameOf(self), { self, predecessor, successors }];
    }),
  );
}

function voicesOf(views: ReadonlyMap<string, Neighbors>): Voices {
  const answerOf = ({ self, predecessor, successors }: Neighbors): Answer =>
    neighbors(self, predecessor, ...successors);
  return Object.fromEntries(
    [...views].map(([name, view]) => [`${name} neighbors`, answerOf(view)]),
  );
}

function keepersOf(name: string, members: readonly PeerRef[], successorsMax: number) {
  const views = viewsOf(members, successorsMax);
  return talk(keepersAround(views.get(name)!, successorsMax), voicesOf(views));
}

describe('keepersAround', () => {
  it('asks nobody where there is no guest', () => {
    const { result, asks } = keepersOf(
      'p30',
      [10, 20, 30, 40, 50].map((id) => peer(id)),
      2,
    );
    expect(asks).toEqual([]);
    expect(nameOf(result!.predecessor!)).toBe('p20');
    expect(namesOf(result!.successors)).toBe('[p40 p50]');
  });

  it('sees nobody where all others are guests', () => {
    const { result } = keepersOf('p30', [guest(10), guest(20), peer(30), guest(40)], 2);
    expect(result).toEqual({ predecessor: undefined, successors: [] });
  });

  it('can not tell when a guest on the way is silent', () => {
    const members = [peer(10), guest(20), peer(30), peer(40)];
    const views = viewsOf(members, 2);
    const voices = { ...voicesOf(views), 'p20 neighbors': [] };
    expect(talk(keepersAround(views.get('p30')!, 2), voices).result).toBeUndefined();
  });

  it('finds the same as the ring without guests, in any ring', () => {
    const members = fc
      .uniqueArray(fc.tuple(fc.nat(63), fc.boolean()), { minLength: 1, selector: ([id]) => id })
      .map((drawn) => drawn.sort(([one], [other]) => one - other))
      .map((drawn) => drawn.map(([id, isOne]) => (isOne ? guest(id) : peer(id))))
      .filter((drawn) => drawn.some((it) => !isGuest(it)));
    fc.assert(
      fc.property(members, fc.integer({ min: 1, max: 5 }), (ring, successorsMax) => {
        const ideal = viewsOf(
          ring.filter((it) => !isGuest(it)),
          successorsMax,
        );
        for (const [name, { predecessor, successors }] of ideal) {
          const { result } = keepersOf(name, ring, successorsMax);
          expect(result).toEqual({ predecessor, successors });
        }
      }),
      { numRuns: 300 },
    );
  });
});
