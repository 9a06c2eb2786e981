/**
 * Admits peers to a small ring one at a time, as the ring allows.
 *
 * The ring is asked before each one. While it is still taking in another, nobody gets in: whoever
 * waits is refused at once instead of asking one by one, so that nobody waits for more than the
 * admissions before its own and two questions. Only the next in line asks for itself: what holds
 * for one candidate need not hold for another, and so each has its chance.
 */
import type { PeerRef } from '../peer/core/ring-space.js';
import { ringForming } from './refusals.js';

/** Whether the ring can take in a peer now, and when to ask again if not. */
export type AdmissionAnswer =
  { readonly kind: 'open' } | { readonly kind: 'forming'; readonly retryAfterMs: number };

/** Asks the ring about a candidate. Answers within a bound of its own, or rejects. */
export type Admission = (candidate: PeerRef) => Promise<AdmissionAnswer>;

export class AdmissionQueue {
  readonly #admission: Admission;
  #last: Promise<unknown> = Promise.resolve();
  #ticketCount = 0;
  /** Tickets from one to before another were waiting when the ring last said that it is forming. */
  #refused = { from: 0, before: 0, retryAfterMs: 0 };

  constructor(admission: Admission) {
    this.#admission = admission;
  }

  /** Enters the candidate when it is its turn and the ring is open. Throws `RING_FORMING`. */
  async pass(candidate: PeerRef, enter: () => Promise<void>): Promise<void> {
    const ticket = this.#ticketCount;
    this.#ticketCount += 1;
    const turn = this.#last.then(async () => {
      await this.#ask(candidate, ticket);
      await enter();
    });
    this.#last = turn.catch(() => undefined);
    return turn;
  }

  async #ask(candidate: PeerRef, ticket: number): Promise<void> {
    const { from, before, retryAfterMs } = this.#refused;
    if (ticket >= from && ticket < before) throw ringForming(retryAfterMs);
    const answer = await this.#admission(candidate);
    if (answer.kind === 'open') return;
    this.#refused = {
      from: ticket + 2,
      before: this.#ticketCount,
      retryAfterMs: answer.retryAfterMs,
    };
    throw ringForming(answer.retryAfterMs);
  }
}
