/**
 * The session of dialect `tlv`: which socket hears what, how much each source may ask, and what becomes of
 * it. Clients are served on the main port, servers on 58951 and 58952 alike; each port is strict about
 * who may say what, as an original's is (wire/tlv.md, section 4).
 */
import { RateLimit } from '../core/rate-limit.js';
import type { Send, SessionClock, SessionNote, Source } from '../core/session.js';
import { Announcements } from './announcements.js';
import { Clients } from './clients.js';
import { TLV } from './codec.js';
import { Holdings } from './holdings.js';
import { canonicalIpv6 } from './ipv6.js';
import type { Joined } from './joins.js';
import { LastingHolders } from './lasting-holders.js';
import type { TlvMessage } from './messages.js';
import {
  SERVER_HASH_BYTES_MIN,
  type TlvCalls,
  type TlvOptions,
  type TlvSocket,
} from './options.js';
import { SECOND_BYTES_MAX } from './original-codec.js';
import { PLAIN_DATA_BYTES_MAX, PLAIN_HEADER_BYTES } from './plain-codec.js';
import { PlainStream } from './plain-stream.js';
import { Post } from './post.js';
import { type Arrival, Servers } from './servers.js';
import { isWord } from './text.js';

export type TlvSessionDeps = {
  readonly clock: SessionClock;
  readonly send: Send<TlvSocket>;
  readonly calls: TlvCalls;
  readonly note: (note: SessionNote) => void;
  readonly options: TlvOptions;
};

/** Name of a stream in notes. */
const STREAM = 'stream';

export class TlvSession {
  readonly #clock: SessionClock;
  readonly #options: TlvOptions;
  readonly #post: Post;
  readonly #holdings = new Holdings();
  readonly #lasting = new LastingHolders();
  readonly #servers: Servers;
  readonly #clients: Clients;
  readonly #clientLimit: RateLimit;
  readonly #serverLimit: RateLimit;
  #isClosed = false;

  constructor({ clock, send, calls, note, options }: TlvSessionDeps) {
    this.#clock = clock;
    this.#options = options;
    this.#post = new Post(send, note);
    const announcements = new Announcements(calls.holders);
    const shared = { post: this.#post, holdings: this.#holdings, announcements };
    this.#servers = new Servers({ ...shared, ownHosts: options.ownHosts });
    this.#clients = new Clients({
      ...shared,
      holders: calls.holders,
      stop: calls.stop,
      exitHosts: options.exitHosts,
      tell: (pair) => this.#servers.tell(pair),
      leave: () => this.close(),
    });
    this.#clientLimit = new RateLimit(options.clientRate);
    this.#serverLimit = new RateLimit(options.serverRate);
  }

  /** One datagram that came on a socket. */
  received(socket: TlvSocket, from: Source, bytes: Uint8Array): void {
    if (this.#isClosed) return;
    if (from.port === 0) return this.#drop(socket, from, 'unexpected', 'nobody can answer port 0');
    const nowMs = this.#clock.steadyMs();
    const limit = socket === 'client' ? this.#clientLimit : this.#serverLimit;
    if (!limit.take(from.host, nowMs)) return this.#drop(socket, from, 'limited', 'too many');
    const decoded = TLV.decode(bytes);
    if (decoded.kind !== 'message') {
      const why = decoded.kind === 'malformed' ? decoded.why : 'cut off';
      return this.#drop(socket, from, 'malformed', why);
    }
    this.#post.heard(socket, from, decoded.message);
    this.#act({ socket, from, message: decoded.message, nowMs }, bytes.length);
    this.#post.settle();
  }

  /** A stream of a client, in the plain framing: answers go back in it. */
  openStream(from: Source, reply: (bytes: Uint8Array) => void): PlainStream {
    return new PlainStream((message) => {
      const nowMs = this.#clock.steadyMs();
      if (this.#isClosed) return;
      const ends = { socket: STREAM, peer: from };
      if (!this.#clientLimit.take(from.host, nowMs)) {
        return this.#post.dropped(ends, 'limited', 'too many');
      }
      this.#post.heard(STREAM, from, message);
      const listBytesMax = PLAIN_DATA_BYTES_MAX;
      const answer = (it: TlvMessage): void => this.#post.sendBy(reply, ends, it);
      this.#clients.received({ socket: STREAM, from, message, nowMs, listBytesMax, answer });
      this.#post.settle();
    });
  }

  /** Lets time pass: to be called every 50 to 100 ms. */
  tick(): void {
    if (this.#isClosed) return;
    const nowMs = this.#clock.steadyMs();
    this.#holdings.sweep(nowMs);
    this.#clients.tick(nowMs);
    this.#servers.tick(nowMs);
    for (const { key, address, endMs } of this.#lasting.takeDue(nowMs)) {
      this.holderAnnounced(key, address, endMs - nowMs);
    }
  }

  /** Joins the server of a host, once; `done` is called once, with what came of it. */
  join(host: string, done: Joined = () => undefined): void {
    if (this.#isClosed) return done('refused');
    this.#servers.join(host, this.#clock.steadyMs(), done);
  }

  /**
   * The services have a holder: the other servers hear of it when they can take it, which is a hash of 65
   * to 175 printable bytes and an IPv6 address. It is 30 s until they forget it, so one that lives for
   * `lifeMs` (infinite: until it is withdrawn) is said again before; a repeat within 10 s is not told again.
   */
  holderAnnounced(key: string, address: string, lifeMs: number): void {
    const ip = canonicalIpv6(address);
    const hasLength = key.length >= SERVER_HASH_BYTES_MIN && key.length <= SECOND_BYTES_MAX;
    if (this.#isClosed || ip === undefined || !hasLength || !isWord(key)) return;
    const nowMs = this.#clock.steadyMs();
    this.#lasting.said(key, ip, nowMs + lifeMs, nowMs);
    const due = this.#holdings.say(key, ip, nowMs);
    if (due !== undefined) this.#servers.tell(due);
  }

  /** The services have it no more: it is said no more, and forgotten elsewhere within 30 s. */
  holderWithdrawn(key: string, address: string): void {
    this.#lasting.withdrawn(key, canonicalIpv6(address) ?? address);
  }

  /** Tells the other servers; nothing is heard or sent from then on, but what a client still waits for. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#servers.leave();
  }

  /** Hosts of the servers in the list. */
  get servers(): readonly string[] {
    return this.#servers.hosts;
  }

  /** Pairs of a hash and an address that a newcomer would be sent. */
  get pairCount(): number {
    return this.#holdings.size;
  }

  #act(arrival: Arrival, questionBytes: number): void {
    const { socket, from, message } = arrival;
    if (socket === 'client') this.#asked(arrival, questionBytes);
    else if (socket === 'keepAlive') this.#servers.answered(arrival);
    else if (socket === 'answer') this.#drop(socket, from, 'unexpected', message.kind);
    else this.#servers.received(arrival);
  }

  /**
   * The original answers from another socket, which its clients expect; a client of the plain framing
   * hears from where it asked.
   */
  #asked(arrival: Arrival, questionBytes: number): void {
    const { socket, from, message, nowMs } = arrival;
    const listBytesMax = this.#options.amplificationMax * questionBytes - PLAIN_HEADER_BYTES;
    const way = message.framing === 'original' ? 'answer' : 'client';
    const answer = (it: TlvMessage): void => this.#post.send(way, from, it);
    this.#clients.received({ socket, from, message, nowMs, listBytesMax, answer });
  }

  #drop(
    socket: TlvSocket,
    peer: Source,
    what: 'malformed' | 'limited' | 'unexpected',
    why: string,
  ): void {
    this.#post.dropped({ socket, peer }, what, why);
  }
}
