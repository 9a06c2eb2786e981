import { describe, expect, it } from 'vitest';
import { MemoryStore } from '../../services/storage/memory-store.js';
import { SortedKeys } from '../../services/dht/core/sorted-keys.js';
import { describeStoreContract } from '../contract/store-contract.js';
import { FakeClock } from '../support/fake-clock.js';

describeStoreContract('MemoryStore', async () => {
  const clock = new FakeClock();
  const store = new MemoryStore({ clock });
  const pass = async (ms: number) => clock.advance(ms);
  return { store, ttlMs: 15_000, pass, [Symbol.asyncDispose]: () => store.close() };
});

describe('MemoryStore', () => {
  it('leaves no timer behind', async () => {
    const clock = new FakeClock();
    const store = new MemoryStore({ clock });
    const write = { kind: 'put', key: 'a', value: Buffer.from('v'), ttlMs: 1_000 } as const;
    await store.commit({ conditions: [], writes: [write] });
    expect(clock.timerCount).toBe(1);
    await store.close();
    expect(clock.timerCount).toBe(0);
  });
});

describe('SortedKeys', () => {
  it('agrees with a sorted array while keys come and go', () => {
    const keys = new SortedKeys();
    const model = new Set<string>();
    for (let step = 0; step < 20_000; step += 1) {
      const key = String((step * 7919) % 5003);
      if (model.has(key) || step % 7 === 0) {
        keys.delete(key);
        model.delete(key);
      } else {
        keys.add(key);
        model.add(key);
      }
    }
    const sorted = [...model].sort();
    expect([...keys.from('')]).toEqual(sorted);
    for (const bound of ['1', '25', '4999', '5002x', 'z']) {
      expect([...keys.from(bound)]).toEqual(sorted.filter((key) => key >= bound));
    }
  });

  it('is empty after the last key has gone', () => {
    const keys = new SortedKeys();
    keys.add('a');
    keys.delete('a');
    keys.delete('a');
    expect([...keys.from('')]).toEqual([]);
  });
});
