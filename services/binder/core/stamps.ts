/**
 * Stamps: numbers that order what the binders do, and the fencing tokens that callers get.
 *
 * A hybrid logical clock in one number: milliseconds since the epoch times 1,024, plus a number of
 * the binder that gave it. A stamp is greater than all that its binder has given or seen, and no
 * two binders give the same, as far as their numbers differ. So tokens grow for as long as clocks
 * roughly do, even when every binder has lost everything it knew.
 */

/** Of binders told apart within one millisecond. Stamps stay below 2^53 until the year 2248. */
const BINDERS = 1_024;

/** A stamp from further ahead is not believed: it would win over everything until then. */
const AHEAD_MS_MAX = 60 * 60 * 1_000;

export type Stamp = number;

/** When a stamp was given, in ms since the epoch, roughly. */
export function givenAtMs(stamp: Stamp): number {
  return Math.floor(stamp / BINDERS);
}

/** Whether a stamp is so far ahead of this clock that one of the two must be wrong. */
export function isTooFarAhead(stamp: Stamp, wallMs: number): boolean {
  return givenAtMs(stamp) > wallMs + AHEAD_MS_MAX;
}

export class Stamps {
  readonly #binder: number;
  #lastMs = 0;

  /** `name` is the address of the binder. */
  constructor(name: string) {
    let hash = 0;
    for (const character of name) hash = (hash * 31 + (character.codePointAt(0) ?? 0)) % 1_000_003;
    this.#binder = hash % BINDERS;
  }

  next(wallMs: number): Stamp {
    this.#lastMs = Math.max(Math.floor(wallMs), this.#lastMs + 1);
    return this.#lastMs * BINDERS + this.#binder;
  }

  /** Takes note of a stamp from elsewhere. */
  see(stamp: Stamp): void {
    this.#lastMs = Math.max(this.#lastMs, givenAtMs(stamp));
  }
}
