/**
 * Entries in memory, in the order of their keys.
 *
 * Keys are held as byte strings: one character, U+0000 to U+00FF, for each byte of the UTF-8 form.
 * JavaScript compares those in the order that a store's contract asks for.
 */
import { SortedKeys } from '../dht/core/sorted-keys.js';
import { assertListing, keyBytesOf, textBytesOf } from './bounds.js';
import type { StoreEntry, StoreListing } from './store.js';

export class SortedEntries<Entry extends StoreEntry> {
  readonly #entries = new Map<string, Entry>();
  readonly #keys = new SortedKeys();

  /** Throws a `RangeError` when it is no key. */
  get(key: string): Entry | undefined {
    return this.#entries.get(byteStringOf(keyBytesOf(key)));
  }

  put(entry: Entry): void {
    const byteString = byteStringOf(keyBytesOf(entry.key));
    if (!this.#entries.has(byteString)) this.#keys.add(byteString);
    this.#entries.set(byteString, entry);
  }

  /** Returns the entry that was there. */
  delete(key: string): Entry | undefined {
    const byteString = byteStringOf(keyBytesOf(key));
    const entry = this.#entries.get(byteString);
    if (this.#entries.delete(byteString)) this.#keys.delete(byteString);
    return entry;
  }

  /** As `Store.list`; throws a `RangeError` for what that refuses. */
  list(listing: StoreListing): StoreEntry[] {
    assertListing(listing);
    const after = byteStringOf(textBytesOf(listing.after ?? ''));
    const found: StoreEntry[] = [];
    for (const [byteString, entry] of this.#from(listing.prefix, after)) {
      if (found.length === listing.limit) break;
      if (byteString !== after) found.push(copyOf(entry));
    }
    return found;
  }

  /** Copies of all entries whose keys have the prefix. */
  all(prefix: string): StoreEntry[] {
    return [...this.#from(prefix, '')].map(([, entry]) => copyOf(entry));
  }

  clear(): void {
    this.#entries.clear();
    this.#keys.clear();
  }

  *#from(prefix: string, after: string): Generator<readonly [string, Entry]> {
    const start = byteStringOf(textBytesOf(prefix));
    for (const byteString of this.#keys.from(after > start ? after : start)) {
      if (!byteString.startsWith(start)) return;
      const entry = this.#entries.get(byteString);
      if (entry !== undefined) yield [byteString, entry];
    }
  }
}

/** Neither side sees what the other does to a value later. */
export function copyOf({ key, value, revision }: StoreEntry): StoreEntry {
  return { key, value: new Uint8Array(value), revision };
}

function byteStringOf(bytes: Buffer): string {
  return bytes.toString('latin1');
}
