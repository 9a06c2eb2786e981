/**
 * The other servers that this one works with: at most ten, each host once, compared whole (wire/tlv.md,
 * B7 and B9).
 */
import type { Source } from '../core/session.js';
import { addressKind, canonicalIpv6, isSendable } from './ipv6.js';
import type { Framing } from './messages.js';
import { SERVERS_MAX } from './options.js';
import { Outbox } from './outbox.js';
import type { Post } from './post.js';

/** Announcements to one server: with us it then knows ten, and an eleventh kills it (wire/tlv.md, B7). */
const ANNOUNCED_MAX = 9;

export type Server = {
  /** Where it is sent to. */
  readonly at: Source;
  /** Its address in the one spelling, without a zone. */
  readonly address: string;
  readonly framing: Framing;
  readonly outbox: Outbox;
  /** Addresses that it was told of, while it is in the list. */
  readonly announced: Set<string>;
  /** When it last asked to be let in. */
  joinedMs: number;
  /** When the next KEEP_ALIVE goes to it. */
  askMs: number;
  /** When it is lost unless it is heard; undefined while nothing was asked. */
  lostMs: number | undefined;
};

/** The address of a host in the one spelling, without its zone; undefined for what is no IPv6. */
export function addressOf(host: string): string | undefined {
  return canonicalIpv6(host.replace(/%.*$/s, ''));
}

export class ServerList {
  readonly #post: Post;
  readonly #own: ReadonlySet<string>;
  readonly #servers = new Map<string, Server>();

  constructor(post: Post, ownHosts: readonly string[]) {
    this.#post = post;
    this.#own = new Set(ownHosts.flatMap((host) => addressOf(host) ?? []));
  }

  find(host: string): Server | undefined {
    return this.#servers.get(addressOf(host) ?? '');
  }

  /** Whether the host is, or could be, another server. */
  isPossible(host: string): boolean {
    const address = addressOf(host);
    if (address === undefined || this.#own.has(address)) return false;
    return isSendable(address) || host.includes('%');
  }

  /** The entry of a host, a new one when there is none; undefined when there is no room for one. */
  add(at: Source, framing: Framing, nowMs: number): Server | undefined {
    const known = this.find(at.host);
    const address = addressOf(at.host);
    if (known !== undefined || address === undefined) return known;
    if (this.isFull || !this.isPossible(at.host)) return undefined;
    const server: Server = {
      at,
      address,
      framing,
      outbox: new Outbox(this.#post, at),
      announced: new Set(),
      joinedMs: -Infinity,
      askMs: nowMs,
      lostMs: undefined,
    };
    this.#servers.set(address, server);
    return server;
  }

  remove(host: string): boolean {
    return this.#servers.delete(addressOf(host) ?? '');
  }

  clear(): void {
    this.#servers.clear();
  }

  /** Tells each server of each other, once: what would kill an original is left out (B7, B11). */
  announceAll(): void {
    for (const to of this.#servers.values()) {
      for (const about of this.#servers.values()) announce(to, about);
    }
  }

  get all(): readonly Server[] {
    return [...this.#servers.values()];
  }

  get isFull(): boolean {
    return this.#servers.size >= SERVERS_MAX;
  }
}

function announce(to: Server, { address }: Server): void {
  if (address === to.address || to.announced.has(address)) return;
  if (to.announced.size >= ANNOUNCED_MAX || !isSendable(address)) return;
  if (addressKind(address) !== addressKind(to.address)) return;
  to.announced.add(address);
  const message = { framing: to.framing, kind: 'NEW_SERV', ip: address } as const;
  to.outbox.put({ socket: 'serverAnswer', message, endMs: Infinity });
}
