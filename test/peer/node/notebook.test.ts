import { describe, expect, it } from 'vitest';
import { Notebook, type NodeMemory } from '../../../services/node/notebook.js';
import type { PeerRef } from '../../../services/peer/core/ring-space.js';
import { MemoryStore } from '../../../services/storage/memory-store.js';
import { peer } from '../ring-text.js';

const KEPT_MAX = 64;
const RECORD_BYTES_MAX = 48 * 1024;

const memoryOf = (acquaintances: readonly PeerRef[]): NodeMemory => ({
  ringName: 'blue',
  ringSize: 2 ** 53,
  successorsMax: 4,
  copies: 3,
  address: '10.0.0.1:7400',
  ringId: Number.MAX_SAFE_INTEGER,
  incarnation: 1_750_000_000_000,
  holdsDirectory: true,
  directoryAddress: '10.0.0.1:7400',
  acquaintances,
});

const many = (count: number, address = 'x') =>
  Array.from({ length: count }, (_, index) => ({ ...peer(index), address }));

async function keep(memory: NodeMemory) {
  const store = new MemoryStore();
  await new Notebook(store).write(memory);
  const [entry] = await store.list({ prefix: '', limit: 10 });
  const kept = await new Notebook(store).read();
  return { kept, bytes: entry?.value.length ?? 0 };
}

describe('Notebook', () => {
  it('remembers nothing at first', async () => {
    expect(await new Notebook(new MemoryStore()).read()).toBeUndefined();
  });

  it('remembers what was written, to the last digit', async () => {
    const memory = memoryOf([peer(1), { ...peer(2), address: 'höst:1' }]);
    expect((await keep(memory)).kept).toEqual(memory);
  });

  it('remembers what was written last', async () => {
    const notebook = new Notebook(new MemoryStore());
    await notebook.write(memoryOf([]));
    await notebook.write({ ...memoryOf([]), incarnation: 7 });
    expect(await notebook.read()).toMatchObject({ incarnation: 7 });
  });

  it.each([
    { title: 'as many as it keeps', count: KEPT_MAX, kept: KEPT_MAX },
    { title: 'the first of one too many', count: KEPT_MAX + 1, kept: KEPT_MAX },
    { title: 'nobody', count: 0, kept: 0 },
  ])('remembers $title', async ({ count, kept }) => {
    const found = await keep(memoryOf(many(count)));
    expect(found.kept?.acquaintances).toEqual(many(kept));
  });

  it('keeps the nearest of those whose addresses are too long for all', async () => {
    const long = many(KEPT_MAX, 'ä'.repeat(1_000));
    const { kept, bytes } = await keep(memoryOf(long));
    expect(kept?.acquaintances).toEqual(long.slice(0, 16));
    expect(bytes).toBeLessThanOrEqual(RECORD_BYTES_MAX);
  });

  it('keeps none where one alone is too long', async () => {
    const { kept } = await keep(memoryOf(many(3, 'x'.repeat(RECORD_BYTES_MAX))));
    expect(kept).toEqual(memoryOf([]));
  });
});
