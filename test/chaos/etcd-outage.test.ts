/** What the store does when etcd, or a part of it, goes away and comes back. */
import { describe, expect, it } from 'vitest';
import { openEtcdStore } from '../../services/storage/etcd-store.js';
import type { Store, StoreEvent } from '../../services/storage/store.js';
import { TestEtcd, whyNoEtcd } from '../support/etcd.js';
import { until } from '../support/until.js';

const UNREACHABLE = { reason: 'STORE_UNREACHABLE', status: 'UNAVAILABLE' };
/** Stated at `Store.commit`; a little more, for a busy machine. */
const REFUSED_MS_MAX = 3_500;
const RECOVERED_MS_MAX = 10_000;

class World implements AsyncDisposable {
  readonly etcd: TestEtcd;
  readonly stores: Store[] = [];

  private constructor(etcd: TestEtcd) {
    this.etcd = etcd;
  }

  static async create(members = 1): Promise<World> {
    return new World(await TestEtcd.start(members));
  }

  async open(endpoints = this.etcd.endpoints): Promise<Store> {
    const store = await openEtcdStore({ endpoints, prefix: '/outage/', openTimeoutMs: 10_000 });
    this.stores.push(store);
    return store;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.stores.map(async (store) => store.close()));
    await this.etcd[Symbol.asyncDispose]();
  }
}

const put = async (store: Store, key: string, value: string, ttlMs?: number) => {
  const write = { kind: 'put', key, value: Buffer.from(value), ttlMs } as const;
  return store.commit({ conditions: [], writes: [write] });
};

const valueAt = async (store: Store, key: string) => {
  const entry = await store.get(key);
  return entry && Buffer.from(entry.value).toString();
};

function watch(store: Store) {
  const stop = new AbortController();
  const events: StoreEvent[] = [];
  const read = async (): Promise<void> => {
    for await (const event of store.watch({ prefix: '' }, stop.signal)) events.push(event);
  };
  void read();
  const values = () =>
    events.map((event) => {
      const entries =
        event.kind === 'snapshot' ? event.entries : event.changes.map((it) => it.entry);
      return [event.kind, ...entries.map(({ value }) => Buffer.from(value).toString())].join(' ');
    });
  return { values, stop: () => stop.abort() };
}

async function refusedWithin(call: Promise<unknown>, ms: number): Promise<void> {
  const start = performance.now();
  await expect(call).rejects.toMatchObject(UNREACHABLE);
  expect(performance.now() - start).toBeLessThan(ms);
}

const untilInTouch = async (store: Store) =>
  until(() => (store.ageMs === undefined ? true : undefined), RECOVERED_MS_MAX);
const untilCutOff = async (store: Store) =>
  until(() => (store.ageMs === undefined ? undefined : true), RECOVERED_MS_MAX);

describe.skipIf(whyNoEtcd() !== undefined)('EtcdStore', () => {
  it(
    'answers from what it saw while etcd is dead, and goes on after',
    { timeout: 60_000 },
    async () => {
      await using world = await World.create();
      const store = await world.open();
      await put(store, 'a', '1');
      await put(store, 'leased', 'x', 2_000);
      const watcher = watch(store);
      expect(store.ageMs).toBeUndefined();
      await world.etcd.kill();
      expect(await valueAt(store, 'a')).toBe('1');
      expect(store.ageMs).toBeGreaterThan(0);
      expect(await store.list({ prefix: '', limit: 9 })).toHaveLength(2);
      await refusedWithin(put(store, 'a', '2'), REFUSED_MS_MAX);
      await refusedWithin(put(store, 'b', '2', 5_000), REFUSED_MS_MAX);
      await refusedWithin(store.renew('leased'), REFUSED_MS_MAX);
      await until(() => ((store.ageMs ?? 0) > 3_000 ? true : undefined), 5_000);
      world.etcd.launch();
      await untilInTouch(store);
      expect(await store.renew('leased')).toBe(true);
      expect(await put(store, 'a', '3')).toBe(true);
      expect(await valueAt(store, 'a')).toBe('3');
      expect(watcher.values()).toEqual(['snapshot 1 x', 'commit 3']);
      watcher.stop();
    },
  );

  it('notices that etcd has frozen, and that it is back', { timeout: 60_000 }, async () => {
    await using world = await World.create();
    const store = await world.open();
    await put(store, 'a', '1');
    world.etcd.signal('SIGSTOP');
    // A signal takes a moment: etcd may still answer the first.
    const latencies: number[] = [];
    await until(async () => {
      const start = performance.now();
      expect(await valueAt(store, 'a')).toBe('1');
      latencies.push(performance.now() - start);
      return store.ageMs;
    }, 5_000);
    expect(Math.max(...latencies)).toBeLessThan(2_000);
    await refusedWithin(put(store, 'a', '2'), REFUSED_MS_MAX);
    world.etcd.signal('SIGCONT');
    await untilInTouch(store);
    expect(['1', '2']).toContain(await valueAt(store, 'a'));
  });

  it('moves to another member when its own dies or freezes', { timeout: 90_000 }, async () => {
    await using world = await World.create(3);
    const store = await world.open();
    const watcher = watch(store);
    await put(store, 'a', '0');
    world.etcd.signal('SIGSTOP', 0);
    await until(async () => put(store, 'a', '1').catch(() => undefined), 15_000);
    await untilInTouch(store);
    world.etcd.signal('SIGCONT', 0);
    await world.etcd.kill(1);
    await until(async () => put(store, 'a', '2').catch(() => undefined), 15_000);
    await untilInTouch(store);
    expect(await valueAt(store, 'a')).toBe('2');
    const seen = watcher.values();
    expect(seen[0]).toMatch(/^snapshot/);
    expect(seen.at(-1)).toBe('commit 2');
    await world.etcd.kill(2);
    await untilCutOff(store);
    await refusedWithin(put(store, 'a', '3'), REFUSED_MS_MAX);
    expect(await valueAt(store, 'a')).toBe('2');
    watcher.stop();
  });

  it(
    'reads everything anew when its revision was compacted away',
    { timeout: 60_000 },
    async () => {
      await using world = await World.create(3);
      const [first = '', second = ''] = world.etcd.endpoints;
      const store = await world.open([first]);
      const other = await world.open([second]);
      await put(store, 'a', '1');
      await put(store, 'b', '1');
      const watcher = watch(store);
      await until(() => watcher.values()[0], 5_000);
      await world.etcd.kill(0);
      await untilCutOff(store);
      await until(async () => put(other, 'a', '2').catch(() => undefined), 15_000);
      for (let count = 0; count < 5; count += 1) await put(other, 'a', String(count + 3));
      const { revision } = (await other.get('a'))!;
      await world.etcd.call('compaction', { revision }, 1);
      world.etcd.launch(0);
      await untilInTouch(store);
      expect(watcher.values()).toEqual(['snapshot 1 1', 'snapshot 7 1']);
      await put(other, 'b', '9');
      await until(() => watcher.values()[2], 5_000);
      expect(watcher.values()[2]).toBe('commit 9');
      watcher.stop();
    },
  );

  it('starts anew with an etcd that has lost its data', { timeout: 60_000 }, async () => {
    await using world = await World.create();
    const store = await world.open();
    for (let count = 0; count < 5; count += 1) await put(store, 'a', String(count));
    const watcher = watch(store);
    await until(() => watcher.values()[0], 5_000);
    await world.etcd.kill();
    world.etcd.forget();
    world.etcd.launch();
    await until(() => watcher.values()[1], RECOVERED_MS_MAX);
    await untilInTouch(store);
    expect(await valueAt(store, 'a')).toBeUndefined();
    await put(store, 'a', 'new');
    expect(watcher.values()).toEqual(['snapshot 4', 'snapshot', 'commit new']);
    watcher.stop();
  });

  it('does not open where nobody answers', { timeout: 20_000 }, async () => {
    const options = { endpoints: ['127.0.0.1:1'], prefix: '/x/', openTimeoutMs: 500 };
    await expect(openEtcdStore(options)).rejects.toMatchObject(UNREACHABLE);
  });

  it('shows keys as they are, below its prefix', { timeout: 20_000 }, async () => {
    await using world = await World.create();
    const store = await world.open();
    await put(store, 'hash/é', '1');
    const key = Buffer.from('/outage/hash/é').toString('base64');
    const value = Buffer.from('1').toString('base64');
    expect(await world.etcd.call('range', { key })).toMatchObject({ kvs: [{ key, value }] });
  });
});
