/** One answer for all who ask about the same time. */
import type { Clock } from '../system/clock.js';

export class SharedAnswer<Answer> {
  readonly #ask: () => Promise<Answer>;
  readonly #clock: Clock;
  readonly #freshMs: number;
  #latest: { readonly askedAtMs: number; readonly answer: Promise<Answer> } | undefined;

  /** An answer serves all who want one within `freshMs` after it was asked for. */
  constructor(ask: () => Promise<Answer>, clock: Clock, freshMs: number) {
    this.#ask = ask;
    this.#clock = clock;
    this.#freshMs = freshMs;
  }

  /** A failure serves those who asked meanwhile, and nobody later. */
  async get(): Promise<Answer> {
    const nowMs = this.#clock.monotonicMs();
    if (this.#latest !== undefined && nowMs - this.#latest.askedAtMs < this.#freshMs) {
      return this.#latest.answer;
    }
    const asked = { askedAtMs: nowMs, answer: this.#ask() };
    this.#latest = asked;
    asked.answer.catch(() => {
      if (this.#latest === asked) this.#latest = undefined;
    });
    return asked.answer;
  }
}
