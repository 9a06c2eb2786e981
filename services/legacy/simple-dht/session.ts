/**
 * A `simple-dht` program among others: a server to its clients, and a peer that gossips
 * (wire/simple-dht.md, sections 3 and 4).
 *
 * Whoever sends a valid datagram is a peer for 10 s and gets a KeepAlive each second. Discover is never
 * sent: an original sends none of its own accord either.
 */
import { RateLimit } from '../core/rate-limit.js';
import type { Send, SessionClock, SessionNote, Source, ValueCalls } from '../core/session.js';
import { hostOfBytes, isLoopbackHost, whyNoPeer } from './address.js';
import { simpleDht, type SimpleDhtMessage } from './codec.js';
import { BEAT_MS, type SimpleDhtLimits } from './limits.js';
import { fieldsOf, Outbox } from './outbox.js';
import { Peers, type Destination } from './peers.js';
import { Values } from './values.js';

export type SimpleDhtOptions<SocketName extends string> = {
  /** Whether an address is one of our own, at which we listen. */
  readonly isOwn: (source: Source) => boolean;
  /** The socket that reaches a host; undefined where none does. */
  readonly socketFor: (host: string) => SocketName | undefined;
  readonly limits: SimpleDhtLimits;
};

export type SimpleDhtDeps<SocketName extends string> = {
  readonly clock: SessionClock;
  readonly send: Send<SocketName>;
  readonly calls: ValueCalls;
  readonly note: (note: SessionNote) => void;
  readonly options: SimpleDhtOptions<SocketName>;
};

/** How full every table of a session is. */
export type SimpleDhtSizes = Readonly<
  Record<'peers' | 'pending' | 'copies' | 'asks' | 'calls' | 'lanes' | 'queuedBytes', number>
>;

type Message<Kind extends SimpleDhtMessage['kind']> = Extract<SimpleDhtMessage, { kind: Kind }>;

export class SimpleDhtSession<SocketName extends string> {
  readonly #deps: SimpleDhtDeps<SocketName>;
  readonly #datagrams: RateLimit;
  readonly #discovers: RateLimit;
  readonly #peers: Peers<SocketName>;
  readonly #outbox: Outbox<SocketName>;
  readonly #values: Values<SocketName>;
  #nextBeatMs: number;
  #isClosed = false;

  constructor(deps: SimpleDhtDeps<SocketName>) {
    const { clock, send, calls, note, options } = deps;
    const { limits } = options;
    const peers = new Peers<SocketName>(limits);
    const trustIn = (source: Source) => peers.trustIn(source);
    const isClient = (source: Source) => peers.isClient(source);
    const outbox = new Outbox<SocketName>({ clock, send, note, trustIn, isClient }, limits);
    const noteIn = this.#note.bind(this);
    const told = () => peers.told();
    this.#deps = deps;
    this.#datagrams = new RateLimit(limits.datagrams);
    this.#discovers = new RateLimit(limits.discovers);
    this.#peers = peers;
    this.#outbox = outbox;
    this.#values = new Values({ clock, calls, outbox, told, note: noteIn }, limits);
    this.#nextBeatMs = this.#nowMs + BEAT_MS;
  }

  get sizes(): SimpleDhtSizes {
    const { laneCount, queuedBytes } = this.#outbox;
    return { ...this.#values.sizes, peers: this.#peers.count, lanes: laneCount, queuedBytes };
  }

  /** Takes one datagram. What is wrong with it is noted, and it is dropped. */
  received(socket: SocketName, source: Source, bytes: Uint8Array): void {
    if (this.#isClosed) return;
    const from = { socket, source };
    const why = this.#whyRefused(source);
    if (why !== undefined) {
      this.#note(from, 'unexpected', { why });
    } else if (!this.#datagrams.take(source.host, this.#nowMs)) {
      this.#note(from, 'limited', { why: 'too many datagrams' });
    } else {
      this.#decode(from, bytes);
    }
  }

  /** To be called every 10 to 50 ms. */
  tick(): void {
    if (this.#isClosed) return;
    this.#outbox.tick();
    const nowMs = this.#nowMs;
    if (nowMs < this.#nextBeatMs) return;
    this.#nextBeatMs = nowMs + BEAT_MS - ((nowMs - this.#nextBeatMs) % BEAT_MS);
    this.#peers.dropMute(nowMs);
    for (const peer of this.#peers.all()) this.#outbox.keepAlive(peer);
    this.#values.beat();
  }

  /**
   * Makes a peer of an address for 10 s, as a Discover does: it gets KeepAlives, which make us a peer
   * there. Returns why it can't be one, or undefined.
   */
  discover(source: Source): string | undefined {
    return this.#introduce(source, (peer) =>
      this.#peers.named(peer, this.#nowMs) ? undefined : 'too many peers',
    );
  }

  /**
   * Makes a peer of an address for good; it is trusted, and told everything before it is heard.
   * Returns why it can't be one, or undefined.
   */
  join(source: Source): string | undefined {
    return this.#introduce(source, (peer) => {
      this.#peers.join(peer, this.#nowMs);
      return undefined;
    });
  }

  /**
   * Tells all peers of a value that came over gRPC and lives for `lifeMs` more (infinite: until it
   * changes), and answers who waits for it. Keys that are no hashes, and what this session stored
   * itself, are passed over.
   */
  valueChanged(key: string, value: Uint8Array, lifeMs: number): void {
    if (!this.#isClosed) this.#values.changed(key, value, lifeMs);
  }

  /** Ends everything; what is called afterwards does nothing. */
  close(): void {
    this.#isClosed = true;
    this.#values.close();
    this.#outbox.clear();
    this.#peers.clear();
  }

  get #nowMs(): number {
    return this.#deps.clock.steadyMs();
  }

  #introduce(
    source: Source,
    add: (peer: Destination<SocketName>) => string | undefined,
  ): string | undefined {
    if (this.#isClosed) return 'closed';
    const why = this.#whyRefused(source);
    if (why !== undefined) return why;
    const socket = this.#deps.options.socketFor(source.host);
    return socket === undefined ? 'no socket reaches it' : add({ socket, source });
  }

  #whyRefused(source: Source): string | undefined {
    return whyNoPeer(source) ?? (this.#deps.options.isOwn(source) ? 'our own address' : undefined);
  }

  #decode(from: Destination<SocketName>, bytes: Uint8Array): void {
    const decoded = simpleDht.decode(bytes);
    if (decoded.kind !== 'message') {
      this.#note(from, 'malformed', {
        why: decoded.kind === 'malformed' ? decoded.why : 'cut off',
      });
      return;
    }
    const { message } = decoded;
    this.#note(from, message.kind, fieldsOf(message));
    if (!this.#peers.heard(from, isOfClient(message), this.#nowMs)) {
      this.#note(from, 'limited', { why: 'too many peers' });
    }
    this.#handle(from, message);
  }

  #handle(from: Destination<SocketName>, message: SimpleDhtMessage): void {
    switch (message.kind) {
      case 'keep-alive':
        return;
      case 'get':
        this.#values.handleGet(from, message.hash);
        return;
      case 'put':
        this.#values.handlePut(from, message.hash, message.value);
        return;
      case 'i-have':
        this.#values.handleIHave(from, message.hash);
        return;
      case 'discover':
        this.#handleDiscover(from, message);
    }
  }

  #handleDiscover(from: Destination<SocketName>, { address, port }: Message<'discover'>): void {
    const named = { host: hostOfBytes(address), port };
    if (!this.#discovers.take(from.source.host, this.#nowMs)) {
      this.#note(from, 'limited', { why: 'too many Discovers' });
      return;
    }
    // What another machine calls its loopback is not ours.
    const isElsewhere = isLoopbackHost(named.host) && !isLoopbackHost(from.source.host);
    const why = isElsewhere ? 'loopback of another machine' : this.discover(named);
    if (why !== undefined) this.#note(from, 'unexpected', { ...named, why });
  }

  #note(
    { socket, source }: Destination<SocketName>,
    what: string,
    fields: SessionNote['fields'],
  ): void {
    this.#deps.note({ direction: 'in', socket, peer: source, what, fields });
  }
}

/** Servers send these too; KeepAlive and IHave only they send. */
function isOfClient({ kind }: SimpleDhtMessage): boolean {
  return kind === 'get' || kind === 'put' || kind === 'discover';
}
