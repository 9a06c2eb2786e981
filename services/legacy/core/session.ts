/**
 * What a session of a dialect has: pure decisions, fed with datagrams and time, that say what to send
 * and what to ask the services for.
 *
 * A session never waits and never throws on what comes from outside. Every table in it has a bound, and
 * every entry an end.
 */

/** Where a datagram comes from or goes to; `host` is an IP address without brackets. */
export type Source = { readonly host: string; readonly port: number };

export type SessionClock = {
  /** Milliseconds since some moment. Never jumps. */
  readonly steadyMs: () => number;
};

/** One decoded datagram or line, or one that was dropped: for a log line and a counter. */
export type SessionNote = {
  readonly direction: 'in' | 'out';
  readonly socket: string;
  readonly peer: Source;
  /** Name of the message, or `malformed`, `limited`, `unexpected`. */
  readonly what: string;
  /** Decoded fields, or why it was dropped. */
  readonly fields: Readonly<Record<string, string | number>>;
};

/** Sends one datagram from one of the sockets of the dialect. */
export type Send<SocketName extends string> = (
  socket: SocketName,
  to: Source,
  bytes: Uint8Array,
) => void;

/** Ends something that goes on; harmless when repeated. */
export type Stop = () => void;

/** Holders of keys, as DhtService keeps them. `done` is called once, with nothing when it failed. */
export interface HolderCalls {
  /** Says that an address has a key, for so long unless it is repeated. */
  announce(key: string, address: string, ttlMs: number, done: () => void): void;
  /** In the order of arrival, at most `countMax`. */
  list(
    key: string,
    countMax: number,
    done: (addresses: readonly string[] | undefined) => void,
  ): void;
}

/** Values, as DhtService keeps them. */
export interface ValueCalls {
  put(key: string, value: Uint8Array, ttlMs: number, done: (isDone: boolean) => void): void;
  /** `found` is called with the value, with null when there is none, with nothing when it failed. */
  get(key: string, found: (value: Uint8Array | null | undefined) => void): void;
  /** Calls `changed` with the value as soon as there is one, and again when it changes. */
  want(key: string, changed: (value: Uint8Array) => void): Stop;
}

/** Services and endpoints, as BinderService keeps them. A session is told of changes, its own too. */
export interface BinderCalls {
  /** Registers an endpoint, or renews it; calls `done` with whether that was done. */
  register(service: string, address: string, ttlMs: number, done: (isDone: boolean) => void): void;
  /** Complains; the binder looks by itself, and removes what does not answer. */
  report(service: string, address: string): void;
}

/** An endpoint is there, or is there no more. */
export type EndpointChange = {
  readonly kind: 'added' | 'removed';
  readonly service: string;
  readonly address: string;
};

/** Stops the node when the password is right. `done` is called with nothing when it could not be asked. */
export interface StopCalls {
  stopServer(password: string, done: (isAccepted: boolean | undefined) => void): void;
}

/** A member of the ring as legacy programs see it: a number, and a text without colons, LF or CR. */
export type RingNeighbor = { readonly ringId: number; readonly host: string };

/** A row of a finger table: the member that follows `start`. */
export type RingRow = { readonly start: number; readonly successor: RingNeighbor };

/**
 * Ring IDs, memberships and messages, as HashService, WelcomeService and PeerService know them. `done`
 * is called once, with nothing when it failed.
 */
export interface RingCalls {
  /** Ring IDs are below it. */
  readonly ringSize: number;
  /** The ring ID of a text, always the same; `full` when it has none and all are taken. */
  assign(text: string, done: (ringId: number | 'full' | undefined) => void): void;
  /** All members, legacy peers too, in ring order. */
  members(done: (members: readonly RingNeighbor[] | undefined) => void): void;
  /** Takes a legacy peer in as a guest; `entry` is the host of a member that was there before. */
  join(
    ringId: number,
    host: string,
    done: (outcome: 'first' | { readonly entry: string } | 'taken' | undefined) => void,
  ): void;
  leave(ringId: number, done: (outcome: 'left' | 'not a member' | undefined) => void): void;
  /** The table that this node's own member has now: the first row is its successor. */
  table(done: (rows: readonly RingRow[] | undefined) => void): void;
  /** Predecessor and successor of a member, or of a number where nobody stands: who encloses it. */
  neighbors(
    ringId: number,
    done: (
      both: { readonly predecessor: RingNeighbor; readonly successor: RingNeighbor } | undefined,
    ) => void,
  ): void;
  /** `own` when this node's member has that ring ID, `nobody` when no member has. */
  send(
    to: number,
    senderHost: string,
    text: string,
    done: (outcome: 'own' | 'delivered' | 'nobody' | undefined) => void,
  ): void;
}

/** What answers the one line that each connection of a port brings. Pure. */
export interface LineSession {
  /** Calls `reply` once, with at least one line; lines have no terminators. */
  answer(line: string, from: Source, reply: (lines: readonly string[]) => void): void;
  /** What is answered to a line that is too long to be read. */
  readonly tooLong: readonly string[];
}
