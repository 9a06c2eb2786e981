/**
 * Virtual time: what is due next happens next, and time jumps there. Equal times keep their order.
 *
 * What is due at one time stands in one list, and only the distinct times are kept in a heap: the
 * ticks of thousands of peers fall on few distinct times.
 */

type Act = () => void;

export class Timeline {
  /** What is due at each time, in order; the time that is now stays until the next one comes. */
  readonly #actsAt = new Map<number, Act[]>();
  /** The times to come, as a binary heap. */
  readonly #times: number[] = [];
  #due: readonly Act[] = [];
  #dueIndex = 0;
  #now = 0;

  /** Milliseconds since the run began. */
  get now(): number {
    return this.#now;
  }

  after(delayMs: number, act: Act): void {
    const at = this.#now + delayMs;
    const acts = this.#actsAt.get(at);
    if (acts !== undefined) {
      acts.push(act);
      return;
    }
    this.#actsAt.set(at, [act]);
    this.#rise(at);
  }

  /** Lets the next thing happen; false when nothing is left. */
  runNext(): boolean {
    if (this.#dueIndex === this.#due.length && !this.#goOn()) return false;
    const act = this.#due[this.#dueIndex];
    this.#dueIndex += 1;
    act?.();
    return true;
  }

  /** Goes to the next time at which anything is due. */
  #goOn(): boolean {
    const [next] = this.#times;
    const last = this.#times.pop();
    if (next === undefined || last === undefined) return false;
    if (this.#times.length > 0) this.#sink(last);
    // At the very start nothing has been due yet, and the first time may be now.
    if (next !== this.#now) this.#actsAt.delete(this.#now);
    this.#now = next;
    this.#due = this.#actsAt.get(next) ?? [];
    this.#dueIndex = 0;
    return true;
  }

  /** Puts a time at the end of the heap and moves it up to its place. */
  #rise(at: number): void {
    const times = this.#times;
    let index = times.length;
    while (index > 0) {
      const parentIndex = (index - 1) >> 1;
      const parent = times[parentIndex];
      if (parent === undefined || parent <= at) break;
      times[index] = parent;
      index = parentIndex;
    }
    times[index] = at;
  }

  /** Puts a time at the top of the heap, whose top is gone, and moves it down to its place. */
  #sink(at: number): void {
    const times = this.#times;
    let index = 0;
    for (;;) {
      let childIndex = 2 * index + 1;
      let child = times[childIndex];
      const right = times[childIndex + 1];
      if (child !== undefined && right !== undefined && right < child) {
        childIndex += 1;
        child = right;
      }
      if (child === undefined || child >= at) break;
      times[index] = child;
      index = childIndex;
    }
    times[index] = at;
  }
}
