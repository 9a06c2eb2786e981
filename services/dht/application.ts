/** What applications do with the table: keys, holders, wants, with typed refusals. */
import { RingbinderError } from '../errors.js';
import { HEARTBEAT_MS } from '../limits.js';
import { WatchQueue, type WatchItem } from '../rpc/watch-queue.js';
import { decodePageToken, encodePageToken, pageSizeOf } from '../rpc/page-token.js';
import type { Clock } from '../system/clock.js';
import { isLive, VALUE_BYTES_MAX, type Content, type TableRecord } from './core/record.js';
import type { Replication } from './core/replica-set.js';
import type { Page, StoredValue, Table } from './core/table.js';
import type { Rests } from './core/table-member.js';
import type { ReadOutcome } from './core/read.js';
import type { WriteOutcome } from './core/write.js';
import { compareVersions, type Version } from './core/version.js';
import type { WantedState } from './core/wants.js';
import type { TableDriver } from './driver.js';
import { doneRead, doneWrite, keyNotFound, tooManyHolders, valueTooLarge } from './refusals.js';

export type TableSeat = {
  readonly driver: TableDriver;
  readonly table: Table;
};

export type TableApplicationDeps = {
  readonly seat: () => TableSeat | undefined;
  readonly replication: Pick<Replication, 'readQuorum' | 'writeQuorum'>;
  readonly clock: Clock;
};

/** What the OK of a call rests on. */
export type Rest = {
  readonly rests: Rests<WriteOutcome | ReadOutcome>;
};

export type WriteResult = Rest & {
  readonly version: Version;
  readonly expiresAtMs: number | undefined;
  /** Whether a peer that answered had a live value or holder. */
  readonly wasLive: boolean;
};

export type ReadResult = Rest & { readonly record: TableRecord };

export type HoldersPage = Rest & {
  readonly holders: readonly TableRecord[];
  readonly nextPageToken: string;
};

export type KeysPage = {
  readonly keys: readonly StoredValue[];
  readonly nextPageToken: string;
};

/** Live holders of one key. */
const HOLDERS_MAX = 1_000;
/** Changes that wait for one slow reader of a want; each may be as large as a value. */
const WANT_EVENTS_MAX = 16;

export class TableApplication {
  readonly #deps: TableApplicationDeps;

  readonly #listeners = new Set<(written: TableRecord) => void>();

  constructor(deps: TableApplicationDeps) {
    this.#deps = deps;
  }

  /** Calls with every record that a call on this node has written. */
  onWrite(listener: (written: TableRecord) => void): void {
    this.#listeners.add(listener);
  }

  async put(
    key: string,
    bytes: Uint8Array,
    ttlMs: number | undefined,
    quorum: number,
  ): Promise<WriteResult> {
    if (bytes.length > VALUE_BYTES_MAX) throw valueTooLarge(bytes.length);
    const content = { kind: 'value', bytes } as const;
    return this.#write({ key, address: undefined, content, ttlMs, quorum });
  }

  async delete(key: string, quorum: number): Promise<WriteResult> {
    const content = { kind: 'deleted' } as const;
    return this.#write({ key, address: undefined, content, ttlMs: undefined, quorum });
  }

  async get(key: string, quorum: number): Promise<ReadResult> {
    const target = { kind: 'record', id: { key, address: undefined } } as const;
    const rests = await this.#driver.read(key, this.#readQuorum(quorum), target);
    const [record] = doneRead(key, rests).records;
    if (record === undefined || !isLive(record, this.#deps.clock.now())) throw keyNotFound(key);
    return { record, rests };
  }

  async announce(
    key: string,
    address: string,
    ttlMs: number | undefined,
    quorum: number,
  ): Promise<WriteResult> {
    const since = await this.#arrivalOf(key, address);
    const content = (version: Version): Content => ({ kind: 'holder', since: since ?? version });
    return this.#write({ key, address, content, ttlMs, quorum });
  }

  async withdraw(key: string, address: string, quorum: number): Promise<WriteResult> {
    const content = { kind: 'deleted' } as const;
    return this.#write({ key, address, content, ttlMs: undefined, quorum });
  }

  async holders(
    key: string,
    pageSize: number,
    pageToken: string,
    quorum: number,
  ): Promise<HoldersPage> {
    const scope = `holders ${key}`;
    const after = decodePageToken(pageToken, scope);
    const { live, rests } = await this.#liveHolders(key, quorum);
    const ordered = live.sort(byArrival).filter((it) => after === undefined || placeOf(it) > after);
    const holders = ordered.slice(0, pageSizeOf(pageSize));
    const last = holders.at(-1);
    const hasMore = last !== undefined && ordered.length > holders.length;
    const nextPageToken = hasMore ? encodePageToken({ scope, after: placeOf(last) }) : '';
    return { holders, nextPageToken, rests };
  }

  /** Of this node alone. */
  keys(prefix: string, pageSize: number, pageToken: string): KeysPage {
    const scope = `keys ${prefix}`;
    const after = decodePageToken(pageToken, scope);
    const { table } = this.#seat;
    const now = this.#deps.clock.now();
    const page: Page<StoredValue> = table.values(prefix, after, pageSizeOf(pageSize), now);
    const nextPageToken =
      page.next === undefined ? '' : encodePageToken({ scope, after: page.next });
    return { keys: page.items, nextPageToken };
  }

  /** What the key is as soon as it is something, then every change; heartbeats in between. */
  async *want(key: string, signal: AbortSignal): AsyncGenerator<WatchItem<WantedState>> {
    const { clock } = this.#deps;
    const queue = new WatchQueue<WantedState>({
      clock,
      signal,
      heartbeatMs: HEARTBEAT_MS,
      eventsMax: WANT_EVENTS_MAX,
    });
    const stop = this.#driver.member.want(key, {
      changed: (state) => queue.push(state),
      failed: () => queue.fail(unread(key)),
    });
    try {
      let sequence = 0;
      for await (const item of queue.items()) {
        // Until the key has been read, silence says nothing about it.
        if (item.event === undefined && sequence === 0) continue;
        sequence += 1;
        yield { ...item, sequence };
      }
    } finally {
      stop();
    }
  }

  async #write(write: {
    readonly key: string;
    readonly address: string | undefined;
    readonly content: Content | ((version: Version) => Content);
    readonly ttlMs: number | undefined;
    readonly quorum: number;
  }): Promise<WriteResult> {
    const { key, address, content, ttlMs, quorum } = write;
    const { writeQuorum } = this.#deps.replication;
    const expiresAtMs = ttlMs === undefined ? undefined : this.#deps.clock.now() + Math.ceil(ttlMs);
    const draft = (version: Version): TableRecord => ({
      key,
      address,
      version,
      content: typeof content === 'function' ? content(version) : content,
      expiresAtMs,
    });
    const rests = await this.#driver.write(key, quorum === 0 ? writeQuorum : quorum, draft);
    const { wasLive } = doneWrite(key, rests);
    for (const listener of this.#listeners) listener(draft(rests.version));
    return { version: rests.version, expiresAtMs, wasLive, rests };
  }

  /** When a holder that is announced again has arrived; undefined for one that is new. */
  async #arrivalOf(key: string, address: string): Promise<Version | undefined> {
    const target = { kind: 'record', id: { key, address } } as const;
    const rests = await this.#driver.read(key, this.#readQuorum(0), target);
    const [known] = doneRead(key, rests).records;
    if (known?.content.kind === 'holder' && isLive(known, this.#deps.clock.now())) {
      return known.content.since;
    }
    const { live } = await this.#liveHolders(key, 0);
    if (live.length >= HOLDERS_MAX) throw tooManyHolders(key, HOLDERS_MAX);
    return undefined;
  }

  async #liveHolders(key: string, quorum: number) {
    const target = { kind: 'holders', key } as const;
    const rests = await this.#driver.read(key, this.#readQuorum(quorum), target);
    const { records } = doneRead(key, rests);
    const now = this.#deps.clock.now();
    return { live: records.filter((it) => isLive(it, now)), rests };
  }

  #readQuorum(quorum: number): number {
    return quorum === 0 ? this.#deps.replication.readQuorum : quorum;
  }

  get #seat(): TableSeat {
    const seat = this.#deps.seat();
    if (seat !== undefined) return seat;
    throw new RingbinderError('PEER_NOT_MEMBER', 'this node has not found its ring yet');
  }

  get #driver(): TableDriver {
    return this.#seat.driver;
  }
}

function unread(key: string): RingbinderError {
  const text = 'too few of the peers that keep this key have answered for 30 s';
  return new RingbinderError('QUORUM_NOT_REACHED', text, { key }, { retryAfterMs: 1_000 });
}

function byArrival(one: TableRecord, other: TableRecord): number {
  const [a, b] = [sinceOf(one), sinceOf(other)];
  return compareVersions(a, b) || (placeOf(one) < placeOf(other) ? -1 : 1);
}

function sinceOf({ content, version }: TableRecord): Version {
  return content.kind === 'holder' ? content.since : version;
}

/** Text in the order of arrival. */
function placeOf(record: TableRecord): string {
  const { wallMs, counter, writer } = sinceOf(record);
  const parts = [wallMs, counter, writer].map((it) => it.toString(16).padStart(14, '0'));
  return `${parts.join('')}${record.address ?? ''}`;
}
