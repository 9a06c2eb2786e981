/** What a node remembers of its part in the table across restarts; one JSON value in a store. */
import type { RingId } from '../peer/core/ring-space.js';
import type { Store } from '../storage/store.js';

export type TableMemory = {
  /** Members that quorums count on (`core/headcount.ts`). */
  readonly counted: readonly RingId[];
  /** When its records were last known to be as the others have them; since the epoch. */
  readonly inTouchAtMs: number;
};

const KEY = 'table';

export class TableNotes {
  readonly #store: Store;
  #written = '';

  constructor(store: Store) {
    this.#store = store;
  }

  async read(): Promise<TableMemory | undefined> {
    const entry = await this.#store.get(KEY);
    if (entry === undefined) return undefined;
    return JSON.parse(Buffer.from(entry.value).toString('utf8')) as TableMemory;
  }

  /** When it resolves, the memory is on disk. */
  async write(memory: TableMemory): Promise<void> {
    const text = JSON.stringify(memory);
    if (text === this.#written) return;
    const value = Buffer.from(text, 'utf8');
    await this.#store.commit({ conditions: [], writes: [{ kind: 'put', key: KEY, value }] });
    this.#written = text;
  }
}
