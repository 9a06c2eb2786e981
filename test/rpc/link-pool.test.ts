import { describe, expect, it } from 'vitest';
import { LINK_IDLE_MS, LINKS_MAX } from '../../services/limits.js';
import { LinkPool } from '../../services/rpc/link-pool.js';
import { FakeClock } from '../support/fake-clock.js';

type Link = { readonly address: string; isBusy: boolean };

function poolOf() {
  const clock = new FakeClock();
  const closed: string[] = [];
  const pool = new LinkPool<Link>({
    clock,
    open: (address) => ({ address, isBusy: false }),
    close: ({ address }) => closed.push(address),
    isBusy: ({ isBusy }) => isBusy,
  });
  return { clock, closed, pool };
}

describe('LinkPool', () => {
  it('has one link to an address until it is dropped', () => {
    const { pool, closed } = poolOf();
    const first = pool.get('a');
    expect(pool.get('a')).toBe(first);
    expect(pool.get('b')).not.toBe(first);
    pool.drop('a', first);
    const second = pool.get('a');
    expect(second).not.toBe(first);
    pool.drop('a', first);
    expect(pool.get('a')).toBe(second);
    expect(closed).toEqual(['a']);
  });

  it('closes what is not used, and nothing that is busy', () => {
    const { pool, clock, closed } = poolOf();
    pool.get('idle');
    pool.get('busy').isBusy = true;
    clock.advance(LINK_IDLE_MS);
    pool.get('used');
    clock.advance(LINK_IDLE_MS);
    expect(closed).toEqual(['idle']);
    clock.advance(2 * LINK_IDLE_MS);
    expect(closed).toEqual(['idle', 'used']);
  });

  it('closes the one used longest ago when there are too many', () => {
    const { pool, clock, closed } = poolOf();
    for (let number = 0; number < LINKS_MAX; number += 1) pool.get(String(number));
    pool.get('1').isBusy = true;
    clock.advance(10);
    pool.get('0');
    pool.get('one more');
    expect(closed).toEqual(['2']);
    pool.close();
    expect(closed).toHaveLength(LINKS_MAX + 1);
  });
});
