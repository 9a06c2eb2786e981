/**
 * A clock that stands still until a test moves it.
 */
import { assertTimer, type Cancel, type Clock } from '../../services/system/clock.js';

type Timer = {
  readonly act: () => void;
  /** Undefined for a timer that fires once. */
  readonly everyMs: number | undefined;
  readonly dueMs: number;
};

/** Somewhere in 2025: a test that mixes up the two readings fails at once. */
const EPOCH_MS = 1_750_000_000_000;

export class FakeClock implements Clock {
  #monotonicMs = 0;
  #wallOffsetMs = EPOCH_MS;
  #nextId = 0;
  readonly #timers = new Map<number, Timer>();

  now(): number {
    return this.#wallOffsetMs + this.#monotonicMs;
  }

  monotonicMs(): number {
    return this.#monotonicMs;
  }

  after(ms: number, act: () => void): Cancel {
    assertTimer(ms, 0);
    return this.#set({ act, everyMs: undefined, dueMs: this.#monotonicMs + ms });
  }

  every(ms: number, act: () => void): Cancel {
    assertTimer(ms, 1);
    return this.#set({ act, everyMs: ms, dueMs: this.#monotonicMs + ms });
  }

  /**
   * Lets time pass and calls the timers that become due, also those set meanwhile: in the order of
   * their due times, and of their setting where these are the same. Waits for nothing.
   */
  advance(ms: number): void {
    const untilMs = this.#monotonicMs + ms;
    for (let next = this.#nextDue(untilMs); next; next = this.#nextDue(untilMs)) {
      const [id, { act, everyMs, dueMs }] = next;
      this.#monotonicMs = Math.max(this.#monotonicMs, dueMs);
      if (everyMs === undefined) this.#timers.delete(id);
      else this.#timers.set(id, { act, everyMs, dueMs: dueMs + everyMs });
      act();
    }
    this.#monotonicMs = untilMs;
  }

  /** Like `advance`, in steps of `stepMs`, and lets promises settle after each. */
  async advanceInSteps(ms: number, stepMs: number): Promise<void> {
    for (let passedMs = 0; passedMs < ms; passedMs += stepMs) {
      this.advance(Math.min(stepMs, ms - passedMs));
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  /** Lets time pass in which the process stands still: what becomes due waits for `advance`. */
  stall(ms: number): void {
    this.#monotonicMs += ms;
  }

  /** Sets the system's clock forward or, below zero, back: only `now` changes. */
  jump(ms: number): void {
    this.#wallOffsetMs += ms;
  }

  /** How many timers are set: 0 when everything that was started has been stopped. */
  get timerCount(): number {
    return this.#timers.size;
  }

  #set(timer: Timer): Cancel {
    const id = this.#nextId;
    this.#nextId += 1;
    this.#timers.set(id, timer);
    return () => {
      this.#timers.delete(id);
    };
  }

  /** The IDs grow in the order of setting, and a map keeps that order, repeats included. */
  #nextDue(untilMs: number): readonly [number, Timer] | undefined {
    let next: readonly [number, Timer] | undefined;
    for (const entry of this.#timers) {
      if (entry[1].dueMs > untilMs) continue;
      if (next === undefined || entry[1].dueMs < next[1].dueMs) next = entry;
    }
    return next;
  }
}
