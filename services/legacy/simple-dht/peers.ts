/**
 * Who is a peer: whoever sent one valid datagram in the last 10 s, whoever was named by a Discover in
 * the last 10 s, and those that we joined (wire/simple-dht.md, sections 1 and 4).
 *
 * Nobody proves an address (R8). So a peer that was only named gets KeepAlives and nothing else until
 * it is heard, there are few of those, and when there is no room the ones that were heard for a moment
 * go before those that stay.
 */
import type { Source } from '../core/session.js';
import { isLoopbackHost, peerKey } from './address.js';
import { BEAT_MS, PEER_MS, type SimpleDhtLimits } from './limits.js';

/** A peer, and the socket through which it is reached. */
export type Destination<SocketName extends string> = {
  readonly socket: SocketName;
  readonly source: Source;
};

/** How far an address is believed, the least first. */
export type Trust = 'unproven' | 'proven' | 'trusted';

type Peer<SocketName extends string> = Destination<SocketName> & {
  /** Undefined as long as it was only named. */
  firstHeardMs: number | undefined;
  lastSeenMs: number;
  readonly isJoined: boolean;
  /** It never said what only servers say, and nobody named it. */
  isClient: boolean;
};

type PeerLimits = Pick<SimpleDhtLimits, 'peersMax' | 'peersPerHostMax' | 'peersUnheardMax'>;

export class Peers<SocketName extends string> {
  readonly #limits: PeerLimits;
  readonly #peers = new Map<string, Peer<SocketName>>();

  constructor(limits: PeerLimits) {
    this.#limits = limits;
  }

  get count(): number {
    return this.#peers.size;
  }

  /** Adds one that never ends, and that is told everything before it is heard. */
  join(destination: Destination<SocketName>, nowMs: number): void {
    this.#peers.set(peerKey(destination.source), {
      ...destination,
      firstHeardMs: undefined,
      lastSeenMs: nowMs,
      isJoined: true,
      isClient: false,
    });
  }

  /**
   * Takes note of a valid datagram, and whether it was one that a client may send. Returns false when
   * there is no room for a newcomer.
   */
  heard(destination: Destination<SocketName>, isOfClient: boolean, nowMs: number): boolean {
    const key = peerKey(destination.source);
    const known = this.#peers.get(key);
    if (known !== undefined) {
      known.firstHeardMs ??= nowMs;
      known.lastSeenMs = nowMs;
      known.isClient &&= isOfClient;
      return true;
    }
    if (!this.#makeRoom(destination.source.host)) return false;
    this.#peers.set(key, {
      ...destination,
      firstHeardMs: nowMs,
      lastSeenMs: nowMs,
      isJoined: false,
      isClient: isOfClient,
    });
    return true;
  }

  /** Adds one that somebody named; one that is there gains nothing. False when there is no room. */
  named(destination: Destination<SocketName>, nowMs: number): boolean {
    const key = peerKey(destination.source);
    if (this.#peers.has(key)) return true;
    const unheard = this.#all().filter(({ firstHeardMs }) => firstHeardMs === undefined);
    if (unheard.length >= this.#limits.peersUnheardMax) return false;
    if (!this.#makeRoom(destination.source.host)) return false;
    const peer = {
      ...destination,
      firstHeardMs: undefined,
      lastSeenMs: nowMs,
      isJoined: false,
      isClient: false,
    };
    this.#peers.set(key, peer);
    return true;
  }

  dropMute(nowMs: number): void {
    for (const [key, { lastSeenMs, isJoined }] of this.#peers) {
      if (!isJoined && nowMs - lastSeenMs > PEER_MS) this.#peers.delete(key);
    }
  }

  /** All that get a KeepAlive. */
  all(): readonly Destination<SocketName>[] {
    return this.#all();
  }

  /** Those that are told what we have. */
  told(): readonly Destination<SocketName>[] {
    return this.#all().filter((peer) => peer.isJoined || peer.firstHeardMs !== undefined);
  }

  trustIn(source: Source): Trust {
    const peer = this.#peers.get(peerKey(source));
    if (isLoopbackHost(source.host) || peer?.isJoined === true) return 'trusted';
    return peer !== undefined && isSteady(peer) ? 'proven' : 'unproven';
  }

  /**
   * Whether it only ever asked and put, as a client of one command does. A server says KeepAlive within
   * a second, and asks for nothing before it was told of something; whom we don't know may be one.
   */
  isClient(source: Source): boolean {
    return this.#peers.get(peerKey(source))?.isClient === true;
  }

  clear(): void {
    this.#peers.clear();
  }

  #all(): readonly Peer<SocketName>[] {
    return [...this.#peers.values()];
  }

  #makeRoom(host: string): boolean {
    const { peersMax, peersPerHostMax } = this.#limits;
    const neighbours = this.#all().filter((peer) => peer.source.host === host);
    const isHostFull = neighbours.length >= peersPerHostMax;
    if (!isHostFull && this.#peers.size < peersMax) return true;
    const others = (isHostFull ? neighbours : this.#all()).filter((peer) => !mayStay(peer));
    const victim = others.sort((one, other) => one.lastSeenMs - other.lastSeenMs)[0];
    return victim !== undefined && this.#peers.delete(peerKey(victim.source));
  }
}

function mayStay<SocketName extends string>(peer: Peer<SocketName>): boolean {
  return peer.isJoined || isSteady(peer);
}

/** Heard for longer than a beat: no client of one command, and more than one forged datagram. */
function isSteady<SocketName extends string>(peer: Peer<SocketName>): boolean {
  return peer.firstHeardMs !== undefined && peer.lastSeenMs - peer.firstHeardMs > BEAT_MS;
}
