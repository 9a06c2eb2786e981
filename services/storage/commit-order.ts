/**
 * Keeps commits in the order in which they were applied, until each is durable.
 *
 * Transactions apply commits one after another, and tell later, and not always in that order, that they
 * are on disk. What watchers and leases see must be in order, and durable.
 */
type Ticket<Applied> = { readonly applied: Applied; isDurable: boolean };

export class CommitOrder<Applied> {
  readonly #onDurable: (applied: Applied) => void;
  #tickets: Ticket<Applied>[] = [];

  /** `onDurable` is told each commit that is durable, with all before it. */
  constructor(onDurable: (applied: Applied) => void) {
    this.#onDurable = onDurable;
  }

  /** A commit was applied, and will be `settle`d. */
  add(applied: Applied): void {
    this.#tickets.push({ applied, isDurable: false });
  }

  /** What was added is durable now, or was taken back. */
  settle(applied: Applied, isDurable: boolean): void {
    const ticket = this.#tickets.find((it) => it.applied === applied);
    if (ticket === undefined) return;
    if (isDurable) ticket.isDurable = true;
    else this.#tickets = this.#tickets.filter((it) => it !== ticket);
    while (this.#tickets[0]?.isDurable === true) {
      const first = this.#tickets.shift();
      if (first !== undefined) this.#onDurable(first.applied);
    }
  }
}
