import { mkdirSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { open } from 'lmdb';
import { describe, expect, it } from 'vitest';
import { openLmdbStore } from '../../services/storage/lmdb-store.js';
import { describeStoreContract } from '../contract/store-contract.js';
import { FakeClock } from '../support/fake-clock.js';
import { until } from '../support/until.js';
import { temporaryDirectory } from './temporary-directory.js';

describeStoreContract('LmdbStore', async () => {
  const directory = temporaryDirectory();
  const clock = new FakeClock();
  const store = await openLmdbStore(directory.path, { clock });
  const dispose = async () => {
    await store.close();
    directory[Symbol.dispose]();
  };
  const pass = async (ms: number) => clock.advance(ms);
  return { store, ttlMs: 15_000, pass, [Symbol.asyncDispose]: dispose };
});

const put = (key: string, value = 'v') =>
  ({ kind: 'put', key, value: Buffer.from(value) }) as const;

const openRaw = (path: string) =>
  open<Buffer, Buffer>({
    path,
    noSubdir: false,
    keyEncoding: 'binary',
    encoding: 'binary',
    pageSize: 8192,
  });

async function writeSome(path: string, count: number) {
  const store = await openLmdbStore(path);
  const commits = Array.from({ length: count }, (_, index) =>
    store.commit({ conditions: [], writes: [put(`k${index}`, 'x'.repeat(500))] }),
  );
  await Promise.all(commits);
  await store.close();
}

describe('openLmdbStore', () => {
  it('finds everything again, and goes on counting revisions', async () => {
    using directory = temporaryDirectory();
    const path = join(directory.path, 'not', 'there', 'yet');
    await writeSome(path, 5);
    const store = await openLmdbStore(path);
    const before = await store.list({ prefix: '', limit: 10 });
    expect(before.map(({ key }) => key)).toEqual(['k0', 'k1', 'k2', 'k3', 'k4']);
    await store.commit({ conditions: [], writes: [put('k0')] });
    expect((await store.get('k0'))!.revision).toBe(6);
    await store.close();
  });

  it('gives every lease its full length again', async () => {
    using directory = temporaryDirectory();
    const clock = new FakeClock();
    const before = await openLmdbStore(directory.path, { clock });
    const leased = { ...put('leased'), ttlMs: 15_000 };
    await before.commit({ conditions: [], writes: [leased, { ...leased, key: 'renewed' }] });
    await before.commit({ conditions: [], writes: [put('kept', 'x')] });
    clock.advance(14_999);
    await before.close();
    expect(clock.timerCount).toBe(0);
    const store = await openLmdbStore(directory.path, { clock });
    clock.advance(14_999);
    expect(await store.renew('renewed')).toBe(true);
    clock.advance(1);
    const keys = await until(async () => {
      const entries = await store.list({ prefix: '', limit: 5 });
      return entries.length < 3 ? entries.map(({ key }) => key) : undefined;
    }, 5_000);
    expect(keys).toEqual(['kept', 'renewed']);
    await store.close();
  });

  it('reads a database from before there were leases', async () => {
    using directory = temporaryDirectory();
    const raw = openRaw(directory.path);
    const old = Buffer.concat([Buffer.from([0, 0, 0, 0, 0, 0, 0, 7]), Buffer.from('old')]);
    await raw.put(Buffer.from('m'), Buffer.from([1, 0, 0, 0, 0, 0, 0, 0, 9]));
    await raw.put(Buffer.from('ka'), old);
    await raw.close();
    const store = await openLmdbStore(directory.path);
    expect(await store.get('a')).toEqual({ key: 'a', value: Buffer.from('old'), revision: 7 });
    expect(await store.renew('a')).toBe(false);
    await store.commit({ conditions: [], writes: [put('b')] });
    expect((await store.get('b'))?.revision).toBe(10);
    await store.close();
  });

  it('leaves no row behind for long keys that were put twice and deleted', async () => {
    using directory = temporaryDirectory();
    const store = await openLmdbStore(directory.path);
    const keys = ['a', 'b'].map((end) => 'k'.repeat(4000) + end);
    for (const writes of [keys, keys, [keys[0]!]].map((each) => each.map((key) => put(key)))) {
      await store.commit({ conditions: [], writes });
    }
    for (const key of keys) {
      await store.commit({ conditions: [], writes: [{ kind: 'delete', key }] });
      await store.commit({ conditions: [], writes: [{ kind: 'delete', key }] });
    }
    await store.close();
    const raw = open({ path: directory.path, noSubdir: false, keyEncoding: 'binary' });
    expect([...raw.getKeys()].map(String)).toEqual(['m']);
    await raw.close();
  });

  const spoilings: { title: string; spoil: (path: string) => void }[] = [
    { title: 'a file of zeros', spoil: (file) => writeFileSync(file, Buffer.alloc(40_000)) },
    { title: 'a file of text', spoil: (file) => writeFileSync(file, 'no database '.repeat(9_000)) },
    { title: 'a head cut off', spoil: (file) => truncateSync(file, 100) },
    { title: 'one page', spoil: (file) => truncateSync(file, 8192) },
    { title: 'a lost end', spoil: (file) => truncateSync(file, statSync(file).size / 8) },
  ];

  it.each(spoilings)('reports $title instead of crashing', async ({ spoil }) => {
    using directory = temporaryDirectory();
    await writeSome(directory.path, 500);
    spoil(join(directory.path, 'data.mdb'));
    await expect(openLmdbStore(directory.path)).rejects.toThrow(
      `cannot open the store in ${directory.path}: ${join(directory.path, 'data.mdb')} is damaged`,
    );
  });

  it('starts anew when the file was created and nothing was written yet', async () => {
    using directory = temporaryDirectory();
    writeFileSync(join(directory.path, 'data.mdb'), '');
    await writeSome(directory.path, 1);
  });

  it('refuses a database of another program', async () => {
    using directory = temporaryDirectory();
    const foreign = open({ path: directory.path, noSubdir: false, overlappingSync: false });
    await foreign.put('theirs', 1);
    await foreign.close();
    await expect(openLmdbStore(directory.path)).rejects.toThrow('another program or version');
  });

  it('reports a path that is a file, and a data file that is a directory', async () => {
    using directory = temporaryDirectory();
    const file = join(directory.path, 'file');
    writeFileSync(file, '');
    await expect(openLmdbStore(file)).rejects.toThrow(`cannot open the store in ${file}`);
    const other = join(directory.path, 'other');
    mkdirSync(join(other, 'data.mdb'), { recursive: true });
    await expect(openLmdbStore(other)).rejects.toThrow(`cannot open the store in ${other}`);
  });
});
