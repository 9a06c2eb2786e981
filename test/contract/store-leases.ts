import { expect, it } from 'vitest';
import type { StoreEntry } from '../../services/storage/store.js';
import { until } from '../support/until.js';
import type { TestStore } from './test-store.js';

const put = (key: string, ttlMs?: number, value = 'v') =>
  ({ kind: 'put', key, value: Buffer.from(value), ttlMs }) as const;

const gone = (entry: StoreEntry | undefined) => (entry === undefined ? true : undefined);

/** A real store takes whole seconds, and looks every half second. */
const LATE_MS = 2_500;

export function describeLeases(open: () => Promise<TestStore>) {
  it('end when nobody renews, and take the entry with them', { timeout: 30_000 }, async () => {
    await using opened = await open();
    const { store, ttlMs, pass } = opened;
    await store.commit({ conditions: [], writes: [put('a', ttlMs), put('b')] });
    expect(await store.get('a')).toMatchObject({ key: 'a' });
    for (let round = 0; round < 3; round += 1) {
      await pass(0.7 * ttlMs);
      expect(await store.renew('a')).toBe(true);
    }
    await pass(ttlMs);
    await until(async () => gone(await store.get('a')), LATE_MS);
    expect(await store.renew('a')).toBe(false);
    expect(await store.get('b')).toMatchObject({ key: 'b' });
  });

  it('are not renewed where there are none', async () => {
    await using opened = await open();
    const { store, ttlMs } = opened;
    await store.commit({ conditions: [], writes: [put('a'), put('b', ttlMs)] });
    await store.commit({ conditions: [], writes: [{ kind: 'delete', key: 'b' }] });
    for (const key of ['a', 'b', 'c']) expect(await store.renew(key)).toBe(false);
    await expect(store.renew('')).rejects.toThrow(RangeError);
  });

  it('begin and end with the put that names them', { timeout: 30_000 }, async () => {
    await using opened = await open();
    const { store, ttlMs, pass } = opened;
    await store.commit({ conditions: [], writes: [put('a', ttlMs), put('b'), put('c', ttlMs)] });
    await store.commit({ conditions: [], writes: [put('a'), put('b', ttlMs)] });
    await store.commit({ conditions: [], writes: [put('c', 10 * ttlMs)] });
    await pass(ttlMs);
    await until(async () => gone(await store.get('b')), LATE_MS);
    expect(await store.list({ prefix: '', limit: 5 })).toMatchObject([{ key: 'a' }, { key: 'c' }]);
    expect(await store.renew('a')).toBe(false);
    expect(await store.renew('c')).toBe(true);
  });

  it('of a refused commit leave nothing behind', { timeout: 30_000 }, async () => {
    await using opened = await open();
    const { store, ttlMs, pass } = opened;
    await store.commit({ conditions: [], writes: [put('a')] });
    const conditions = [{ kind: 'absent', key: 'a' } as const];
    expect(await store.commit({ conditions, writes: [put('a', ttlMs)] })).toBe(false);
    await pass(ttlMs);
    expect(await store.get('a')).toMatchObject({ key: 'a' });
  });
}
