/** What a session of dialect `tlv` is given, and the bounds that are not options. */
import type { RateLimits } from '../core/rate-limit.js';
import type { HolderCalls, StopCalls } from '../core/session.js';

/**
 * The sockets of a server (wire/tlv.md, section 2). An original never reads `serverAnswer`, but others
 * send there, so it is heard exactly as `server` (B6).
 */
export type TlvSocket = 'client' | 'answer' | 'server' | 'serverAnswer' | 'keepAlive';

/** The ports that no option changes; `client` is bound to the main port. */
export const TLV_PORTS = {
  answer: 58_752,
  server: 58_951,
  serverAnswer: 58_952,
  keepAlive: 58_523,
} as const satisfies Partial<Record<TlvSocket, number>>;

export type TlvCalls = {
  readonly holders: HolderCalls;
  /** Without it every password is wrong (wire/tlv.md, B14). */
  readonly stop?: StopCalls;
};

export type TlvOptions = {
  /** Hosts that are this server: never joined, never listed. */
  readonly ownHosts: readonly string[];
  /** Hosts whose EXIT is looked at; to others every password is wrong (wire/tlv.md, B14). */
  readonly exitHosts: readonly string[];
  /** A list of addresses that answers a datagram has at most so many times its bytes. */
  readonly amplificationMax: number;
  /** Of each host, on the main port. */
  readonly clientRate: RateLimits;
  /** Of each host, on the ports between servers: a whole table may come at once. */
  readonly serverRate: RateLimits;
};

export const TLV_DEFAULTS: TlvOptions = {
  ownHosts: [],
  exitHosts: ['::1', '127.0.0.1', '::ffff:127.0.0.1'],
  amplificationMax: 3,
  clientRate: { perSecond: 100, burst: 200, hostsMax: 4_096 },
  serverRate: { perSecond: 500, burst: 5_000, hostsMax: 256 },
};

/** How long a holder stands after a PUT or a HAVE: the original task says 30 s (wire/tlv.md, B12). */
export const HOLDER_TTL_MS = 30_000;
/** What the client of the original takes, and less than its server drops from others (B1, section 3). */
export const SERVER_HASH_BYTES_MIN = 65;
/** A key of the services is no longer. */
export const HASH_BYTES_MAX = 512;
/** Addresses in one answer (wire/tlv.md, section 4). */
export const ANSWER_ADDRESSES_MAX = 10;
/** Servers in a list: an original has no memory for more (wire/tlv.md, B7). */
export const SERVERS_MAX = 10;
