/** Every bound of the gRPC face that is not an option, with its reason. */

/** Largest request. A value or payload is at most 1 MiB; the rest is room for batches of them. */
export const REQUEST_BYTES_MAX = 4 * 2 ** 20;

/**
 * Where grpc-js stops reading a message. Twice our own bound, so that a request which is too large
 * by a usual measure reaches us and gets our error; beyond it nothing is buffered.
 */
export const RECEIVE_BYTES_MAX = 2 * REQUEST_BYTES_MAX;

/**
 * How long a stream waits for its reader. A reader hears from us at least every 10 seconds and
 * gives up after 30; we give it as long.
 */
export const SLOW_READER_MS = 30_000;

/**
 * How much of a stream waits in this process for its reader, beside one message: one window of
 * HTTP/2. With less, a reader that keeps up would have to wait for us.
 */
export const UNSENT_BYTES_MAX = 64 * 2 ** 10;

/** The same in the other direction: requests that the handler has not asked for. */
export const UNREAD_BYTES_MAX = 64 * 2 ** 10;

/** Both, where a reader may take as long as it wants: bytes in bulk, which wait for nothing else. */
export const PATIENT_BYTES_MAX = 4 * 64 * 2 ** 10;

/** What a waiting message takes beside its bytes; without it, empty ones would be free. */
export const MESSAGE_OVERHEAD_BYTES = 128;

/** A status text is a sentence or two. Percent-encoded it has up to nine bytes per character. */
export const STATUS_TEXT_CHARS_MAX = 300;

/** A longer fact or description is a payload; its beginning is enough to recognize it. */
export const FACT_CHARS_MAX = 200;

/** Paths of fields are ours, but may hold the keys of a map. */
export const FIELD_CHARS_MAX = 100;

/**
 * Facts of one error, and descriptions of its fields: each so many bytes. With the text twice, in
 * base64 and percent-encoded, an error stays below the 8 KiB of headers that clients take at least.
 */
export const DETAIL_BYTES_MAX = 1_024;

/**
 * How long answers that are already written may take to leave when the server stops. They only
 * have to reach the socket; who doesn't read would hold us for ever.
 */
export const FLUSH_MS = 500;

/** What a server grants to its callers. */
export type RpcLimits = {
  /** Calls at once on one connection; more wait at the caller. */
  readonly streamsMax: number;
  /** Connections at once; more are closed as they come. */
  readonly connectionsMax: number;
  /** How often a connection is asked whether the other side is there, and how long it may take. */
  readonly keepaliveMs: number;
  readonly keepaliveTimeoutMs: number;
};

export const RPC_LIMITS: RpcLimits = {
  /** A thousand watchers behind one proxy, and as many calls beside them. */
  streamsMax: 2_000,
  /** A ring of 1,000 in which everybody talks to this node, with room for clients. */
  connectionsMax: 4_000,
  /** A dead caller is noticed within 30 seconds, as a caller notices a dead node. */
  keepaliveMs: 20_000,
  keepaliveTimeoutMs: 10_000,
};
