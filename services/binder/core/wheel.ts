/**
 * When something is due for each of many keys: a timing wheel without an end.
 *
 * Putting a time off, as a renewal does, costs one write to a map. A key is looked at when the time
 * it had first has come, and put where it belongs now.
 */
export class Wheel<Key> {
  readonly #slotMs: number;
  readonly #dueAtMs = new Map<Key, number>();
  /** Keys to look at, by slot; a key is in one slot. */
  readonly #slots = new Map<number, Key[]>();
  readonly #slotOf = new Map<Key, number>();
  #nextSlot = 0;

  /** Nothing is due later than so long after its time. */
  constructor(slotMs: number) {
    this.#slotMs = slotMs;
  }

  get keys(): Iterable<Key> {
    return this.#dueAtMs.keys();
  }

  dueAtMs(key: Key): number | undefined {
    return this.#dueAtMs.get(key);
  }

  set(key: Key, atMs: number): void {
    this.#dueAtMs.set(key, atMs);
    const slot = this.#slotOf.get(key);
    if (slot === undefined || slot > this.#slotAt(atMs)) this.#place(key, atMs);
  }

  delete(key: Key): void {
    this.#dueAtMs.delete(key);
  }

  /** Takes out what is due by now. */
  takeDue(nowMs: number): readonly Key[] {
    const due: Key[] = [];
    const last = Math.floor(nowMs / this.#slotMs);
    const slots = [...this.#slots.keys()].filter((slot) => slot <= last).sort((a, b) => a - b);
    for (const slot of slots) {
      const keys = this.#slots.get(slot) ?? [];
      this.#slots.delete(slot);
      for (const key of keys) if (this.#slotOf.get(key) === slot) this.#look(key, nowMs, due);
    }
    this.#nextSlot = last + 1;
    return due;
  }

  #look(key: Key, nowMs: number, due: Key[]): void {
    this.#slotOf.delete(key);
    const atMs = this.#dueAtMs.get(key);
    if (atMs === undefined) return;
    if (atMs > nowMs) {
      this.#place(key, atMs);
      return;
    }
    this.#dueAtMs.delete(key);
    due.push(key);
  }

  #place(key: Key, atMs: number): void {
    const slot = Math.max(this.#slotAt(atMs), this.#nextSlot);
    this.#slotOf.set(key, slot);
    const keys = this.#slots.get(slot);
    if (keys === undefined) this.#slots.set(slot, [key]);
    else keys.push(key);
  }

  /** Whose end is not before the time. */
  #slotAt(atMs: number): number {
    return Math.ceil(atMs / this.#slotMs);
  }
}
