/**
 * The embedded store: one LMDB database in one directory, used by one process.
 *
 * Every commit is a child transaction of a write transaction that all commits of the same moment
 * share, and with it one flush to disk: `fdatasync` of the pages, then a synchronous write of the
 * meta page that makes them count. With `overlappingSync` off, a transaction becomes visible only
 * after that: a resolved commit is durable, and no reader acts on one that power loss takes back.
 *
 * A row is the revision, 8 bytes big-endian, and then the value. The row `m` is the format of the
 * whole database, 1 byte, and the revision of its last commit, 8 bytes big-endian.
 */
import { assertCommit, assertListing, keyBytesOf, textBytesOf } from './bounds.js';
import { openEnvironment, type LmdbDatabase } from './lmdb-environment.js';
import { LmdbRows, PAGE_BYTES } from './lmdb-rows.js';
import type { Store, StoreCommit, StoreEntry, StoreListing } from './store.js';

const REVISION_BYTES = 8;
const META_KEY = Buffer.from('m');
const META_BYTES = 1 + REVISION_BYTES;
const FORMAT = 1;

/** A commit in bytes, taken when it is asked for: the caller may change its arrays afterwards. */
type Plan = {
  readonly conditions: readonly { readonly keyBytes: Buffer; readonly revision?: number }[];
  readonly writes: readonly { readonly keyBytes: Buffer; readonly row?: Buffer }[];
};

/**
 * Opens the store in a directory and creates what is missing. Throws an `Error` that names the
 * directory when it can't be read or written, or holds something else. The caller holds the lock
 * of the directory (`data-dir.ts`).
 */
export async function openLmdbStore(directory: string): Promise<Store> {
  try {
    const database = openEnvironment(directory, PAGE_BYTES);
    assertFormat(database);
    return new LmdbStore(database);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new Error(`cannot open the store in ${directory}: ${reason}`, { cause });
  }
}

class LmdbStore implements Store {
  readonly #database: LmdbDatabase;
  readonly #rows: LmdbRows;
  /** lmdb fails what is under way when it is closed, so `close` waits for these. */
  readonly #commits = new Set<Promise<boolean>>();
  #closing: Promise<void> | undefined;

  constructor(database: LmdbDatabase) {
    this.#database = database;
    this.#rows = new LmdbRows(database);
  }

  async get(key: string): Promise<StoreEntry | undefined> {
    this.#assertOpen();
    const row = this.#rows.get(keyBytesOf(key));
    return row && entryOf(key, row);
  }

  async list(listing: StoreListing): Promise<readonly StoreEntry[]> {
    this.#assertOpen();
    assertListing(listing);
    const prefix = textBytesOf(listing.prefix);
    const after = textBytesOf(listing.after ?? '');
    const found: StoreEntry[] = [];
    for (const { keyBytes, row } of this.#rows.from(after.compare(prefix) > 0 ? after : prefix)) {
      if (!keyBytes.subarray(0, prefix.length).equals(prefix)) break;
      if (!keyBytes.equals(after)) found.push(entryOf(keyBytes.toString('utf8'), row));
      if (found.length === listing.limit) break;
    }
    return found;
  }

  async commit(commit: StoreCommit): Promise<boolean> {
    this.#assertOpen();
    assertCommit(commit);
    const plan = planOf(commit);
    const applied = this.#database.childTransaction(() => this.#apply(plan));
    this.#commits.add(applied);
    try {
      return await applied;
    } finally {
      this.#commits.delete(applied);
    }
  }

  async close(): Promise<void> {
    this.#closing ??= Promise.allSettled(this.#commits).then(() => this.#database.close());
    await this.#closing;
  }

  #apply({ conditions, writes }: Plan): boolean {
    for (const { keyBytes, revision } of conditions) {
      const row = this.#rows.get(keyBytes);
      if ((row && revisionOf(row)) !== revision) return false;
    }
    const revision = this.#nextRevision();
    for (const { keyBytes, row } of writes) {
      if (row === undefined) {
        this.#rows.delete(keyBytes);
      } else {
        row.writeBigUInt64BE(revision);
        this.#rows.put(keyBytes, row);
      }
    }
    return true;
  }

  #nextRevision(): bigint {
    const last = this.#database.get(META_KEY)?.readBigUInt64BE(1) ?? 0n;
    void this.#database.put(META_KEY, metaRowOf(last + 1n));
    return last + 1n;
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
      const keyBytes = keyBytesOf(write.key);
      if (write.kind === 'delete') return { keyBytes };
      return { keyBytes, row: Buffer.concat([Buffer.alloc(REVISION_BYTES), write.value]) };
    }),
  };
}

function entryOf(key: string, row: Buffer): StoreEntry {
  return { key, value: row.subarray(REVISION_BYTES), revision: revisionOf(row) };
}

function revisionOf(row: Buffer): number {
  return row.readUInt32BE() * 2 ** 32 + row.readUInt32BE(4);
}

function metaRowOf(revision: bigint): Buffer {
  const row = Buffer.alloc(META_BYTES);
  row.writeUInt8(FORMAT);
  row.writeBigUInt64BE(revision, 1);
  return row;
}

/** Gives a new database its first row, and refuses one that somebody else wrote. */
function assertFormat(database: LmdbDatabase): void {
  const meta = database.get(META_KEY);
  if (meta === undefined && database.getKeysCount({ limit: 1 }) === 0) {
    database.putSync(META_KEY, metaRowOf(0n));
    return;
  }
  if (meta?.length !== META_BYTES || meta.readUInt8() !== FORMAT) {
    void database.close();
    throw new Error('it holds a database of another program or version');
  }
}
