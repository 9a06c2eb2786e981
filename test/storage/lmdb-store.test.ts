import { mkdirSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { open } from 'lmdb';
import { describe, expect, it } from 'vitest';
import { openLmdbStore } from '../../services/storage/lmdb-store.js';
import { describeStoreContract } from '../contract/store-contract.js';
import { temporaryDirectory } from './temporary-directory.js';

describeStoreContract('LmdbStore', async () => {
  const directory = temporaryDirectory();
  const store = await openLmdbStore(directory.path);
  const dispose = async () => {
    await store.close();
    directory[Symbol.dispose]();
  };
  return { store, [Symbol.asyncDispose]: dispose };
});

const put = (key: string, value = 'v') =>
  ({ kind: 'put', key, value: Buffer.from(value) }) as const;

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
