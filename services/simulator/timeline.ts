/** Virtual time: what is due next happens next, and time jumps there. Equal times keep their order. */

type Entry = { readonly at: number; readonly order: number; readonly act: () => void };

export class Timeline {
  readonly #heap: Entry[] = [];
  #order = 0;
  #now = 0;

  /** Milliseconds since the run began. */
  get now(): number {
    return this.#now;
  }

  after(delayMs: number, act: () => void): void {
    const entry = { at: this.#now + delayMs, order: this.#order, act };
    this.#order += 1;
    this.#heap.push(entry);
    this.#rise(this.#heap.length - 1);
  }

  /** Lets the next thing happen; false when nothing is left. */
  runNext(): boolean {
    const [first] = this.#heap;
    const last = this.#heap.pop();
    if (first === undefined || last === undefined) return false;
    if (this.#heap.length > 0) {
      this.#heap[0] = last;
      this.#sink(0);
    }
    this.#now = first.at;
    first.act();
    return true;
  }

  #rise(start: number): void {
    let index = start;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (!this.#swapIfEarlier(index, parent)) return;
      index = parent;
    }
  }

  #sink(start: number): void {
    let index = start;
    for (;;) {
      const left = 2 * index + 1;
      const child = this.#isEarlier(left + 1, left) ? left + 1 : left;
      if (!this.#swapIfEarlier(child, index)) return;
      index = child;
    }
  }

  #swapIfEarlier(lower: number, upper: number): boolean {
    if (!this.#isEarlier(lower, upper)) return false;
    const [one, other] = [this.#heap[lower], this.#heap[upper]];
    if (one === undefined || other === undefined) return false;
    this.#heap[upper] = one;
    this.#heap[lower] = other;
    return true;
  }

  #isEarlier(index: number, than: number): boolean {
    const [one, other] = [this.#heap[index], this.#heap[than]];
    if (one === undefined || other === undefined) return false;
    return one.at < other.at || (one.at === other.at && one.order < other.order);
  }
}
