import { describe, expect, it } from 'vitest';
import {
  COMMIT_BYTES_MAX,
  COMMIT_OPERATIONS_MAX,
  KEY_BYTES_MAX,
  LIST_LIMIT_MAX,
  TTL_MS_MAX,
  VALUE_BYTES_MAX,
} from '../../services/storage/bounds.js';
import type { Store, StoreCommit, StoreEntry } from '../../services/storage/store.js';
import { describeLeases } from './store-leases.js';
import { describeWatch } from './store-watch.js';
import type { TestStore } from './test-store.js';

const put = (key: string, value = 'v') =>
  ({ kind: 'put', key, value: Buffer.from(value) }) as const;
const absent = (key: string) => ({ kind: 'absent', key }) as const;
const write = (...writes: StoreCommit['writes']): StoreCommit => ({ conditions: [], writes });
const shown = (entry: StoreEntry | undefined) => entry && Buffer.from(entry.value).toString();

async function keysOf(store: Store, prefix = '', after?: string, limit = 1000) {
  return (await store.list({ prefix, after, limit })).map(({ key }) => key);
}

function inByteOrder(keys: readonly string[]) {
  return [...keys].sort((one, other) => Buffer.compare(Buffer.from(one), Buffer.from(other)));
}

/** Addresses of 4,096 bytes, with what makes them differ at a place of choice. */
function longKeys(at: number, count: number) {
  const numbers = Array.from({ length: count }, (_, index) => String(index).padStart(4, '0'));
  return numbers.map((number) => `address/${'a'.repeat(at)}${number}`.padEnd(4104, 'b'));
}

export function describeStoreContract(name: string, open: () => Promise<TestStore>) {
  describe(`${name} as a store`, () => {
    describe('get', () => describeGet(open));
    describe('list', () => describeList(open));
    describe('commit', () => describeCommit(open));
    describe('long keys', () => describeLongKeys(open));
    describe('bounds', () => describeBounds(open));
    describe('leases', () => describeLeases(open));
    describe('watch', () => describeWatch(open));
    describe('close', () => describeClose(open));
  });
}

function describeGet(open: () => Promise<TestStore>) {
  it('answers with nothing for a key that is absent', async () => {
    await using opened = await open();
    expect(await opened.store.get('a')).toBeUndefined();
  });

  it('sees a commit as soon as it has resolved', async () => {
    await using opened = await open();
    for (const value of ['1', '2', '3', '']) {
      await opened.store.commit(write(put('a', value)));
      expect(shown(await opened.store.get('a'))).toBe(value);
    }
  });

  it('keeps every byte of a value, up to the largest', async () => {
    await using opened = await open();
    const value = Uint8Array.from({ length: VALUE_BYTES_MAX }, (_, index) => index % 251);
    await opened.store.commit(write({ kind: 'put', key: 'a', value }));
    expect(Buffer.compare((await opened.store.get('a'))!.value, value)).toBe(0);
    expect(
      Buffer.compare((await opened.store.list({ prefix: '', limit: 1 }))[0]!.value, value),
    ).toBe(0);
  });

  it('shares no memory with the caller', async () => {
    await using opened = await open();
    const given = Buffer.from('1');
    const commit = opened.store.commit(write({ kind: 'put', key: 'a', value: given }));
    given.write('2');
    await commit;
    const answered = (await opened.store.get('a'))!;
    answered.value[0] = 0x33;
    await opened.store.commit(write(put('b', '4')));
    expect(shown(await opened.store.get('a'))).toBe('1');
    expect(shown(answered)).toBe('3');
  });

  it.each(['\u0000', 'a\u0000', 'ä', '\u{1F600}', '\uFEFFa', 'a b\n', 'hash/é'])(
    'takes %j as a key',
    async (key) => {
      await using opened = await open();
      await opened.store.commit(write(put(key)));
      expect(await opened.store.get(key)).toMatchObject({ key });
      expect(await keysOf(opened.store)).toEqual([key]);
    },
  );
}

function describeList(open: () => Promise<TestStore>) {
  const keys = inByteOrder([
    'a',
    'a\u0000',
    'aa',
    'ab',
    'b',
    'ba',
    '\uFFFD',
    '\u{10000}',
    '\uD7FF',
  ]);

  it('orders keys by their UTF-8 bytes, where JavaScript would not', async () => {
    await using opened = await open();
    await opened.store.commit(write(...[...keys].reverse().map((key) => put(key))));
    expect(keys.indexOf('\uFFFD')).toBeLessThan(keys.indexOf('\u{10000}'));
    expect(await keysOf(opened.store)).toEqual(keys);
  });

  it.each([
    { prefix: 'a', expected: ['a', 'a\u0000', 'aa', 'ab'] },
    { prefix: 'a', after: 'a', expected: ['a\u0000', 'aa', 'ab'] },
    { prefix: 'a', after: 'aaz', expected: ['ab'] },
    { prefix: 'b', after: 'a', expected: ['b', 'ba'] },
    { prefix: 'a', after: 'b', expected: [] },
    { prefix: 'a', limit: 2, expected: ['a', 'a\u0000'] },
    { prefix: 'a', after: 'a', limit: 1, expected: ['a\u0000'] },
    { prefix: 'c', expected: [] },
    { prefix: '', after: 'ba', expected: ['\uD7FF', '\uFFFD', '\u{10000}'] },
  ])(
    'lists $expected for prefix $prefix behind $after',
    async ({ prefix, after, limit, expected }) => {
      await using opened = await open();
      await opened.store.commit(write(...keys.map((key) => put(key))));
      expect(await keysOf(opened.store, prefix, after, limit)).toEqual(expected);
    },
  );

  it('pages through thousands of keys without losing or repeating one', async () => {
    await using opened = await open();
    const all = Array.from({ length: 3000 }, (_, index) => `k${(index * 7919) % 3000}`);
    for (let at = 0; at < all.length; at += COMMIT_OPERATIONS_MAX) {
      const some = all.slice(at, at + COMMIT_OPERATIONS_MAX);
      await opened.store.commit(write(...some.map((key) => put(key))));
    }
    const paged: string[] = [];
    for (let page = ['']; page.length > 0;) {
      page = await keysOf(opened.store, 'k', paged.at(-1), 700);
      paged.push(...page);
    }
    expect(paged).toEqual(inByteOrder(all));
  });
}

function describeCommit(open: () => Promise<TestStore>) {
  it('applies every write or, when one condition does not hold, none', async () => {
    await using opened = await open();
    const { store } = opened;
    expect(await store.commit(write(put('a', '1'), put('b', '1')))).toBe(true);
    const conditions = [absent('c'), absent('b')];
    expect(await store.commit({ conditions, writes: [put('a', '2'), put('c')] })).toBe(false);
    expect(shown(await store.get('a'))).toBe('1');
    expect(await keysOf(store)).toEqual(['a', 'b']);
  });

  it('refuses a revision that is no longer the newest', async () => {
    await using opened = await open();
    const { store } = opened;
    await store.commit(write(put('a', '1')));
    const { revision } = (await store.get('a'))!;
    const commit = { conditions: [{ kind: 'unchanged', key: 'a', revision } as const] };
    expect(await store.commit({ ...commit, writes: [put('a', '2')] })).toBe(true);
    expect(await store.commit({ ...commit, writes: [put('a', '3')] })).toBe(false);
    expect(shown(await store.get('a'))).toBe('2');
  });

  it('never gives a revision back, not even to a key that was deleted', async () => {
    await using opened = await open();
    const { store } = opened;
    const seen: number[] = [];
    for (let round = 0; round < 3; round += 1) {
      await store.commit(write(put('a')));
      seen.push((await store.get('a'))!.revision);
      await store.commit(write({ kind: 'delete', key: 'a' }));
      expect(await store.get('a')).toBeUndefined();
    }
    expect([...new Set(seen)].sort((one, other) => one - other)).toEqual(seen);
    const stale = { kind: 'unchanged', key: 'a', revision: seen[0]! } as const;
    expect(await store.commit({ conditions: [stale], writes: [] })).toBe(false);
  });

  it('gives all writes of a commit the same revision, and a condition alone none', async () => {
    await using opened = await open();
    const { store } = opened;
    await store.commit(write(put('a'), put('b'), { kind: 'delete', key: 'never there' }));
    expect(await store.commit({ conditions: [absent('c')], writes: [] })).toBe(true);
    const [a, b] = await store.list({ prefix: '', limit: 2 });
    expect(a!.revision).toBe(b!.revision);
  });

  it('lets exactly one of many commits at once have a key', async () => {
    await using opened = await open();
    const { store } = opened;
    const outcomes = await Promise.all(
      Array.from({ length: 200 }, (_, index) =>
        store.commit({ conditions: [absent('a')], writes: [put('a', String(index))] }),
      ),
    );
    expect(outcomes.filter(Boolean)).toHaveLength(1);
    expect(shown(await store.get('a'))).toBe(String(outcomes.indexOf(true)));
  });

  it('counts right when many add one at once and try again', async () => {
    await using opened = await open();
    const { store } = opened;
    await store.commit(write(put('count', '0')));
    const addOne = async () => {
      for (let isDone = false; !isDone;) {
        const { value, revision } = (await store.get('count'))!;
        const next = String(Number(Buffer.from(value).toString()) + 1);
        const conditions = [{ kind: 'unchanged', key: 'count', revision } as const];
        isDone = await store.commit({ conditions, writes: [put('count', next)] });
      }
    };
    await Promise.all(Array.from({ length: 30 }, addOne));
    expect(shown(await store.get('count'))).toBe('30');
  });
}

function describeLongKeys(open: () => Promise<TestStore>) {
  it.each([0, 1000, 2091, 2092, 2093, 4050])(
    'keeps keys of 4,104 bytes that differ at byte %i apart and in order',
    async (at) => {
      await using opened = await open();
      const { store } = opened;
      const cut = [2099, 2100, 2101].map((length) => longKeys(at, 1)[0]!.slice(0, length));
      const keys = inByteOrder([...longKeys(at, 40), ...cut, 'address/', 'address/z', 'b']);
      const shuffled = keys.map((_, index) => keys[(index * 17) % keys.length]!);
      await Promise.all(shuffled.map((key) => store.commit(write(put(key, key)))));
      expect(await keysOf(store)).toEqual(keys);
      for (const [index, key] of keys.entries()) {
        expect(shown(await store.get(key))).toBe(key);
        expect(await keysOf(store, '', key, 2)).toEqual(keys.slice(index + 1, index + 3));
      }
      expect(await keysOf(store, 'address/z')).toEqual(['address/z']);
      expect(await keysOf(store, keys[20])).toEqual([keys[20]]);
    },
  );

  it('deletes them, and leaves those that begin alike', async () => {
    await using opened = await open();
    const { store } = opened;
    const keys = longKeys(4000, 10);
    for (const key of keys) await store.commit(write(put(key)));
    await store.commit(write(...keys.slice(0, 9).map((key) => ({ kind: 'delete', key }) as const)));
    expect(await keysOf(store)).toEqual([keys[9]]);
    await store.commit(write({ kind: 'delete', key: keys[9]! }, { kind: 'delete', key: keys[8]! }));
    expect(await keysOf(store)).toEqual([]);
    await store.commit(write(put(keys[3]!)));
    expect(await keysOf(store)).toEqual([keys[3]]);
  });

  it('orders astral characters at the places where keys are cut', async () => {
    await using opened = await open();
    const { store } = opened;
    const ends = ['\uFFFD', '\u{10000}', '\u{1F600}\u{1F600}', 'z', '\u00FF'];
    const lengths = [2096, 2097, 2098, 2099, 2100, 4096];
    const keys = inByteOrder(
      lengths.flatMap((length) => ends.map((end) => 'a'.repeat(length) + end)),
    );
    await store.commit(write(...keys.map((key) => put(key))));
    expect(await keysOf(store)).toEqual(keys);
  });
}

function describeBounds(open: () => Promise<TestStore>) {
  const largest = 'k'.repeat(KEY_BYTES_MAX);
  const many = (count: number) => Array.from({ length: count }, (_, index) => put(`k${index}`));
  const value = (length: number) =>
    ({ kind: 'put', key: 'a', value: Buffer.alloc(length) }) as const;

  /** Values of the largest size under keys of two bytes, and one of what is left. */
  const large = (bytes: number) => {
    const count = Math.floor(bytes / (VALUE_BYTES_MAX + 2));
    const rest = bytes - count * (VALUE_BYTES_MAX + 2) - 'rest'.length;
    const whole = Array.from({ length: count }, (_, index) => ({
      ...value(VALUE_BYTES_MAX),
      key: `k${index.toString(36)}`,
    }));
    return [...whole, { ...value(rest), key: 'rest' }];
  };

  it('takes the longest key, the largest value and the largest commit', async () => {
    await using opened = await open();
    const { store } = opened;
    expect(await store.commit(write(put(largest), value(VALUE_BYTES_MAX)))).toBe(true);
    expect((await store.get(largest))?.key).toBe(largest);
    expect(await store.commit(write(...many(COMMIT_OPERATIONS_MAX)))).toBe(true);
    expect(await store.commit(write(...large(COMMIT_BYTES_MAX)))).toBe(true);
    expect(await store.commit(write({ ...put('k0'), ttlMs: TTL_MS_MAX }))).toBe(true);
    expect(await keysOf(store, '', '', LIST_LIMIT_MAX)).toContain('rest');
  });

  it.each([
    { title: 'an empty key', commit: write(put('')) },
    { title: 'a key that is too long', commit: write(put(`${largest}k`)) },
    {
      title: 'a key too long in bytes only',
      commit: write(put('ä'.repeat(KEY_BYTES_MAX / 2 + 1))),
    },
    { title: 'half a surrogate pair', commit: write(put('a\uD800')) },
    { title: 'a value that is too large', commit: write(put('b'), value(VALUE_BYTES_MAX + 1)) },
    { title: 'too many bytes', commit: write(...large(COMMIT_BYTES_MAX + 1)) },
    { title: 'a lease without length', commit: write({ ...put('b'), ttlMs: 0 }) },
    { title: 'a lease of half a ms', commit: write({ ...put('b'), ttlMs: 0.5 }) },
    { title: 'a lease too long', commit: write({ ...put('b'), ttlMs: TTL_MS_MAX + 1 }) },
    { title: 'too many writes', commit: write(...many(COMMIT_OPERATIONS_MAX + 1)) },
    { title: 'one key written twice', commit: write(put('a'), { kind: 'delete', key: 'a' }) },
    {
      title: 'a condition on an empty key',
      commit: { conditions: [absent('')], writes: [put('a')] },
    },
  ] satisfies { title: string; commit: StoreCommit }[])(
    'refuses $title and changes nothing',
    async ({ commit }) => {
      await using opened = await open();
      await expect(opened.store.commit(commit)).rejects.toThrow(RangeError);
      expect(await keysOf(opened.store)).toEqual([]);
    },
  );

  it.each([0, -1, 1.5, LIST_LIMIT_MAX + 1])('refuses a listing of %d entries', async (limit) => {
    await using opened = await open();
    await expect(opened.store.list({ prefix: '', limit })).rejects.toThrow(RangeError);
  });

  it('refuses to get half a surrogate pair, and to list behind one', async () => {
    await using opened = await open();
    await expect(opened.store.get('\uDC00')).rejects.toThrow(RangeError);
    await expect(keysOf(opened.store, '\uDC00')).rejects.toThrow(RangeError);
    await expect(keysOf(opened.store, '', '\uDC00')).rejects.toThrow(RangeError);
  });
}

function describeClose(open: () => Promise<TestStore>) {
  it('waits for commits under way', async () => {
    await using opened = await open();
    const commits = Array.from({ length: 20 }, (_, index) =>
      opened.store.commit(write(put(`k${index}`))),
    );
    await opened.store.close();
    expect(await Promise.all(commits)).toEqual(Array(20).fill(true));
  });

  it('makes later calls fail, and may be repeated', async () => {
    await using opened = await open();
    const { store } = opened;
    await store.close();
    await store.close();
    await expect(store.get('a')).rejects.toThrow('closed');
    await expect(store.list({ prefix: '', limit: 1 })).rejects.toThrow('closed');
    await expect(store.commit(write(put('a')))).rejects.toThrow('closed');
    await expect(store.renew('a')).rejects.toThrow('closed');
    const { signal } = new AbortController();
    await expect(store.watch({ prefix: '' }, signal).next()).rejects.toThrow('closed');
  });
}
