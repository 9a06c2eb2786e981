/**
 * The embedded store: one LMDB database in one directory, used by one process.
 *
 * Every commit is a child transaction of a write transaction that all commits of the same moment
 * share, and with it one flush to disk: `fdatasync` of the pages, then a synchronous write of the
 * meta page that makes them count. With `overlappingSync` off, a transaction becomes visible only
 * after that: a resolved commit is durable, and no reader acts on one that power loss takes back.
 *
 * Rows are told in `entry-row.ts`. The row `m` is the format of the whole database, 1 byte, and the
 * revision of its last commit, 8 bytes big-endian. How long an entry lives is on disk; since when is
 * not: after a restart every lease is a full one.
 */
import type { Logger } from 'pino';
import { type Clock, systemClock } from '../system/clock.js';
import { assertCommit, assertListing, keyBytesOf, textBytesOf } from './bounds.js';
import { CommitOrder } from './commit-order.js';
import { entryOf, revisionOf, rowOf, stamp, ttlMsOf } from './entry-row.js';
import { Expiry } from './expiry.js';
import { Feed, type Snapshot } from './feed.js';
import { openEnvironment, type LmdbDatabase } from './lmdb-environment.js';
import { LmdbRows, PAGE_BYTES, type Row } from './lmdb-rows.js';
import type {
  Store,
  StoreChange,
  StoreCommit,
  StoreEntry,
  StoreEvent,
  StoreListing,
} from './store.js';

const META_KEY = Buffer.from('m');
const META_BYTES = 1 + 8;
/** Format 1 had no leases; its rows are rows of format 2. */
const FORMATS = [1, 2];
const FORMAT = 2;

export type LmdbStoreDeps = { readonly clock?: Clock; readonly log?: Logger | undefined };

/** A commit in bytes, taken when it is asked for: the caller may change its arrays afterwards. */
type Plan = {
  readonly conditions: readonly { readonly keyBytes: Buffer; readonly revision?: number }[];
  readonly writes: readonly {
    readonly key: string;
    readonly keyBytes: Buffer;
    readonly row?: Buffer;
    readonly isExpired?: boolean;
  }[];
};

/** What a transaction has done, and how long what it put lives. */
type Applied = {
  readonly revision: number;
  readonly changes: readonly (StoreChange & { readonly ttlMs?: number | undefined })[];
};

/**
 * Opens the store in a directory and creates what is missing. Throws an `Error` that names the
 * directory when it can't be read or written, or holds something else. The caller holds the lock
 * of the directory (`data-dir.ts`).
 */
export async function openLmdbStore(directory: string, deps: LmdbStoreDeps = {}): Promise<Store> {
  try {
    const database = openEnvironment(directory, PAGE_BYTES);
    assertFormat(database);
    return new LmdbStore(database, deps);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new Error(`cannot open the store in ${directory}: ${reason}`, { cause });
  }
}

class LmdbStore implements Store {
  /** Never cut off. */
  readonly ageMs = undefined;
  readonly #database: LmdbDatabase;
  readonly #rows: LmdbRows;
  readonly #log: Logger | undefined;
  readonly #expiry: Expiry;
  readonly #feed = new Feed((prefix) => this.#snapshotOf(prefix));
  readonly #order = new CommitOrder<Applied>((applied) => this.#onDurable(applied));
  /** lmdb fails what is under way when it is closed, so `close` waits for these. */
  readonly #commits = new Set<Promise<boolean>>();
  #closing: Promise<void> | undefined;

  constructor(database: LmdbDatabase, { clock = systemClock, log }: LmdbStoreDeps) {
    this.#database = database;
    this.#rows = new LmdbRows(database);
    this.#log = log;
    this.#expiry = new Expiry(clock, (key) => void this.#expire(key));
    for (const { keyBytes, row } of this.#rows.from(Buffer.alloc(0))) {
      this.#expiry.put(keyBytes.toString('utf8'), ttlMsOf(row));
    }
  }

  async get(key: string): Promise<StoreEntry | undefined> {
    this.#assertOpen();
    const row = this.#rows.get(keyBytesOf(key));
    return row && entryOf(key, row);
  }

  async list(listing: StoreListing): Promise<readonly StoreEntry[]> {
    this.#assertOpen();
    assertListing(listing);
    const after = textBytesOf(listing.after ?? '');
    const found: StoreEntry[] = [];
    for (const { keyBytes, row } of this.#rowsOf(listing.prefix, after)) {
      if (!keyBytes.equals(after)) found.push(entryOf(keyBytes.toString('utf8'), row));
      if (found.length === listing.limit) break;
    }
    return found;
  }

  async commit(commit: StoreCommit): Promise<boolean> {
    this.#assertOpen();
    assertCommit(commit);
    return this.#commit(planOf(commit));
  }

  async renew(key: string): Promise<boolean> {
    this.#assertOpen();
    keyBytesOf(key);
    return this.#expiry.renew(key);
  }

  async *watch(
    { prefix }: { readonly prefix: string },
    signal: AbortSignal,
  ): AsyncGenerator<StoreEvent, void, void> {
    this.#assertOpen();
    textBytesOf(prefix);
    yield* this.#feed.watch(prefix, signal);
  }

  async close(): Promise<void> {
    this.#expiry.close();
    this.#feed.close();
    this.#closing ??= Promise.allSettled(this.#commits).then(() => this.#database.close());
    await this.#closing;
  }

  async #commit(plan: Plan): Promise<boolean> {
    let applied: Applied | undefined;
    const committed = this.#database.childTransaction(() => {
      if (applied !== undefined) this.#order.settle(applied, false);
      applied = this.#apply(plan);
      if (applied !== undefined) this.#order.add(applied);
      return applied !== undefined;
    });
    this.#commits.add(committed);
    try {
      const isDone = await committed;
      if (applied !== undefined) this.#order.settle(applied, isDone);
      return isDone;
    } catch (thrown) {
      if (applied !== undefined) this.#order.settle(applied, false);
      throw thrown;
    } finally {
      this.#commits.delete(committed);
    }
  }

  /** Returns undefined when a condition does not hold. */
  #apply({ conditions, writes }: Plan): Applied | undefined {
    for (const { keyBytes, revision } of conditions) {
      const row = this.#rows.get(keyBytes);
      if ((row && revisionOf(row)) !== revision) return undefined;
    }
    const revision = this.#nextRevision();
    return { revision, changes: writes.flatMap((write) => this.#write(write, revision) ?? []) };
  }

  #write(write: Plan['writes'][number], revision: number): Applied['changes'][number] | undefined {
    const { key, keyBytes, row, isExpired = false } = write;
    if (row !== undefined) {
      stamp(row, revision);
      this.#rows.put(keyBytes, row);
      return { kind: 'put', entry: entryOf(key, row), ttlMs: ttlMsOf(row) };
    }
    const last = this.#rows.get(keyBytes);
    if (last === undefined) return undefined;
    this.#rows.delete(keyBytes);
    return { kind: 'delete', entry: entryOf(key, last), isExpired };
  }

  #onDurable({ revision, changes }: Applied): void {
    for (const change of changes) {
      if (change.kind === 'put') this.#expiry.put(change.entry.key, change.ttlMs);
      else this.#expiry.remove(change.entry.key);
    }
    this.#feed.tell({ revision, changes });
  }

  /** Deletes an entry whose lease has ended, unless it is put again meanwhile. */
  async #expire(key: string): Promise<void> {
    const keyBytes = keyBytesOf(key);
    const row = this.#rows.get(keyBytes);
    if (row === undefined) return;
    const conditions = [{ keyBytes, revision: revisionOf(row) }];
    try {
      await this.#commit({ conditions, writes: [{ key, keyBytes, isExpired: true }] });
    } catch (err) {
      this.#log?.error({ err, key }, 'could not delete an entry whose lease has ended');
      this.#expiry.put(key, ttlMsOf(row));
    }
  }

  #snapshotOf(prefix: string): Snapshot {
    const entries: StoreEntry[] = [];
    for (const { keyBytes, row } of this.#rowsOf(prefix)) {
      entries.push(entryOf(keyBytes.toString('utf8'), row));
    }
    return { revision: this.#lastRevision(), entries };
  }

  *#rowsOf(prefix: string, after: Buffer = Buffer.alloc(0)): Generator<Row> {
    const start = textBytesOf(prefix);
    for (const each of this.#rows.from(after.compare(start) > 0 ? after : start)) {
      if (!each.keyBytes.subarray(0, start.length).equals(start)) return;
      yield each;
    }
  }

  #lastRevision(): number {
    return Number(this.#database.get(META_KEY)?.readBigUInt64BE(1) ?? 0n);
  }

  #nextRevision(): number {
    const revision = this.#lastRevision() + 1;
    void this.#database.put(META_KEY, metaRowOf(revision));
    return revision;
  }

  #assertOpen(): void {
    if (this.#closing !== undefined) throw new Error('the store is closed');
  }
}

function planOf({ conditions, writes }: StoreCommit): Plan {
  return {
    conditions: conditions.map((condition) => {
      const keyBytes = keyBytesOf(condition.key);
      return condition.kind === 'absent'
        ? { keyBytes }
        : { keyBytes, revision: condition.revision };
    }),
    writes: writes.map((write) => {
      const { key } = write;
      const keyBytes = keyBytesOf(key);
      if (write.kind === 'delete') return { key, keyBytes };
      return { key, keyBytes, row: rowOf(write.value, write.ttlMs) };
    }),
  };
}

function metaRowOf(revision: number): Buffer {
  const row = Buffer.alloc(META_BYTES);
  row.writeUInt8(FORMAT);
  row.writeBigUInt64BE(BigInt(revision), 1);
  return row;
}

/** Gives a new database its first row, and refuses one that somebody else wrote. */
function assertFormat(database: LmdbDatabase): void {
  const meta = database.get(META_KEY);
  if (meta === undefined && database.getKeysCount({ limit: 1 }) === 0) {
    database.putSync(META_KEY, metaRowOf(0));
    return;
  }
  if (meta?.length !== META_BYTES || !FORMATS.includes(meta.readUInt8())) {
    void database.close();
    throw new Error('it holds a database of another program or version');
  }
}
