/**
 * The store of tests and of `--ephemeral`: keeps nothing beyond the process. Durable, as far as
 * anything in memory is.
 *
 * Keys are held as byte strings: one character, U+0000 to U+00FF, for each byte of the UTF-8 form.
 * JavaScript compares those in the order that the contract asks for.
 */
import { assertCommit, assertListing, keyBytesOf, textBytesOf } from './bounds.js';
import { SortedKeys } from '../dht/core/sorted-keys.js';
import type { Store, StoreCommit, StoreCondition, StoreEntry, StoreListing } from './store.js';

export class MemoryStore implements Store {
  readonly #entries = new Map<string, StoreEntry>();
  readonly #keys = new SortedKeys();
  #revision = 0;
  #closed = false;

  async get(key: string): Promise<StoreEntry | undefined> {
    this.#assertOpen();
    return copyOf(this.#entries.get(byteStringOf(keyBytesOf(key))));
  }

  async list(listing: StoreListing): Promise<readonly StoreEntry[]> {
    this.#assertOpen();
    assertListing(listing);
    const prefix = byteStringOf(textBytesOf(listing.prefix));
    const after = byteStringOf(textBytesOf(listing.after ?? ''));
    const found: StoreEntry[] = [];
    for (const key of this.#keys.from(after > prefix ? after : prefix)) {
      if (!key.startsWith(prefix) || found.length === listing.limit) break;
      const entry = key === after ? undefined : copyOf(this.#entries.get(key));
      if (entry !== undefined) found.push(entry);
    }
    return found;
  }

  async commit(commit: StoreCommit): Promise<boolean> {
    this.#assertOpen();
    assertCommit(commit);
    for (const { key } of [...commit.conditions, ...commit.writes]) keyBytesOf(key);
    if (!commit.conditions.every((condition) => this.#holds(condition))) return false;
    this.#revision += 1;
    for (const write of commit.writes) {
      if (write.kind === 'put') this.#put(write.key, write.value);
      else this.#delete(write.key);
    }
    return true;
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#entries.clear();
    this.#keys.clear();
  }

  #holds(condition: StoreCondition): boolean {
    const entry = this.#entries.get(byteStringOf(keyBytesOf(condition.key)));
    if (condition.kind === 'absent') return entry === undefined;
    return entry?.revision === condition.revision;
  }

  #put(key: string, value: Uint8Array): void {
    const byteString = byteStringOf(keyBytesOf(key));
    if (!this.#entries.has(byteString)) this.#keys.add(byteString);
    this.#entries.set(byteString, {
      key,
      value: new Uint8Array(value),
      revision: this.#revision,
    });
  }

  #delete(key: string): void {
    const byteString = byteStringOf(keyBytesOf(key));
    if (this.#entries.delete(byteString)) this.#keys.delete(byteString);
  }

  #assertOpen(): void {
    if (this.#closed) throw new Error('the store is closed');
  }
}

function byteStringOf(bytes: Buffer): string {
  return bytes.toString('latin1');
}

function copyOf(entry: StoreEntry | undefined): StoreEntry | undefined {
  return entry && { ...entry, value: new Uint8Array(entry.value) };
}
