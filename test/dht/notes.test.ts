import { describe, expect, it } from 'vitest';
import { TableNotes, type TableMemory } from '../../services/dht/notes.js';
import { MemoryStore } from '../../services/storage/memory-store.js';
import type { StoreCommit } from '../../services/storage/store.js';

const MEMORY: TableMemory = {
  counted: [0, 7, Number.MAX_SAFE_INTEGER],
  inTouchAtMs: 1_750_000_000_000,
};

/** A store that counts its commits, and refuses them when a test says so. */
class CountingStore extends MemoryStore {
  commits = 0;
  isBroken = false;

  override async commit(commit: StoreCommit): Promise<boolean> {
    this.commits += 1;
    if (this.isBroken) throw new Error('the disk has failed');
    return super.commit(commit);
  }
}

describe('TableNotes', () => {
  it('remembers nothing at first', async () => {
    expect(await new TableNotes(new MemoryStore()).read()).toBeUndefined();
  });

  it.each([
    { title: 'members', memory: MEMORY },
    { title: 'nobody', memory: { counted: [], inTouchAtMs: 0 } },
    { title: 'a time with a fraction', memory: { counted: [1], inTouchAtMs: 0.5 } },
  ])('remembers $title, also in another life', async ({ memory }) => {
    const store = new MemoryStore();
    await new TableNotes(store).write(memory);
    expect(await new TableNotes(store).read()).toEqual(memory);
  });

  it('remembers what was written last', async () => {
    const notes = new TableNotes(new MemoryStore());
    await notes.write(MEMORY);
    await notes.write({ ...MEMORY, counted: [1] });
    expect(await notes.read()).toEqual({ ...MEMORY, counted: [1] });
  });

  it('writes only what has changed', async () => {
    const store = new CountingStore();
    const notes = new TableNotes(store);
    await notes.write(MEMORY);
    await notes.write({ ...MEMORY });
    expect(store.commits).toBe(1);
    await notes.write({ ...MEMORY, inTouchAtMs: 1 });
    await notes.write(MEMORY);
    expect(store.commits).toBe(3);
  });

  it('writes again what could not be written', async () => {
    const store = new CountingStore();
    const notes = new TableNotes(store);
    store.isBroken = true;
    await expect(notes.write(MEMORY)).rejects.toThrow('the disk has failed');
    store.isBroken = false;
    await notes.write(MEMORY);
    expect(await notes.read()).toEqual(MEMORY);
  });
});
