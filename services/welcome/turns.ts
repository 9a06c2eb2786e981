/** Lets those who want the same thing have it one after another, in the order in which they came. */
export class Turns<Key> {
  /** The last turn asked for of each thing; it never rejects. */
  readonly #last = new Map<Key, Promise<unknown>>();

  /** Acts once all earlier turns of the same key have ended, however they ended. */
  async take<Result>(key: Key, act: () => Promise<Result>): Promise<Result> {
    const turn = (this.#last.get(key) ?? Promise.resolve()).then(act);
    const ended = turn
      .catch(() => undefined)
      .then(() => {
        if (this.#last.get(key) === ended) this.#last.delete(key);
      });
    this.#last.set(key, ended);
    return turn;
  }
}
