/**
 * Lets peers into a small ring one at a time, as the ring allows.
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

/**
 * Asks the ring about a candidate. `latest` was let in a moment ago, by any node that holds the
 * directory. Answers within a bound of its own, or rejects.
 */
export type Admission = (
  candidate: PeerRef,
  latest: PeerRef | undefined,
) => Promise<AdmissionAnswer>;

export class AdmissionQueue {
  #last: Promise<unknown> = Promise.resolve();
  #ticketCount = 0;
  /** Tickets from one to before another were waiting when the ring last said that it is forming. */
  #refused = { from: 0, before: 0, retryAfterMs: 0 };

  /** Calls `enter`, which asks and enters, when it is its turn. Throws `RING_FORMING`. */
  async pass(enter: () => Promise<AdmissionAnswer>): Promise<void> {
    const ticket = this.#ticketCount;
    this.#ticketCount += 1;
    const turn = this.#last.then(async () => this.#take(enter, ticket));
    this.#last = turn.catch(() => undefined);
    return turn;
  }

  async #take(enter: () => Promise<AdmissionAnswer>, ticket: number): Promise<void> {
    const { from, before, retryAfterMs } = this.#refused;
    if (ticket >= from && ticket < before) throw ringForming(retryAfterMs);
    const answer = await enter();
    if (answer.kind === 'open') return;
    this.#refused = {
      from: ticket + 2,
      before: this.#ticketCount,
      retryAfterMs: answer.retryAfterMs,
    };
    throw ringForming(answer.retryAfterMs);
  }
}
