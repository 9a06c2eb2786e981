/**
 * The store of tests and of `--ephemeral`: keeps nothing beyond the process. Durable, as far as
 * anything in memory is.
 */
import { type Clock, systemClock } from '../system/clock.js';
import { assertCommit, keyBytesOf, textBytesOf } from './bounds.js';
import { Expiry } from './expiry.js';
import { Feed } from './feed.js';
import { copyOf, SortedEntries } from './sorted-entries.js';
import type {
  Store,
  StoreChange,
  StoreCommit,
  StoreCondition,
  StoreEntry,
  StoreEvent,
  StoreListing,
  StoreWrite,
} from './store.js';

export class MemoryStore implements Store {
  /** Never cut off. */
  readonly ageMs = undefined;
  readonly #entries = new SortedEntries();
  readonly #expiry: Expiry;
  readonly #feed: Feed;
  #revision = 0;
  #closed = false;

  constructor({ clock = systemClock }: { readonly clock?: Clock } = {}) {
    this.#expiry = new Expiry(clock, (key) => this.#expire(key));
    this.#feed = new Feed((prefix) => {
      return { revision: this.#revision, entries: this.#entries.all(prefix) };
    });
  }

  async get(key: string): Promise<StoreEntry | undefined> {
    this.#begin();
    const entry = this.#entries.get(key);
    return entry && copyOf(entry);
  }

  async list(listing: StoreListing): Promise<readonly StoreEntry[]> {
    this.#begin();
    return this.#entries.list(listing);
  }

  async commit(commit: StoreCommit): Promise<boolean> {
    this.#begin();
    assertCommit(commit);
    for (const { key } of [...commit.conditions, ...commit.writes]) keyBytesOf(key);
    if (!commit.conditions.every((condition) => this.#holds(condition))) return false;
    this.#revision += 1;
    const changes = commit.writes.flatMap((write) => this.#apply(write) ?? []);
    this.#feed.tell({ revision: this.#revision, changes });
    return true;
  }

  async renew(key: string): Promise<boolean> {
    this.#begin();
    keyBytesOf(key);
    return this.#expiry.renew(key);
  }

  async *watch(
    { prefix }: { readonly prefix: string },
    signal: AbortSignal,
  ): AsyncGenerator<StoreEvent, void, void> {
    this.#begin();
    textBytesOf(prefix);
    yield* this.#feed.watch(prefix, signal);
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#expiry.close();
    this.#feed.close();
    this.#entries.clear();
  }

  #holds(condition: StoreCondition): boolean {
    const entry = this.#entries.get(condition.key);
    if (condition.kind === 'absent') return entry === undefined;
    return entry?.revision === condition.revision;
  }

  #apply(write: StoreWrite): StoreChange | undefined {
    const { key } = write;
    if (write.kind === 'put') {
      const entry = { key, value: new Uint8Array(write.value), revision: this.#revision };
      this.#entries.put(entry);
      this.#expiry.put(key, write.ttlMs);
      return { kind: 'put', entry };
    }
    this.#expiry.remove(key);
    const entry = this.#entries.delete(key);
    return entry && { kind: 'delete', entry, isExpired: false };
  }

  #expire(key: string): void {
    const entry = this.#entries.delete(key);
    if (entry === undefined) return;
    this.#revision += 1;
    const changes = [{ kind: 'delete', entry, isExpired: true } as const];
    this.#feed.tell({ revision: this.#revision, changes });
  }

  /** Whatever has ended by now is gone before anything is read. */
  #begin(): void {
    if (this.#closed) throw new Error('the store is closed');
    this.#expiry.endDue();
  }
}
