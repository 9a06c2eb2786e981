/**
 * The store of several nodes: a real etcd cluster, version 3.4 or later.
 *
 * A commit is one transaction of etcd that compares revisions; the revision of an entry is etcd's own.
 * Each entry with a lease has a lease of etcd to itself. Reads are linearizable while etcd answers, and
 * come from the mirror while it does not. A commit resolves when the mirror has it too, so watchers and
 * later reads see it even when etcd goes away right then.
 */
import type { Logger } from 'pino';
import { type Clock, systemClock } from '../system/clock.js';
import { assertCommit, assertListing, keyBytesOf, textBytesOf } from './bounds.js';
import { EtcdLink, WRITE_MS } from './etcd/link.js';
import { EtcdMirror } from './etcd/mirror.js';
import { EtcdKeys, freedLeases } from './etcd/wire.js';
import { storeUnreachable } from './refusals.js';
import { copyOf } from './sorted-entries.js';
import type { Store, StoreCommit, StoreEntry, StoreEvent, StoreListing } from './store.js';

/** How long a commit that etcd has made waits for the watch; with the commit, below 3 seconds. */
const MIRROR_MS = 400;

export type EtcdStoreOptions = {
  /** `host:port` of members of the cluster; one that answers is enough. */
  readonly endpoints: readonly string[];
  /** In front of all keys, for example `/ringbinder/`. */
  readonly prefix: string;
  /** How long to wait for etcd at first. */
  readonly openTimeoutMs: number;
  readonly clock?: Clock;
  readonly log?: Logger | undefined;
};

/** Opens the store; throws `STORE_UNREACHABLE` when etcd does not answer in time. */
export async function openEtcdStore(options: EtcdStoreOptions): Promise<Store> {
  const { endpoints, openTimeoutMs, log } = options;
  const store = new EtcdStore(options);
  try {
    log?.debug({ endpoints }, 'asking etcd');
    await store.open(openTimeoutMs);
    return store;
  } catch (thrown) {
    await store.close();
    throw thrown;
  }
}

class EtcdStore implements Store {
  readonly #clock: Clock;
  readonly #link: EtcdLink;
  readonly #keys: EtcdKeys;
  readonly #mirror: EtcdMirror;
  readonly #commits = new Set<Promise<boolean>>();
  #closing: Promise<void> | undefined;

  constructor({ endpoints, prefix, clock = systemClock, log }: EtcdStoreOptions) {
    this.#clock = clock;
    this.#link = new EtcdLink({ endpoints, clock });
    this.#keys = new EtcdKeys(prefix);
    this.#mirror = new EtcdMirror({ link: this.#link, keys: this.#keys, clock, log });
  }

  async open(withinMs: number): Promise<void> {
    if (await this.#mirror.open(withinMs)) return;
    await this.#link.range({ key: this.#keys.marker });
    throw storeUnreachable('etcd answers, but can not be watched');
  }

  get ageMs(): number | undefined {
    return this.#mirror.ageMs;
  }

  async get(key: string): Promise<StoreEntry | undefined> {
    this.#assertOpen();
    const range = { key: this.#keys.bytesOf(key) };
    const entries = await this.#read(range);
    if (entries !== undefined) return entries[0];
    const entry = this.#mirror.entries.get(key);
    return entry && copyOf(entry);
  }

  async list(listing: StoreListing): Promise<readonly StoreEntry[]> {
    this.#assertOpen();
    assertListing(listing);
    const range = this.#keys.rangeOf(listing);
    if (range === undefined) return [];
    const entries = await this.#read({ ...range, limit: BigInt(listing.limit) });
    return entries ?? this.#mirror.entries.list(listing);
  }

  async commit(commit: StoreCommit): Promise<boolean> {
    this.#assertOpen();
    assertCommit(commit);
    for (const { key } of [...commit.conditions, ...commit.writes]) keyBytesOf(key);
    const committed = this.#commit(copied(commit));
    this.#commits.add(committed);
    try {
      return await committed;
    } finally {
      this.#commits.delete(committed);
    }
  }

  /** The mirror knows the lease; where it is behind, etcd is asked for it. */
  async renew(key: string): Promise<boolean> {
    this.#assertOpen();
    const bytes = this.#keys.bytesOf(key);
    const endMs = this.#endMs();
    const known = this.#mirror.entries.get(key)?.leaseId ?? 0n;
    if (known !== 0n && (await this.#link.keepAlive(known, endMs))) return true;
    const { kvs } = await this.#link.range({ key: bytes });
    const leaseId = kvs[0]?.lease ?? 0n;
    if (leaseId === 0n || leaseId === known) return false;
    return this.#link.keepAlive(leaseId, endMs);
  }

  async *watch(
    { prefix }: { readonly prefix: string },
    signal: AbortSignal,
  ): AsyncGenerator<StoreEvent, void, void> {
    this.#assertOpen();
    textBytesOf(prefix);
    yield* this.#mirror.feed.watch(prefix, signal);
  }

  async close(): Promise<void> {
    this.#closing ??= Promise.allSettled(this.#commits).then(() => {
      this.#mirror.close();
      this.#link.close();
    });
    await this.#closing;
  }

  async #commit(commit: StoreCommit): Promise<boolean> {
    const endMs = this.#endMs();
    const leaseIds = await this.#grant(commit, endMs);
    const request = this.#keys.txnOf(commit, leaseIds);
    const { succeeded, responses, header } = await this.#link.txn(request, endMs);
    const unused = succeeded ? freedLeases(responses) : leaseIds.values();
    for (const leaseId of unused) this.#link.revoke(leaseId);
    const revision = Number(header?.revision ?? 0n);
    if (succeeded && commit.writes.length > 0) await this.#mirror.reached(revision, MIRROR_MS);
    return succeeded;
  }

  /** A lease for each entry that is to have one. */
  async #grant({ writes }: StoreCommit, endMs: number): Promise<ReadonlyMap<string, bigint>> {
    const granted = writes.map(async (write) => {
      if (write.kind === 'delete' || write.ttlMs === undefined) return [];
      return [[write.key, await this.#link.grant(write.ttlMs, endMs)] as const];
    });
    return new Map((await Promise.all(granted)).flat());
  }

  /** Undefined when etcd does not answer. */
  async #read(range: Parameters<EtcdLink['range']>[0]): Promise<readonly StoreEntry[] | undefined> {
    if (this.#mirror.ageMs !== undefined) return undefined;
    try {
      const { kvs } = await this.#link.range(range);
      return kvs.flatMap((kv) => this.#keys.entryOf(kv) ?? []).map(copyOf);
    } catch {
      this.#mirror.onSilence();
      return undefined;
    }
  }

  #endMs(): number {
    return this.#clock.monotonicMs() + WRITE_MS;
  }

  #assertOpen(): void {
    if (this.#closing !== undefined) throw new Error('the store is closed');
  }
}

/** The caller may change its arrays while we wait. */
function copied({ conditions, writes }: StoreCommit): StoreCommit {
  const own = writes.map((write) =>
    write.kind === 'put' ? { ...write, value: new Uint8Array(write.value) } : write,
  );
  return { conditions: [...conditions], writes: own };
}
