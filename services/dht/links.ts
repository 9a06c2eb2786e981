/** Links to other peers for questions about the table: one to each address that is in use. */
import type { Reply } from '../peer/core/conversation.js';
import type { PeerRef } from '../peer/core/ring-space.js';
import { LinkPool } from '../rpc/link-pool.js';
import { connectTo } from '../rpc/node-client.js';
import type { Clock } from '../system/clock.js';
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
  readonly #links: LinkPool<TableLink>;
  #isClosed = false;

  constructor(deps: TableLinksDeps) {
    this.#links = new LinkPool({
      clock: deps.clock,
      open: (address) => new TableLink({ ...deps, connect: () => connectTo(address) }),
      close: (link) => link.close(),
      isBusy: (link) => link.isBusy,
    });
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
    return new Promise((resolve) => this.#links.get(to.address).ask(from, question, resolve));
  }

  /** Closes all links; what is without answer is unanswered. */
  close(): void {
    this.#isClosed = true;
    this.#links.close();
  }
}
