/**
 * Joining other servers: one NEW to each, ever, for a second one kills an original (wire/tlv.md, B1). The
 * first datagram that comes from it within 5 s lets us in, an empty one does not (B10).
 */
import { TLV_PORTS } from './options.js';
import type { TlvMessage } from './messages.js';
import type { Post } from './post.js';
import { addressOf, type ServerList } from './server-list.js';

export const JOIN_MS = 5_000;
/** Servers that were ever asked are remembered; no more are asked. */
const ASKED_MAX = 64;

/** `refused`: nothing was sent, because the host was asked before, is none, or there is no room. */
export type JoinOutcome = 'joined' | 'full' | 'unanswered' | 'refused';

export type Joined = (outcome: JoinOutcome) => void;

type Waiting = { readonly endMs: number; readonly done: Joined };

export class Joins {
  readonly #post: Post;
  readonly #servers: ServerList;
  /** Addresses that a NEW was sent to. */
  readonly #asked = new Set<string>();
  readonly #waiting = new Map<string, Waiting>();

  constructor(post: Post, servers: ServerList) {
    this.#post = post;
    this.#servers = servers;
  }

  join(host: string, nowMs: number, done: Joined): void {
    const address = addressOf(host);
    if (this.#servers.find(host) !== undefined) return done('joined');
    if (address === undefined || !this.#mayAsk(host, address)) return done('refused');
    this.#asked.add(address);
    this.#waiting.set(address, { endMs: nowMs + JOIN_MS, done });
    const to = { host, port: TLV_PORTS.server };
    this.#post.send('server', to, { framing: 'original', kind: 'NEW' });
  }

  /** Whether this message of a host lets us in. A YES does so even when it comes late. */
  isAcceptance(host: string, { kind }: TlvMessage): boolean {
    const address = addressOf(host) ?? '';
    if (kind === 'REFUSAL' || kind === 'DECO') return false;
    return this.#waiting.has(address) || (kind === 'YES' && this.#asked.has(address));
  }

  /** Ends the wait for a host, when there is one. */
  end(host: string, outcome: JoinOutcome): void {
    const address = addressOf(host) ?? '';
    const waiting = this.#waiting.get(address);
    this.#waiting.delete(address);
    waiting?.done(outcome);
  }

  tick(nowMs: number): void {
    for (const [address, { endMs }] of this.#waiting) {
      if (endMs <= nowMs) this.end(address, 'unanswered');
    }
  }

  #mayAsk(host: string, address: string): boolean {
    if (this.#asked.has(address) || this.#asked.size >= ASKED_MAX) return false;
    return this.#servers.isPossible(host) && !this.#servers.isFull;
  }
}
