import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Rotation } from '../../../services/binder/core/rotation.js';
import { ServiceShelf } from '../../../services/binder/core/service-shelf.js';
import { endpointOf, registrationOf } from './endpoints.js';

const at = (address: string, health: 'healthy' | 'unhealthy' = 'healthy') =>
  endpointOf({ registration: registrationOf({ address }), health });
const next = (rotation: { next: () => ReturnType<Rotation['next']> }) =>
  rotation.next()?.registration.address;

describe('Rotation', () => {
  it('has no turn for anyone when none is healthy', () => {
    expect(new Rotation().next()).toBeUndefined();
  });

  it('gives each its turn, in the order of addresses, and begins again', () => {
    const rotation = new Rotation();
    rotation.replace(['a', 'b', 'c'].map((address) => at(address)));
    expect(Array.from({ length: 7 }, () => next(rotation)).join('')).toBe('abcabca');
  });

  it('goes on behind the last turn when that one is gone', () => {
    const rotation = new Rotation();
    rotation.replace(['a', 'b', 'c'].map((address) => at(address)));
    expect([next(rotation), next(rotation)]).toEqual(['a', 'b']);
    rotation.replace(['a', 'c', 'd'].map((address) => at(address)));
    expect([next(rotation), next(rotation), next(rotation)]).toEqual(['c', 'd', 'a']);
  });
});

describe('ServiceShelf', () => {
  it('gives those who stay as many turns as each other, give or take one, whoever comes and goes', () => {
    const change = fc.tuple(fc.integer({ min: 0, max: 9 }), fc.boolean(), fc.nat({ max: 9 }));
    fc.assert(
      fc.property(fc.array(change, { maxLength: 40 }), (changes) => {
        const shelf = new ServiceShelf();
        const turns = new Map([
          ['m', 0],
          ['n', 0],
          ['o', 0],
        ]);
        for (const address of turns.keys()) shelf.set(address, at(address));
        for (const [index, isThere, calls] of changes) {
          const address = `abcdepqrst`[index]!;
          shelf.set(address, isThere ? at(address) : undefined);
          for (let call = 0; call < calls; call += 1) {
            const turn = next(shelf)!;
            if (turns.has(turn)) turns.set(turn, turns.get(turn)! + 1);
          }
        }
        const counts = [...turns.values()];
        expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1);
      }),
    );
  });

  it('counts and hands out healthy ones only', () => {
    const shelf = new ServiceShelf();
    shelf.set('a', at('a', 'unhealthy'));
    shelf.set('b', at('b'));
    expect([shelf.size, shelf.healthyCount, next(shelf), next(shelf)]).toEqual([2, 1, 'b', 'b']);
    shelf.set('b', at('b', 'unhealthy'));
    expect([shelf.healthyCount, next(shelf)]).toEqual([0, undefined]);
    shelf.set('a', undefined);
    expect([shelf.size, [...shelf.from('')].length]).toEqual([1, 1]);
  });
});
