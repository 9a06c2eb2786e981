import { describe, expect, it } from 'vitest';
import { keepRingIn, ringIn } from '../../../services/node/shared-ring.js';
import { MemoryStore } from '../../../services/storage/memory-store.js';
import { captureLog } from '../../support/capture-log.js';

const ringOf = (name: string) => ({ name, size: 2 ** 31, successorsMax: 4, copies: 3 });

const settle = async () => new Promise((resolve) => setImmediate(resolve));

describe('ringIn', () => {
  it('is the ring of the first of many who found one at once', async () => {
    const store = new MemoryStore();
    expect(await ringIn(store, undefined)).toBeUndefined();
    const names = Array.from({ length: 20 }, (_, index) => `ring-${index}`);
    const found = await Promise.all(names.map(async (name) => ringIn(store, ringOf(name))));
    expect(new Set(found.map((ring) => ring?.name)).size).toBe(1);
    expect(await ringIn(store, undefined)).toEqual(found[0]);
  });
});

describe('keepRingIn', () => {
  it('puts the ring back that was lost, and reports another in its place', async () => {
    const store = new MemoryStore();
    const { log, lines } = captureLog();
    const stop = new AbortController();
    await ringIn(store, ringOf('one'));
    const kept = keepRingIn(store, ringOf('one'), { log, signal: stop.signal });
    await settle();
    await store.commit({ conditions: [], writes: [{ kind: 'delete', key: 'ring' }] });
    await settle();
    expect(await ringIn(store, undefined)).toEqual(ringOf('one'));
    expect(lines()).toEqual([]);
    const value = Buffer.from(JSON.stringify(ringOf('other')));
    await store.commit({ conditions: [], writes: [{ kind: 'put', key: 'ring', value }] });
    await settle();
    expect(lines()).toMatchObject([{ level: 'error', msg: 'the store has another ring now' }]);
    stop.abort();
    await kept;
  });
});
