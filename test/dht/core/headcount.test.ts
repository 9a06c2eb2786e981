import { describe, expect, it } from 'vitest';
import { ABSENT_MS_MAX, Headcount } from '../../../services/dht/core/headcount.js';
import { peer, peers } from '../../peer/ring-text.js';

const COUNTED_MAX = 32;

describe('Headcount', () => {
  it('counts nobody at first', () => {
    const headcount = new Headcount();
    expect(headcount.count).toBe(0);
    expect(headcount.ringIds).toEqual([]);
  });

  it('counts each member once, whatever its life', () => {
    const headcount = new Headcount();
    headcount.see([peer(30), peer(20), peer(30, 2)], 0);
    expect(headcount.count).toBe(2);
    expect(headcount.ringIds).toEqual([20, 30]);
  });

  it.each([
    { afterMs: ABSENT_MS_MAX - 1, expected: [20, 30, 40] },
    { afterMs: ABSENT_MS_MAX, expected: [20] },
  ])('counts $expected after nobody else was seen for $afterMs ms', ({ afterMs, expected }) => {
    const headcount = new Headcount();
    headcount.see(peers(20, 30, 40), 5);
    headcount.see(peers(20), 5 + afterMs);
    expect(headcount.ringIds).toEqual(expected);
  });

  it('counts on as long as a member is seen now and then', () => {
    const headcount = new Headcount();
    headcount.see(peers(20, 30, 40), 0);
    headcount.see(peers(20, 40), ABSENT_MS_MAX - 1);
    headcount.see(peers(20), ABSENT_MS_MAX);
    expect(headcount.ringIds).toEqual([20, 40]);
    headcount.see(peers(20), 2 * ABSENT_MS_MAX - 2);
    expect(headcount.ringIds).toEqual([20, 40]);
    headcount.see(peers(20), 2 * ABSENT_MS_MAX - 1);
    expect(headcount.ringIds).toEqual([20]);
  });

  it('forgets nobody by the passing of time alone, while it sees nothing', () => {
    const headcount = new Headcount();
    headcount.see(peers(20, 30), 0);
    headcount.see([], ABSENT_MS_MAX - 1);
    expect(headcount.count).toBe(2);
  });

  it('takes what it counted before a restart for seen now', () => {
    const headcount = new Headcount();
    headcount.remember([30, 40], 100);
    headcount.see(peers(20), 100 + ABSENT_MS_MAX - 1);
    expect(headcount.ringIds).toEqual([20, 30, 40]);
    headcount.see(peers(20), 100 + ABSENT_MS_MAX);
    expect(headcount.ringIds).toEqual([20]);
  });

  it('no longer counts one that has left by its own will, unless it comes back', () => {
    const headcount = new Headcount();
    headcount.see(peers(20, 30), 0);
    headcount.depart(peer(30));
    headcount.depart(peer(50));
    expect(headcount.ringIds).toEqual([20]);
    headcount.see(peers(20, 30), 1);
    expect(headcount.count).toBe(2);
  });

  it('counts no more than matter, and forgets those first that were seen first', () => {
    const headcount = new Headcount();
    const many = Array.from({ length: COUNTED_MAX }, (_, index) => peer(index));
    headcount.see(many, 0);
    expect(headcount.count).toBe(COUNTED_MAX);
    headcount.see([peer(0), peer(100)], 1);
    expect(headcount.count).toBe(COUNTED_MAX);
    expect(headcount.ringIds).not.toContain(1);
    expect(headcount.ringIds).toEqual(expect.arrayContaining([0, 2, 100]));
  });
});
