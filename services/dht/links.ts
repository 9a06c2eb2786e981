/** Links to other peers for questions about the table: one to each address that is in use. */
import type { Reply } from '../peer/core/conversation.js';
import type { PeerRef } from '../peer/core/ring-space.js';
import { LINK_IDLE_MS, LINKS_MAX } from '../limits.js';
import { connectTo } from '../rpc/node-client.js';
import type { Cancel, Clock } from '../system/clock.js';
import type { TableAnswer, TableQuestion } from './core/messages.js';
import { TableLink } from './link.js';

export type TableLinksDeps = {
  readonly clock: Clock;
  /** A question that is without answer for so long is unanswered. */
  readonly answerTimeoutMs: number;
  readonly ringName: string;
  readonly ringSize: number;
};

export class TableLinks {
  readonly #deps: TableLinksDeps;
  readonly #links = new Map<string, TableLink>();
  readonly #stopSweeping: Cancel;
  #isClosed = false;

  constructor(deps: TableLinksDeps) {
    this.#deps = deps;
    this.#stopSweeping = deps.clock.every(LINK_IDLE_MS, () => this.#closeIdle());
  }

  /**
   * Asks, and resolves with the answer or with silence; never rejects. The question goes to whoever is
   * at the address. To drop records is no other peer's business: it counts as refused.
   */
  ask(from: PeerRef, to: PeerRef, question: TableQuestion): Promise<Reply<TableAnswer>> {
    if (question.kind === 'drop') {
      const answer = { kind: 'not-member' } as const;
      return Promise.resolve({ kind: 'answered', answer, elapsedMs: 0 });
    }
    if (this.#isClosed) return Promise.resolve({ kind: 'unanswered', elapsedMs: 0 });
    return new Promise((resolve) => this.#linkTo(to.address).ask(from, question, resolve));
  }

  /** Closes all links; what is without answer is unanswered. */
  close(): void {
    this.#isClosed = true;
    this.#stopSweeping();
    for (const address of [...this.#links.keys()]) this.#close(address);
  }

  #linkTo(address: string): TableLink {
    const known = this.#links.get(address);
    if (known !== undefined) return known;
    if (this.#links.size >= LINKS_MAX) this.#closeOldest();
    const link = new TableLink({ ...this.#deps, connect: () => connectTo(address) });
    this.#links.set(address, link);
    return link;
  }

  #closeIdle(): void {
    const idleSinceMs = this.#deps.clock.monotonicMs() - LINK_IDLE_MS;
    for (const [address, { usedAtMs }] of this.#links) {
      if (usedAtMs <= idleSinceMs) this.#close(address);
    }
  }

  #closeOldest(): void {
    let oldest: readonly [string, TableLink] | undefined;
    for (const each of this.#links) {
      if (oldest === undefined || each[1].usedAtMs < oldest[1].usedAtMs) oldest = each;
    }
    if (oldest !== undefined) this.#close(oldest[0]);
  }

  #close(address: string): void {
    this.#links.get(address)?.close();
    this.#links.delete(address);
  }
}
