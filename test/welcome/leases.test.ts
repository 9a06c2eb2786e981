import { describe, expect, it } from 'vitest';
import { Leases } from '../../services/welcome/core/leases.js';

const TTL_MS = 15_000;

function leasesOf(...ringIds: readonly number[]): Leases {
  const leases = new Leases(TTL_MS);
  ringIds.forEach((ringId, index) => leases.renew(ringId, index));
  return leases;
}

describe('Leases', () => {
  it('end one full length after the last renewal, in that order', () => {
    const leases = leasesOf(3, 1, 2);
    leases.renew(3, 100);
    leases.remove(9);
    expect(leases.nextEndMs()).toBe(TTL_MS + 1);
    expect(leases.takeEnded(TTL_MS)).toEqual([]);
    expect(leases.takeEnded(TTL_MS + 2)).toEqual([1, 2]);
    expect(leases.takeEnded(TTL_MS + 2)).toEqual([]);
    leases.remove(3);
    expect(leases.nextEndMs()).toBeUndefined();
  });

  it.each([
    { title: 'a timer is late', lateMs: 1_500, ended: [1] },
    { title: 'this process stood still', lateMs: 1_501, ended: [] },
  ])('end $ended when $title', ({ lateMs, ended }) => {
    const leases = leasesOf(1);
    leases.renew(2, 10_000);
    const nowMs = TTL_MS + lateMs;
    expect(leases.takeEnded(nowMs)).toEqual(ended);
    expect(leases.nextEndMs()).toBe(ended.length > 0 ? 10_000 + TTL_MS : nowMs + TTL_MS);
  });
});
