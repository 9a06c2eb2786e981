/**
 * The endpoints of BinderService that legacy programs can ask for, by service type. The session is told of
 * every change, so that a request is answered at once; each type is handed out in turn.
 */
import type { LieurEntry } from './codec.js';

type Shelf = { readonly entries: LieurEntry[]; nextIndex: number };

export class LieurDirectory {
  readonly #entriesMax: number;
  readonly #shelves = new Map<number, Shelf>();
  #size = 0;

  constructor(entriesMax: number) {
    this.#entriesMax = entriesMax;
  }

  get size(): number {
    return this.#size;
  }

  has(entry: LieurEntry): boolean {
    return this.#indexOf(entry) >= 0;
  }

  /** Whether it was not there before, and there was room. */
  add(entry: LieurEntry): boolean {
    if (this.#size >= this.#entriesMax || this.has(entry)) return false;
    const shelf = this.#shelves.get(entry.type);
    if (shelf === undefined) this.#shelves.set(entry.type, { entries: [entry], nextIndex: 0 });
    else shelf.entries.push(entry);
    this.#size += 1;
    return true;
  }

  /** Whether it was there. */
  remove(entry: LieurEntry): boolean {
    const shelf = this.#shelves.get(entry.type);
    const index = this.#indexOf(entry);
    if (shelf === undefined || index < 0) return false;
    shelf.entries.splice(index, 1);
    if (index < shelf.nextIndex) shelf.nextIndex -= 1;
    if (shelf.entries.length === 0) this.#shelves.delete(entry.type);
    this.#size -= 1;
    return true;
  }

  /** The entry of a type whose turn it is, among those that fit. */
  next(type: number, fits: (entry: LieurEntry) => boolean): LieurEntry | undefined {
    const shelf = this.#shelves.get(type);
    if (shelf === undefined) return undefined;
    const { entries } = shelf;
    for (let step = 0; step < entries.length; step += 1) {
      const index = (shelf.nextIndex + step) % entries.length;
      const entry = entries[index];
      if (entry === undefined || !fits(entry)) continue;
      shelf.nextIndex = index + 1;
      return entry;
    }
    return undefined;
  }

  *[Symbol.iterator](): Generator<LieurEntry> {
    for (const { entries } of this.#shelves.values()) yield* entries;
  }

  #indexOf({ type, host, port }: LieurEntry): number {
    const { entries } = this.#shelves.get(type) ?? { entries: [] };
    return entries.findIndex((each) => each.host === host && each.port === port);
  }
}
