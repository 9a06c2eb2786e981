/**
 * Asks services whether they live, as an original binder does: one byte from the verification port, and two
 * seconds for the answer. Many at once; of one service one at a time, whoever wants to know (L5). Only the
 * right answer from the right place counts (L6).
 */
import type { Source } from '../core/session.js';

type Verification = {
  readonly endsAtMs: number;
  readonly waiting: ((isAlive: boolean) => void)[];
};

export class Verifications {
  readonly #countMax: number;
  readonly #underWay = new Map<string, Verification>();

  constructor(countMax: number) {
    this.#countMax = countMax;
  }

  get size(): number {
    return this.#underWay.size;
  }

  /** Calls `done` once; returns whether the question is to be sent now. */
  begin(to: Source, endsAtMs: number, done: (isAlive: boolean) => void): boolean {
    const known = this.#underWay.get(keyOf(to));
    if (known !== undefined) {
      known.waiting.push(done);
      return false;
    }
    if (this.#underWay.size >= this.#countMax) {
      // Nobody is removed because too much is to be looked at.
      done(true);
      return false;
    }
    this.#underWay.set(keyOf(to), { endsAtMs, waiting: [done] });
    return true;
  }

  /** A service has answered; false when it was not asked. */
  answered(from: Source): boolean {
    return this.#end(keyOf(from), true);
  }

  /** Ends those that have waited long enough. */
  endSilent(nowMs: number): void {
    for (const [key, { endsAtMs }] of this.#underWay) if (endsAtMs <= nowMs) this.#end(key, false);
  }

  #end(key: string, isAlive: boolean): boolean {
    const verification = this.#underWay.get(key);
    this.#underWay.delete(key);
    for (const done of verification?.waiting ?? []) done(isAlive);
    return verification !== undefined;
  }
}

function keyOf({ host, port }: Source): string {
  return `${host}:${port}`;
}
