/** Calls to the services that end: one without an answer for too long has failed, and a late one is not heard. */
import type { RingCalls } from '../core/session.js';

type Done<Outcome> = (outcome: Outcome | undefined) => void;

/** What can wait: `after` of a clock. */
export type Waiting = {
  readonly after: (ms: number, act: () => void) => () => void;
  readonly withinMs: number;
};

/** `join`, `leave` and `send` may still be done after they have failed for the one who asked. */
export class BoundedRingCalls implements RingCalls {
  readonly #calls: RingCalls;
  readonly #waiting: Waiting;
  /** Ends the wait of each call that is under way. */
  readonly #cancels = new Set<() => void>();

  constructor(calls: RingCalls, waiting: Waiting) {
    this.#calls = calls;
    this.#waiting = waiting;
  }

  get ringSize(): number {
    return this.#calls.ringSize;
  }

  assign(...[text, done]: Parameters<RingCalls['assign']>): void {
    this.#calls.assign(text, this.#bounded(done));
  }

  members(...[done]: Parameters<RingCalls['members']>): void {
    this.#calls.members(this.#bounded(done));
  }

  join(...[ringId, host, done]: Parameters<RingCalls['join']>): void {
    this.#calls.join(ringId, host, this.#bounded(done));
  }

  leave(...[ringId, done]: Parameters<RingCalls['leave']>): void {
    this.#calls.leave(ringId, this.#bounded(done));
  }

  table(...[done]: Parameters<RingCalls['table']>): void {
    this.#calls.table(this.#bounded(done));
  }

  neighbors(...[ringId, done]: Parameters<RingCalls['neighbors']>): void {
    this.#calls.neighbors(ringId, this.#bounded(done));
  }

  send(...[to, senderHost, text, done]: Parameters<RingCalls['send']>): void {
    this.#calls.send(to, senderHost, text, this.#bounded(done));
  }

  /** What is under way is waited for no longer; its answers are heard by nobody. */
  close(): void {
    for (const cancel of this.#cancels) cancel();
    this.#cancels.clear();
  }

  /** Passes on the first outcome, or that there was none in time. */
  #bounded<Outcome>(done: Done<Outcome>): Done<Outcome> {
    const { after, withinMs } = this.#waiting;
    const finish: Done<Outcome> = (outcome) => {
      if (!this.#cancels.delete(cancel)) return;
      cancel();
      done(outcome);
    };
    const cancel = after(withinMs, () => finish(undefined));
    this.#cancels.add(cancel);
    return finish;
  }
}
