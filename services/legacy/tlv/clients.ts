/**
 * A server to GET, PUT and EXIT clients (wire/tlv.md, section 5). What they ask is asked from the
 * services; what waits for these has a bound and an end.
 */
import type { HolderCalls, Source, StopCalls } from '../core/session.js';
import type { Announcements } from './announcements.js';
import { answerText } from './answer-text.js';
import type { Holdings, Pair } from './holdings.js';
import { canonicalIpv6 } from './ipv6.js';
import { EXIT_ACCEPTED, EXIT_REFUSED, type TlvMessage } from './messages.js';
import { ANSWER_ADDRESSES_MAX, HASH_BYTES_MAX } from './options.js';
import type { Post } from './post.js';
import { addressOf } from './server-list.js';
import { isWord } from './text.js';

/** A client waits 5 s for an answer. */
const ANSWER_MS = 4_500;
const PENDING_MAX = 1_024;
/** A PUT may still be under way to the services for so long, when a GET follows it at once. */
const UNDER_WAY_MS = 2_000;

export type ClientsDeps = {
  readonly post: Post;
  readonly holdings: Holdings;
  readonly holders: HolderCalls;
  readonly announcements: Announcements;
  readonly stop: StopCalls | undefined;
  readonly exitHosts: readonly string[];
  /** Tells the other servers. */
  readonly tell: (pair: Pair) => void;
  /** The server is about to stop: the others are told before the client. */
  readonly leave: () => void;
};

/** A question, by whichever way it came. */
export type Question = {
  readonly socket: string;
  readonly from: Source;
  readonly message: TlvMessage;
  readonly nowMs: number;
  /** The addresses of an answer have no more bytes. */
  readonly listBytesMax: number;
  readonly answer: (message: TlvMessage) => void;
};

type Of<Kind extends TlvMessage['kind']> = Extract<TlvMessage, { readonly kind: Kind }>;

export class Clients {
  readonly #deps: ClientsDeps;
  readonly #exitHosts: ReadonlySet<string>;
  /** When each question to the services is given up, the oldest first. */
  readonly #pending = new Map<symbol, number>();

  constructor(deps: ClientsDeps) {
    this.#deps = deps;
    this.#exitHosts = new Set(deps.exitHosts.map(spellingOf));
  }

  received(question: Question): void {
    const { message } = question;
    switch (message.kind) {
      case 'GET':
        return this.#get(question, message);
      case 'PUT':
        return this.#put(question, message);
      case 'EXIT':
        return this.#exit(question, message);
      default:
        this.#drop(question, 'unexpected', message.kind);
    }
  }

  tick(nowMs: number): void {
    for (const [id, endMs] of this.#pending) {
      if (endMs > nowMs) return;
      this.#pending.delete(id);
    }
  }

  #put(question: Question, message: Of<'PUT'>): void {
    const { nowMs } = question;
    const ip = canonicalIpv6(message.ip);
    if (ip === undefined || !isHash(message.hash)) {
      return this.#drop(question, 'malformed', 'no address or no hash');
    }
    if (!this.#deps.announcements.say(message.hash, ip)) {
      return this.#drop(question, 'limited', 'too many holders wait');
    }
    const due = this.#deps.holdings.say(message.hash, ip, nowMs);
    if (due !== undefined) this.#deps.tell(due);
  }

  /** The services may fail: then the client hears nothing, rather than that nothing is known. */
  #get(question: Question, { framing, hash }: Of<'GET'>): void {
    const { nowMs, listBytesMax, answer } = question;
    if (!isHash(hash)) return this.#drop(question, 'malformed', 'no hash');
    const isWaited = this.#await(question);
    if (isWaited === undefined) return;
    this.#deps.holders.list(hash, ANSWER_ADDRESSES_MAX, (addresses) => {
      if (!isWaited() || addresses === undefined) return;
      const recent = this.#deps.holdings.saidSince(hash, nowMs - UNDER_WAY_MS);
      const text = answerText(framing, [...addresses, ...recent], listBytesMax);
      answer({ framing, kind: 'ANSWER', text });
    });
  }

  #exit(question: Question, { framing, password }: Of<'EXIT'>): void {
    const { answer, from } = question;
    const kind = 'EXIT_ANSWER';
    const { stop } = this.#deps;
    if (stop === undefined || !this.#exitHosts.has(spellingOf(from.host))) {
      return answer({ framing, kind, text: EXIT_REFUSED });
    }
    const isWaited = this.#await(question);
    if (isWaited === undefined) return;
    stop.stopServer(password, (isAccepted) => {
      if (!isWaited() || isAccepted === undefined) return;
      if (isAccepted) this.#deps.leave();
      answer({ framing, kind, text: isAccepted ? EXIT_ACCEPTED : EXIT_REFUSED });
    });
  }

  /** Room for one more question to the services; tells once whether its answer still counts. */
  #await(question: Question): (() => boolean) | undefined {
    if (this.#pending.size >= PENDING_MAX) {
      this.#drop(question, 'limited', 'too many questions wait');
      return undefined;
    }
    const id = Symbol();
    this.#pending.set(id, question.nowMs + ANSWER_MS);
    return () => this.#pending.delete(id);
  }

  #drop(
    { socket, from }: Question,
    what: 'malformed' | 'limited' | 'unexpected',
    why: string,
  ): void {
    this.#deps.post.dropped({ socket, peer: from }, what, why);
  }
}

/** The original's server checks nothing, so a short one is stored and found, only not told to servers. */
function isHash(hash: string): boolean {
  return isWord(hash) && hash.length <= HASH_BYTES_MAX;
}

function spellingOf(host: string): string {
  return addressOf(host) ?? host;
}
