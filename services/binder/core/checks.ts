/**
 * The checks that run, and the results in a row of each endpoint.
 *
 * One check at a time is made of an endpoint, however many want it: who complains while one runs
 * shares its result. No more than a number of checks run at once; the others wait their turn.
 */
import type { EndpointKey } from './endpoint.js';
import type { CheckMethod, CheckOutcome } from './health-check.js';

export type CheckId = number;

/** What to do to find out. */
export type CheckOrder = {
  readonly checkId: CheckId;
  readonly address: string;
  readonly method: CheckMethod;
  readonly timeoutMs: number;
};

type Round = {
  readonly key: EndpointKey;
  readonly order: CheckOrder;
  /** Who waits for the result. */
  readonly waiting: ((outcome: CheckOutcome) => void)[];
};

/** Results in a row of one endpoint. */
type Row = { passed: number; failed: number };

export class Checks {
  readonly #runningMax: number;
  readonly #start: (order: CheckOrder) => void;
  readonly #rows = new Map<EndpointKey, Row>();
  readonly #rounds = new Map<EndpointKey, Round>();
  readonly #running = new Map<CheckId, Round>();
  readonly #queue: Round[] = [];
  #nextId = 1;

  /** `start` begins a check; its result comes to `finish`. */
  constructor(runningMax: number, start: (order: CheckOrder) => void) {
    this.#runningMax = runningMax;
    this.#start = start;
  }

  /** Forgets the results in a row of an endpoint. */
  forgetRow(key: EndpointKey): void {
    this.#rows.delete(key);
  }

  /** Calls `done` with the result of the check that runs, or of one that begins now. */
  ask(
    key: EndpointKey,
    order: Omit<CheckOrder, 'checkId'>,
    done: (outcome: CheckOutcome) => void,
  ): void {
    const running = this.#rounds.get(key);
    if (running !== undefined) {
      running.waiting.push(done);
      return;
    }
    const round = { key, order: { ...order, checkId: this.#nextId }, waiting: [done] };
    this.#nextId += 1;
    this.#rounds.set(key, round);
    this.#queue.push(round);
    this.#startWaiting();
  }

  /** A check has ended. */
  finish(checkId: CheckId, outcome: CheckOutcome): void {
    const round = this.#running.get(checkId);
    if (round === undefined) return;
    this.#running.delete(checkId);
    this.#rounds.delete(round.key);
    for (const done of round.waiting) done(outcome);
    this.#startWaiting();
  }

  /** Counts a result, and returns how many like it came in a row. */
  count(key: EndpointKey, hasPassed: boolean): number {
    const row = this.#rows.get(key) ?? { passed: 0, failed: 0 };
    row.passed = hasPassed ? row.passed + 1 : 0;
    row.failed = hasPassed ? 0 : row.failed + 1;
    this.#rows.set(key, row);
    return hasPassed ? row.passed : row.failed;
  }

  #startWaiting(): void {
    while (this.#running.size < this.#runningMax) {
      const round = this.#queue.shift();
      if (round === undefined) return;
      this.#running.set(round.order.checkId, round);
      this.#start(round.order);
    }
  }
}
