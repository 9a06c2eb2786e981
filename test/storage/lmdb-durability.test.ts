import { describe, expect, it } from 'vitest';
import { openLmdbStore } from '../../services/storage/lmdb-store.js';
import { Child } from './child.js';
import { temporaryDirectory } from './temporary-directory.js';

const LINES_BEFORE_KILL = 1000;

/** Runs the writer until it has acknowledged so many commits, kills it, and returns them all. */
async function acknowledgedUntilKilled(path: string) {
  await using child = new Child('commit.mjs', path);
  const acknowledged: string[] = [];
  for (let line = await child.line(); line !== undefined; line = await child.line()) {
    acknowledged.push(line);
    if (acknowledged.length === LINES_BEFORE_KILL) await child.kill();
  }
  return acknowledged;
}

describe('LmdbStore after kill -9', () => {
  it('has every acknowledged commit, whole', async () => {
    using directory = temporaryDirectory();
    const acknowledged = await acknowledgedUntilKilled(directory.path);
    expect(acknowledged.length).toBeGreaterThanOrEqual(LINES_BEFORE_KILL);
    const store = await openLmdbStore(directory.path);
    const long = 'long'.repeat(1000);
    for (const key of acknowledged) {
      const entries = [key, `${key}/twin`, `${long}/${key}`].map((each) => store.get(each));
      const values = (await Promise.all(entries)).map((entry) => entry?.value.toString());
      expect(values).toEqual([key, key, key]);
    }
    const written = await store.list({ prefix: '', limit: 10_000 });
    expect(written.length % 3).toBe(0);
    await store.close();
  });

  it('takes commits again at once', async () => {
    using directory = temporaryDirectory();
    await acknowledgedUntilKilled(directory.path);
    const store = await openLmdbStore(directory.path);
    const write = { kind: 'put', key: 'after', value: Buffer.from('1') } as const;
    expect(await store.commit({ conditions: [], writes: [write] })).toBe(true);
    expect((await store.get('after'))?.revision).toBeGreaterThan(LINES_BEFORE_KILL);
    await store.close();
  });
});
