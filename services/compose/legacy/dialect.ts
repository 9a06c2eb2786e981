/** What a legacy dialect is to those who put it together: what it is given, and what it becomes. */
import type { Logger } from 'pino';
import type { LegacyListen, LegacyName, LegacyPeers } from '../../config/legacy.js';
import type {
  BinderCalls,
  EndpointChange,
  HolderCalls,
  RingCalls,
  SessionNote,
  StopCalls,
  ValueCalls,
} from '../../legacy/core/session.js';
import type { PeerStreams } from '../../peer/stream/streams.js';

/** Asks whether a service lives; never rejects, and ends within seconds. */
export type Prover = (address: string) => Promise<boolean>;

/** Services and endpoints, with those of others. */
export type DirectoryCalls = BinderCalls & {
  /** Tells of every endpoint of these services, and then of all that come and go. */
  follow(services: readonly string[], changed: (change: EndpointChange) => void): void;
  /** The checks in a dialect are made by this from now on. */
  proveBy(dialect: string, prove: Prover): void;
};

/** Where legacy peers find this process. */
export type RingPlace = {
  /** Where it listens to them, an IP address or a name; undefined when it does not. */
  readonly host: string | undefined;
  /** The port on which all of them listen, ours too. */
  readonly peerPort: () => number;
};

/** What dialect `ring` calls, until it is closed. */
export type OpenRing = RingCalls & { readonly guestCount: number; close(): void };

/** All that dialects need from the services. */
export type LegacyCalls = {
  readonly holders: HolderCalls;
  readonly values: ValueCalls;
  /** Undefined where no binder is. */
  readonly binder: DirectoryCalls | undefined;
  /** Undefined where no guests can be. */
  readonly ring: ((place: RingPlace) => OpenRing) | undefined;
  /** The peer streams of this node; undefined where there are none. */
  readonly streams: Pick<PeerStreams, 'carried'> | undefined;
  /** Undefined where nobody may stop anything. */
  readonly stop: StopCalls | undefined;
  /**
   * Tells of holders that others announce, which live for `lifeMs` more (infinite: until they are
   * withdrawn, with 0 then); undefined where nobody can know.
   */
  readonly followHolders:
    ((changed: (key: string, address: string, lifeMs: number) => void) => void) | undefined;
  /** Tells of values that are put, which live for `lifeMs` more (infinite: until they change). */
  followValues(
    isWanted: (key: string) => boolean,
    put: (key: string, value: Uint8Array, lifeMs: number) => void,
  ): void;
};

export type DialectDeps<Name extends LegacyName> = {
  readonly listen: LegacyListen[Name];
  readonly peers: LegacyPeers;
  readonly calls: LegacyCalls;
  /** Datagrams that a host may send in a second; as the dialect has it when undefined. */
  readonly rate: number | undefined;
  /** To be told of every message. */
  readonly note: (note: SessionNote) => void;
  readonly log: Logger;
};

/** Where each socket of a dialect is bound, by its name in the log. */
export type BoundSockets = Readonly<Record<string, string>>;

export type OpenDialect = {
  readonly bound: BoundSockets;
  /** Programs that work with this process now, as far as the dialect can tell. */
  readonly programCount?: () => number;
  /** Makes a server of this dialect known; returns why it can't be, or undefined. */
  readonly introduce?: (address: string) => string | undefined;
  readonly close: () => Promise<void>;
};

/**
 * Listens. Rejects when a port can't be had; resolves with undefined where the services have nothing that
 * the dialect could work with.
 */
export type OpenerOf<Name extends LegacyName> = (
  deps: DialectDeps<Name>,
) => Promise<OpenDialect | undefined>;
