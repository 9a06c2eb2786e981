/**
 * A server among servers: lets others in and joins them, shares holders with them, answers whether it is
 * there, and leaves (wire/tlv.md, section 5). HAVE is never passed on: every server tells all others.
 */
import type { Source } from '../core/session.js';
import type { Announcements } from './announcements.js';
import type { Holdings, Pair } from './holdings.js';
import { addressKind, canonicalIpv6, isSendable } from './ipv6.js';
import { Joins, JOIN_MS, type Joined } from './joins.js';
import { KeepAlive } from './keep-alive.js';
import type { TlvMessage } from './messages.js';
import { HASH_BYTES_MAX, SERVER_HASH_BYTES_MIN, TLV_PORTS, type TlvSocket } from './options.js';
import { SECOND_BYTES_MAX } from './original-codec.js';
import type { Post } from './post.js';
import { type Server, ServerList } from './server-list.js';
import { isWord } from './text.js';

/** A newcomer is first asked so long after it was let in: not while it still waits for the YES. */
const FIRST_ASK_MS = 1_000;

export type ServersDeps = {
  readonly post: Post;
  readonly holdings: Holdings;
  readonly announcements: Announcements;
  readonly ownHosts: readonly string[];
};

/** A message, the socket on which it came, and when. */
export type Arrival<Message extends TlvMessage = TlvMessage> = {
  readonly socket: TlvSocket;
  readonly from: Source;
  readonly message: Message;
  readonly nowMs: number;
};

type Of<Kind extends TlvMessage['kind']> = Extract<TlvMessage, { readonly kind: Kind }>;

export class Servers {
  readonly #post: Post;
  readonly #holdings: Holdings;
  readonly #announcements: Announcements;
  readonly #list: ServerList;
  readonly #joins: Joins;
  readonly #keepAlive: KeepAlive;

  constructor({ post, holdings, announcements, ownHosts }: ServersDeps) {
    this.#post = post;
    this.#holdings = holdings;
    this.#announcements = announcements;
    this.#list = new ServerList(post, ownHosts);
    this.#joins = new Joins(post, this.#list);
    this.#keepAlive = new KeepAlive(post, this.#list);
  }

  join(host: string, nowMs: number, done: Joined): void {
    this.#joins.join(host, nowMs, done);
  }

  /** Tells all servers of a pair that they don't know. An original would not take others (B1, B13). */
  tell(pair: Pair): void {
    const { hash, ip } = pair;
    if (!isForServers(hash) || !isSendable(ip)) return;
    for (const server of this.#list.all) putHolder(server, pair, 'answer');
  }

  /** What came on a port between servers. */
  received(arrival: Arrival): void {
    const { from, message, nowMs } = arrival;
    if (this.#joins.isAcceptance(from.host, message)) this.#joined(from, nowMs);
    this.#act(arrival);
    const server = this.#list.find(from.host);
    if (server !== undefined) this.#keepAlive.heard(server, nowMs);
  }

  /** Anything on the keep-alive port shows that its sender is there. */
  answered({ socket, from, message, nowMs }: Arrival): void {
    const server = this.#list.find(from.host);
    if (server === undefined) this.#unexpected(socket, from, message.kind);
    else this.#heardProof(server, nowMs);
  }

  tick(nowMs: number): void {
    this.#joins.tick(nowMs);
    this.#keepAlive.tick(nowMs);
    for (const { outbox } of this.#list.all) outbox.tick(nowMs);
  }

  /** Says DECO to all, and forgets them. */
  leave(): void {
    for (const { at, framing } of this.#list.all) {
      this.#post.send('answer', at, { framing, kind: 'DECO' });
    }
    this.#list.clear();
  }

  get hosts(): readonly string[] {
    return this.#list.all.map(({ at }) => at.host);
  }

  #act(arrival: Arrival): void {
    const { socket, from, message } = arrival;
    switch (message.kind) {
      case 'NEW':
        return this.#letIn(arrival);
      case 'KEEP_ALIVE':
        return this.#answerKeepAlive(arrival);
      case 'HAVE':
        return this.#hearHolder({ ...arrival, message });
      case 'NEW_SERV':
        return this.#hearServer({ ...arrival, message });
      case 'YES':
        if (this.#list.find(from.host) === undefined) this.#unexpected(socket, from, 'YES');
        return;
      case 'REFUSAL':
        return this.#joins.end(from.host, 'full');
      case 'DECO':
      // Only the type counts between servers, and the two have the same.
      case 'EXIT_ANSWER':
        if (!this.#list.remove(from.host)) this.#unexpected(socket, from, 'DECO');
        return;
      default:
        this.#unexpected(socket, from, message.kind);
    }
  }

  /** We are in the list of the other: it hears of what we have, which as a newcomer is rarely anything. */
  #joined({ host }: Source, nowMs: number): void {
    const server = this.#list.add({ host, port: TLV_PORTS.server }, 'original', nowMs);
    server?.outbox.prove();
    if (server !== undefined) this.#sendTable(server, 'answer');
    this.#joins.end(host, server === undefined ? 'refused' : 'joined');
  }

  /** To refuse is to stay silent (wire/tlv.md, B10). A repeat within 5 s is no second newcomer. */
  #letIn({ socket, from, message: { framing }, nowMs }: Arrival): void {
    const server = this.#list.add(from, framing, nowMs);
    if (server === undefined) return this.#unexpected(socket, from, 'NEW, and no room');
    this.#post.send('serverAnswer', server.at, { framing, kind: 'YES' });
    if (nowMs - server.joinedMs < JOIN_MS) return;
    server.joinedMs = nowMs;
    if (server.lostMs === undefined) server.askMs = nowMs + FIRST_ASK_MS;
    this.#sendTable(server, 'serverAnswer');
    this.#list.announceAll();
  }

  /** Who asks has us in its list; so it comes into ours, if it left that by mistake (wire/tlv.md, B9). */
  #answerKeepAlive({ from, message: { framing }, nowMs }: Arrival): void {
    this.#post.send('keepAlive', from, { framing, kind: 'YES' });
    this.#list.add({ host: from.host, port: TLV_PORTS.server }, framing, nowMs);
  }

  #hearHolder({ socket, from, message, nowMs }: Arrival<Of<'HAVE'>>): void {
    const ip = canonicalIpv6(message.ip);
    const { hash } = message;
    if (ip === undefined || !isWord(hash) || hash.length > HASH_BYTES_MAX) {
      return this.#post.dropped({ socket, peer: from }, 'malformed', 'no address or no hash');
    }
    if (hash.length < SERVER_HASH_BYTES_MIN) {
      return this.#post.dropped({ socket, peer: from }, 'malformed', 'hash too short');
    }
    if (!this.#announcements.say(hash, ip)) {
      return this.#post.dropped({ socket, peer: from }, 'limited', 'too many holders wait');
    }
    this.#holdings.hear(hash, ip, nowMs);
  }

  /** Servers learnt so are talked to on 58951, whatever an original does (wire/tlv.md, B6). */
  #hearServer({ socket, from, message, nowMs }: Arrival<Of<'NEW_SERV'>>): void {
    const teller = this.#list.find(from.host);
    const host = canonicalIpv6(message.ip);
    if (teller === undefined || host === undefined || !isSendable(host)) {
      return this.#unexpected(
        socket,
        from,
        `NEW_SERV ${host === undefined ? 'of no address' : host}`,
      );
    }
    if (addressKind(host) !== addressKind(teller.address)) {
      return this.#unexpected(socket, from, `NEW_SERV of another kind: ${host}`);
    }
    this.#list.add({ host, port: TLV_PORTS.server }, teller.framing, nowMs);
  }

  /** An answer to what we sent, so it is not only a source address that anybody could have written. */
  #heardProof(server: Server, nowMs: number): void {
    server.outbox.prove();
    this.#keepAlive.heard(server, nowMs);
  }

  #sendTable(server: Server, socket: TlvSocket): void {
    for (const pair of this.#holdings.pairs) {
      if (isForServers(pair.hash) && isSendable(pair.ip)) putHolder(server, pair, socket);
    }
  }

  #unexpected(socket: TlvSocket, peer: Source, why: string): void {
    this.#post.dropped({ socket, peer }, 'unexpected', why);
  }
}

function isForServers(hash: string): boolean {
  return hash.length >= SERVER_HASH_BYTES_MIN && hash.length <= SECOND_BYTES_MAX;
}

function putHolder({ framing, outbox }: Server, pair: Pair, socket: TlvSocket): void {
  const { hash, ip, endMs } = pair;
  outbox.put({ socket, message: { framing, kind: 'HAVE', ip, hash }, endMs });
}
