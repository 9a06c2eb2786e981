/** Every time and bound of a `simple-dht` session, each with its reason. */
import type { RateLimits } from '../core/rate-limit.js';

/** KeepAlives, and everything that has an end, once in so long (section 4). */
export const BEAT_MS = 1_000;

/** A value that was put lives for so long (section 4). */
export const VALUE_MS = 30_000;

/** A peer that has been mute for longer is none (section 4). */
export const PEER_MS = 10_000;

/** Between two Puts to one peer, at least. Originals bear 2 ms (R2). */
export const PUT_GAP_MS = 5;

/** Puts to one peer that it has not acknowledged. An original has room for two (R2). */
export const PUTS_IN_FLIGHT_MAX = 2;

/** A Put that nobody acknowledges, as clients do, is in flight for so long. */
export const PUT_FLIGHT_MS = 200;

/** A copy that is younger is not fetched again when someone has the same hash (R5). */
export const COPY_FRESH_MS = 3_000;

/** One hash is announced again after so long (R6). */
export const ANNOUNCE_AGAIN_MS = 10_000;

/**
 * A value with less life left is not announced again: who fetched it in its last moment would keep it
 * for 30 s more and tell us, who would fetch it back, without an end.
 */
export const ANNOUNCE_LIFE_MS_MIN = 5_000;

/** What the services report within so long after we stored it is our own value coming back. */
export const ECHO_MS = 5_000;

/** A Put this long after our Get is its answer; any other is a client's. */
export const ANSWER_MS = 2_000;

export type SimpleDhtLimits = {
  /** Datagrams of one host. */
  readonly datagrams: RateLimits;
  /** Discovers of one host: each makes us send ten KeepAlives (R8). */
  readonly discovers: RateLimits;
  readonly peersMax: number;
  readonly peersPerHostMax: number;
  /** Of all peers: named by others, and not heard yet. */
  readonly peersUnheardMax: number;
  /** Gets that wait for a value (R7). */
  readonly pendingMax: number;
  readonly pendingPerHostMax: number;
  readonly pendingMs: number;
  /** Hashes whose last change is remembered. */
  readonly copiesMax: number;
  /** Gets of ours whose answer may still come. */
  readonly asksMax: number;
  readonly announcedAgainPerBeatMax: number;
  /** Calls to the services that have not ended, Puts and Gets each. */
  readonly callsMax: number;
  /** Peers to which Puts are paced. */
  readonly lanesMax: number;
  readonly queuedPerLaneMax: number;
  /** Of all Puts that wait for their turn. */
  readonly queuedBytesMax: number;
  readonly queuedMs: number;
  /** Bytes of Puts to a host that has proven nothing; at least one largest Put. */
  readonly unprovenBytesPerSecond: number;
  /** Bytes of Puts to a host with peers that have been heard for longer than a beat. */
  readonly provenBytesPerSecond: number;
  readonly budgetHostsMax: number;
};

export const SIMPLE_DHT_LIMITS: SimpleDhtLimits = {
  datagrams: { perSecond: 1_000, burst: 2_000, hostsMax: 4_096 },
  discovers: { perSecond: 2, burst: 16, hostsMax: 1_024 },
  peersMax: 256,
  peersPerHostMax: 128,
  peersUnheardMax: 32,
  pendingMax: 1_024,
  pendingPerHostMax: 256,
  pendingMs: 600_000,
  copiesMax: 4_096,
  asksMax: 1_024,
  announcedAgainPerBeatMax: 16,
  callsMax: 256,
  lanesMax: 1_024,
  queuedPerLaneMax: 128,
  queuedBytesMax: 16 * 1_024 * 1_024,
  queuedMs: 30_000,
  unprovenBytesPerSecond: 65_536,
  provenBytesPerSecond: 1_048_576,
  budgetHostsMax: 4_096,
};
