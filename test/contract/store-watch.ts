import { expect, it } from 'vitest';
import type { Store, StoreCommit, StoreEvent } from '../../services/storage/store.js';
import { until } from '../support/until.js';
import type { TestStore } from './test-store.js';

const put = (key: string, value = 'v', ttlMs?: number) =>
  ({ kind: 'put', key, value: Buffer.from(value), ttlMs }) as const;
const remove = (key: string) => ({ kind: 'delete', key }) as const;
const write = (...writes: StoreCommit['writes']): StoreCommit => ({ conditions: [], writes });

/** `['snapshot', 'a=1']`, `['put a=1', 'delete b=2']`, `['expire c=3']`. */
function lineOf(event: StoreEvent): string[] {
  const shown = ({ key, value }: { key: string; value: Uint8Array }) =>
    `${key}=${Buffer.from(value).toString()}`;
  if (event.kind === 'snapshot') return ['snapshot', ...event.entries.map(shown)];
  return event.changes.map((change) => {
    const isExpired = change.kind === 'delete' && change.isExpired;
    return `${isExpired ? 'expire' : change.kind} ${shown(change.entry)}`;
  });
}

/** Watches, and collects what is seen. */
function watch(store: Store, prefix: string) {
  const stop = new AbortController();
  const seen: string[][] = [];
  const read = async (): Promise<void> => {
    for await (const event of store.watch({ prefix }, stop.signal)) seen.push(lineOf(event));
  };
  const ended = read();
  const sees = async (count: number): Promise<void> => {
    await until(
      () => (seen.length >= count ? true : undefined),
      5_000,
      () => JSON.stringify(seen),
    );
  };
  return { seen, sees, ended, stop: () => stop.abort() };
}

export function describeWatch(open: () => Promise<TestStore>) {
  it('tells what there is, then every commit in order, its own and others', async () => {
    await using opened = await open();
    const { store } = opened;
    await store.commit(write(put('b', '1'), put('a', '1'), put('other')));
    const watcher = watch(store, '');
    const narrow = watch(store, 'b');
    await watcher.sees(1);
    await narrow.sees(1);
    await store.commit(write(put('a', '2'), put('c', '1'), remove('absent')));
    await store.commit({ conditions: [{ kind: 'absent', key: 'a' }], writes: [put('b', 'no')] });
    await store.commit(write(remove('b'), put('a', '3')));
    await store.commit(write(remove('b')));
    await store.commit(write(put('b', '4')));
    await watcher.sees(4);
    await narrow.sees(3);
    expect(watcher.seen).toEqual([
      ['snapshot', 'a=1', 'b=1', 'other=v'],
      ['put a=2', 'put c=1'],
      expect.toSatisfy((line: string[]) => line.toSorted().join() === 'delete b=1,put a=3'),
      ['put b=4'],
    ]);
    expect(narrow.seen).toEqual([['snapshot', 'b=1'], ['delete b=1'], ['put b=4']]);
    watcher.stop();
    narrow.stop();
    await watcher.ended;
  });

  it('tells a lease that ended from a deletion', { timeout: 30_000 }, async () => {
    await using opened = await open();
    const { store, ttlMs, pass } = opened;
    await store.commit(write(put('a', '1', ttlMs), put('b', '1', ttlMs)));
    const watcher = watch(store, '');
    await watcher.sees(1);
    await store.commit(write(remove('b')));
    await pass(ttlMs);
    await watcher.sees(3);
    expect(watcher.seen).toEqual([['snapshot', 'a=1', 'b=1'], ['delete b=1'], ['expire a=1']]);
    watcher.stop();
  });

  it('misses and repeats nothing while commits go on', { timeout: 30_000 }, async () => {
    await using opened = await open();
    const { store } = opened;
    const watchers: ReturnType<typeof watch>[] = [];
    const commits: Promise<boolean>[] = [];
    for (let index = 0; index < 200; index += 1) {
      commits.push(store.commit(write(put('n', String(index)))));
      if (index % 20 === 0) {
        watchers.push(watch(store, 'n'));
        await new Promise((resolve) => setImmediate(resolve));
      }
    }
    await Promise.all(commits);
    await store.commit(write(put('n', 'end')));
    for (const { seen, stop } of watchers) {
      await until(() => (seen.at(-1)?.at(-1)?.endsWith('=end') ? true : undefined), 5_000);
      const revisions = seen.slice(1).map(([line]) => line?.replace('put n=', ''));
      expect(new Set(revisions).size).toBe(revisions.length);
      const [first] = seen;
      const before = first?.[1] === undefined ? 0 : 1;
      expect(first?.[0]).toBe('snapshot');
      expect(before + revisions.length).toBeGreaterThan(0);
      stop();
    }
    expect(watchers[0]!.seen.length).toBeGreaterThanOrEqual(201);
  });

  it('has a commit waiting for its reader before the commit resolves', async () => {
    await using opened = await open();
    const { store } = opened;
    const stop = new AbortController();
    const events = store.watch({ prefix: '' }, stop.signal);
    await events.next();
    await store.commit(write(put('a')));
    const next = await Promise.race([events.next(), new Promise((wake) => setImmediate(wake))]);
    expect(next).toMatchObject({ value: { kind: 'commit' } });
    stop.abort();
    expect(await events.next()).toEqual({ done: true, value: undefined });
  });

  it('gives a reader that is too slow a snapshot', { timeout: 60_000 }, async () => {
    await using opened = await open();
    const { store } = opened;
    const stop = new AbortController();
    const events = store.watch({ prefix: '' }, stop.signal);
    await events.next();
    for (let batch = 0; batch < 101; batch += 1) {
      const commits = Array.from({ length: 100 }, (_, index) => put('a', `${batch}/${index}`));
      await Promise.all(commits.map(async (each) => store.commit(write(each))));
    }
    const { value } = await events.next();
    expect(lineOf(value!)).toEqual(['snapshot', expect.stringMatching(/^a=100\//)]);
    stop.abort();
  });

  it('shares no memory between watchers', async () => {
    await using opened = await open();
    const { store } = opened;
    const stop = new AbortController();
    const [one, other] = [0, 1].map(() => store.watch({ prefix: '' }, stop.signal));
    await one!.next();
    await other!.next();
    await store.commit(write(put('a', '1')));
    const seen = (await one!.next()).value!;
    if (seen.kind === 'commit') seen.changes[0]!.entry.value[0] = 0x39;
    expect(lineOf((await other!.next()).value!)).toEqual(['put a=1']);
    expect(Buffer.from((await store.get('a'))!.value).toString()).toBe('1');
    stop.abort();
  });

  it('ends with the store', async () => {
    await using opened = await open();
    const watcher = watch(opened.store, '');
    await watcher.sees(1);
    await opened.store.close();
    await watcher.ended;
  });
}
