/** What a peer has done for the table since it started; for people and for tests. */
import type { StorePurpose } from './messages.js';

/** Records written here that changed something, by why they were sent; and what repair has done. */
export type TableCounts = {
  /** By calls, as one of those that should keep them. */
  readonly written: number;
  /** In place of a peer that did not answer. */
  readonly hinted: number;
  /** Because a read found this copy behind. */
  readonly readRepaired: number;
  /** By repair between peers: joins, leaves, deaths, differences. */
  readonly transferred: number;
  /** Given to others by repair. */
  readonly given: number;
  /** Handed over to those who should keep them, and dropped here. */
  readonly handedOver: number;
  /** Dead ones that were collected. */
  readonly collected: number;
  /** Comparisons with other peers that came to their end. */
  readonly comparisons: number;
};

type Counter = keyof TableCounts;

const BY_PURPOSE: Readonly<Record<StorePurpose, Counter>> = {
  write: 'written',
  hint: 'hinted',
  'read-repair': 'readRepaired',
  transfer: 'transferred',
};

export class TableStats {
  readonly #counts: Record<Counter, number> = {
    written: 0,
    hinted: 0,
    readRepaired: 0,
    transferred: 0,
    given: 0,
    handedOver: 0,
    collected: 0,
    comparisons: 0,
  };

  get counts(): TableCounts {
    return { ...this.#counts };
  }

  stored(purpose: StorePurpose, records: number): void {
    this.count(BY_PURPOSE[purpose], records);
  }

  count(counter: Counter, by: number): void {
    this.#counts[counter] += by;
  }
}
