/** Values and holders under keys, kept by the ring. */
import type { Timestamp } from '../../proto/gen/google/protobuf/timestamp.js';
import {
  DhtServiceService,
  type Receipt as WireReceipt,
  type WantResponse,
} from '../../proto/gen/ringbinder/v1/dht_service.js';
import type { NodeChannel } from './channel.js';
import { CallError } from './errors.js';
import type { CallOptions, LastingOptions } from './lasting-stream.js';
import { dateFrom, durationFromMs, peerFrom, type Peer } from './messages.js';

/** What the OK of a call rests on. */
export type DhtReceipt = {
  readonly owner: Peer | undefined;
  /** How many peers were asked, the owner included. */
  readonly asked: number;
  /** How many of them had answered when the call did. */
  readonly answered: number;
  /** How many answers the call waited for. */
  readonly required: number;
  /** How many peers had an older version or none, and were given the newest. */
  readonly repaired: number;
  /** True when there are fewer peers than the quorum, and `required` was lowered to their number. */
  readonly capped: boolean;
  /** The different versions that the peers had, newest first. */
  readonly versions: readonly string[];
};

type Expiring = {
  /** Absent when it does not expire. */
  readonly expireTime?: Date;
};

export type StoredValue = Expiring & {
  /** Opaque; only good to be compared for equality. */
  readonly version: string;
  readonly receipt: DhtReceipt;
};
export type FoundValue = StoredValue & { readonly value: Uint8Array };
export type RemovedValue = {
  /** Version of the deletion. */
  readonly version: string;
  /** True when a peer that answered had a value; after a repeated attempt that may be no more. */
  readonly existed: boolean;
  readonly receipt: DhtReceipt;
};

export type StoredKey = Expiring & {
  readonly key: string;
  readonly sizeBytes: number;
  readonly version: string;
};

export type Holder = Expiring & { readonly address: string };
export type AnnouncedHolder = Expiring & { readonly receipt: DhtReceipt };
export type WithdrawnHolder = {
  /** True when a peer that answered had the holder; after a repeated attempt that may be no more. */
  readonly existed: boolean;
  readonly receipt: DhtReceipt;
};

export type WantEvent =
  | (Expiring & {
      readonly kind: 'value';
      readonly value: Uint8Array;
      readonly version: string;
    })
  | {
      readonly kind: 'deleted';
      /** Version of the deletion; empty when the value went while the connection was lost. */
      readonly version: string;
      /** False when it was deleted; undefined when it went while the connection was lost. */
      readonly isExpired: boolean | undefined;
    };

export type ReadOptions = CallOptions & {
  /** How many peers must answer, 1 to 16; default: what the node has configured. */
  readonly readQuorum?: number;
};
export type WriteOptions = CallOptions & {
  /** How many peers must have it on disk, 1 to 16; default: what the node has configured. */
  readonly writeQuorum?: number;
};
export type TtlOptions = WriteOptions & {
  /** How long it lives, from when the node took the call; default: until it is taken away. */
  readonly ttlMs?: number;
};
export type KeyListing = CallOptions & {
  /** Only keys that begin with this. */
  readonly prefix?: string;
};

const PAGE_SIZE = 1_000;

export class DhtApi {
  readonly #channel: NodeChannel;

  constructor(channel: NodeChannel) {
    this.#channel = channel;
  }

  /** Stores a value in place of the one before; text as UTF-8. */
  async put(
    key: string,
    value: Uint8Array | string,
    options: TtlOptions = {},
  ): Promise<StoredValue> {
    const request = {
      key,
      value: typeof value === 'string' ? Buffer.from(value, 'utf8') : Buffer.from(value),
      ...writeFrom(options),
    };
    const wire = await this.#channel.unary(DhtServiceService.put, request, options);
    return {
      version: wire.version,
      ...expiryFrom(wire.expireTime),
      receipt: receiptFrom(wire.receipt),
    };
  }

  /** The newest value that the asked peers have; undefined when there is none. */
  async get(key: string, options: ReadOptions = {}): Promise<FoundValue | undefined> {
    const request = { key, readQuorum: options.readQuorum ?? 0 };
    try {
      const wire = await this.#channel.unary(DhtServiceService.get, request, options);
      return {
        value: wire.value,
        version: wire.version,
        ...expiryFrom(wire.expireTime),
        receipt: receiptFrom(wire.receipt),
      };
    } catch (thrown) {
      if (thrown instanceof CallError && thrown.reason === 'KEY_NOT_FOUND') return undefined;
      throw thrown;
    }
  }

  /** Deletes a value; it is no error when there is none. */
  async delete(key: string, options: WriteOptions = {}): Promise<RemovedValue> {
    const request = { key, writeQuorum: options.writeQuorum ?? 0 };
    const wire = await this.#channel.unary(DhtServiceService.delete, request, options);
    return { version: wire.version, existed: wire.existed, receipt: receiptFrom(wire.receipt) };
  }

  /**
   * The value of a key as soon as it exists, then every change; heartbeats are left out.
   *
   * Goes on by itself when the connection or the node is lost, and gives no event twice in a row. The
   * end of a value that expires has the version of the value.
   */
  async *want(key: string, options?: LastingOptions): AsyncGenerator<WantEvent, void, void> {
    let last: WantEvent | undefined;
    const stream = this.#channel.lastingStream(DhtServiceService.want, { key }, options);
    for await (const wire of stream) {
      const event = eventFrom(wire) ?? goneMeanwhile(wire, last);
      if (event === undefined || isSameEvent(event, last)) continue;
      last = event;
      yield event;
    }
  }

  /** The keys that the connected node itself has a value of, in the order of their UTF-8 bytes. */
  async *keys(options: KeyListing = {}): AsyncGenerator<StoredKey, void, void> {
    const { prefix = '' } = options;
    let pageToken = '';
    do {
      const request = { pageSize: PAGE_SIZE, pageToken, prefix };
      const page = await this.#channel.unary(DhtServiceService.listKeys, request, options);
      for (const { key, sizeBytes, version, expireTime } of page.keys) {
        yield { key, sizeBytes, version, ...expiryFrom(expireTime) };
      }
      pageToken = page.nextPageToken;
    } while (pageToken !== '');
  }

  /** Says that an address has a key. A repeat renews the holder, which keeps its place. */
  async announceHolder(
    key: string,
    address: string,
    options: TtlOptions = {},
  ): Promise<AnnouncedHolder> {
    const request = { key, address, ...writeFrom(options) };
    const wire = await this.#channel.unary(DhtServiceService.announceHolder, request, options);
    return { ...expiryFrom(wire.expireTime), receipt: receiptFrom(wire.receipt) };
  }

  /** Says that an address no longer has a key; it is no error when it was no holder. */
  async withdrawHolder(
    key: string,
    address: string,
    options: WriteOptions = {},
  ): Promise<WithdrawnHolder> {
    const request = { key, address, writeQuorum: options.writeQuorum ?? 0 };
    const wire = await this.#channel.unary(DhtServiceService.withdrawHolder, request, options);
    return { existed: wire.existed, receipt: receiptFrom(wire.receipt) };
  }

  /** Who has a key, page by page, in order of arrival. */
  async *holders(key: string, options: ReadOptions = {}): AsyncGenerator<Holder, void, void> {
    const { readQuorum = 0 } = options;
    let pageToken = '';
    do {
      const request = { key, pageSize: PAGE_SIZE, pageToken, readQuorum };
      const page = await this.#channel.unary(DhtServiceService.listHolders, request, options);
      for (const { address, expireTime } of page.holders) {
        yield { address, ...expiryFrom(expireTime) };
      }
      pageToken = page.nextPageToken;
    } while (pageToken !== '');
  }

  /** Makes a legacy server known to the connected node; `dialect` is `simple-dht` or `tlv`. */
  async introduce(address: string, dialect: string, options?: CallOptions): Promise<void> {
    await this.#channel.unary(DhtServiceService.introduce, { address, dialect }, options);
  }

  /** Stops the connected node, if it has this password. */
  async stopServer(password: string, options?: CallOptions): Promise<void> {
    await this.#channel.unary(DhtServiceService.stopServer, { password }, options);
  }
}

function writeFrom({ ttlMs, writeQuorum = 0 }: TtlOptions) {
  return { ttl: ttlMs === undefined ? undefined : durationFromMs(ttlMs), writeQuorum };
}

function expiryFrom(wire: Timestamp | undefined): Expiring {
  return wire === undefined ? {} : { expireTime: dateFrom(wire) };
}

function receiptFrom(wire: WireReceipt | undefined): DhtReceipt {
  return {
    owner: wire?.owner === undefined ? undefined : peerFrom(wire.owner),
    asked: wire?.asked ?? 0,
    answered: wire?.answered ?? 0,
    required: wire?.required ?? 0,
    repaired: wire?.repaired ?? 0,
    capped: wire?.capped ?? false,
    versions: wire?.versions ?? [],
  };
}

function eventFrom({ event, version, expireTime }: WantResponse): WantEvent | undefined {
  switch (event?.$case) {
    case 'value':
      return { kind: 'value', value: event.value, version, ...expiryFrom(expireTime) };
    case 'deleted':
      return { kind: 'deleted', version, isExpired: event.value.expired };
    default:
      return undefined;
  }
}

function isSameEvent(event: WantEvent, last: WantEvent | undefined): boolean {
  return event.kind === last?.kind && event.version === last.version;
}

/** A stream that begins with a heartbeat says that there is no value: the last one is gone. */
function goneMeanwhile(wire: WantResponse, last: WantEvent | undefined): WantEvent | undefined {
  const beginsEmpty = wire.sequence === 1n && wire.event?.$case === 'heartbeat';
  if (!beginsEmpty || last?.kind !== 'value') return undefined;
  return { kind: 'deleted', version: '', isExpired: undefined };
}
