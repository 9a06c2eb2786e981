import { describe, expect, it } from 'vitest';
import { Leases } from '../../services/storage/core/leases.js';

const TTL_MS = 15_000;

function leasesOf(...keys: readonly string[]): Leases {
  const leases = new Leases();
  keys.forEach((key, index) => leases.grant(key, TTL_MS, index));
  return leases;
}

describe('Leases', () => {
  it('end one full length after the last renewal, in that order', () => {
    const leases = leasesOf('c', 'a', 'b');
    expect(leases.renew('c', 100)).toBe(true);
    leases.remove('x');
    expect(leases.nextEndMs()).toBe(TTL_MS + 1);
    expect(leases.takeEnded(TTL_MS)).toEqual([]);
    expect(leases.takeEnded(TTL_MS + 2)).toEqual(['a', 'b']);
    expect(leases.takeEnded(TTL_MS + 2)).toEqual([]);
    expect(leases.renew('a', TTL_MS + 2)).toBe(false);
    leases.remove('c');
    expect(leases.nextEndMs()).toBeUndefined();
  });

  it('have each a length of its own', () => {
    const leases = leasesOf('long', 'longer');
    leases.grant('longer', 2 * TTL_MS, 0);
    leases.grant('short', 1_000, 5_000);
    expect(leases.takeEnded(6_000)).toEqual(['short']);
    leases.grant('long', 500, 7_000);
    expect(leases.nextEndMs()).toBe(7_500);
    expect(leases.takeEnded(7_500)).toEqual(['long']);
    expect(leases.takeEnded(2 * TTL_MS)).toEqual(['longer']);
  });

  it.each([
    { title: 'a timer is late', lateMs: 1_500, ended: ['a'] },
    { title: 'this process stood still', lateMs: 1_501, ended: [] },
  ])('end $ended when $title', ({ lateMs, ended }) => {
    const leases = leasesOf('a');
    leases.grant('b', TTL_MS, 10_000);
    const nowMs = TTL_MS + lateMs;
    expect(leases.takeEnded(nowMs)).toEqual(ended);
    expect(leases.nextEndMs()).toBe(ended.length > 0 ? 10_000 + TTL_MS : nowMs + TTL_MS);
  });
});
