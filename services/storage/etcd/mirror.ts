/**
 * All entries below the prefix, as etcd last told them: what watchers are fed from, and what is read
 * while etcd does not answer.
 *
 * One watch feeds it. A watch that breaks off goes on behind the last revision seen, at whichever member
 * answers; where etcd no longer has that, or has fewer revisions than were seen here (it was restored
 * from a backup), everything is read anew. The mirror is in touch while its watch stands and etcd
 * answers a linearizable question every `PULSE_MS`. A watch that was opened stands when it has told what was
 * missed.
 */
import type { Logger } from 'pino';
import { type Cancel, type Clock, onceAfter, pause } from '../../system/clock.js';
import { Feed } from '../feed.js';
import { SortedEntries } from '../sorted-entries.js';
import type { StoreChange } from '../store.js';
import { isOutOfRange, type EtcdLink } from './link.js';
import { commitsOf, type EtcdCommit, type EtcdKeys, type LeasedEntry } from './wire.js';

/** How often etcd is asked whether it is there. */
const PULSE_MS = 1_000;
/** Pause before a watch is opened again. */
const REOPEN_MS = 200;
/** How long a watch may take to tell what was missed. */
const CATCH_UP_MS = 5_000;
/** Entries that are read at once. */
const PAGE_ENTRIES = 1_000;

export type EtcdMirrorDeps = {
  readonly link: EtcdLink;
  readonly keys: EtcdKeys;
  readonly clock: Clock;
  readonly log: Logger | undefined;
};

type Waiter = { readonly revision: number; readonly wake: () => void };

/** How a watch ended: whether the next one can go on behind it. */
type WatchEnd = { readonly isGap: boolean; readonly cause: unknown };

export class EtcdMirror {
  readonly #deps: EtcdMirrorDeps;
  #entries = new SortedEntries<LeasedEntry>();
  #revision = 0;
  /** Everything must be read before it can be watched. */
  #isGap = true;
  #isWatching = false;
  #isAnswering = false;
  #isAsking = false;
  #touchedAtMs: number;
  #onTouch: () => void = () => undefined;
  #stopWatch: () => void = () => undefined;
  #stopPulse: Cancel = () => undefined;
  readonly #waiters = new Set<Waiter>();
  readonly #closing = new AbortController();
  readonly feed = new Feed((prefix) => {
    return { revision: this.#revision, entries: this.#entries.all(prefix) };
  });

  constructor(deps: EtcdMirrorDeps) {
    this.#deps = deps;
    this.#touchedAtMs = deps.clock.monotonicMs();
  }

  /** What was last seen. */
  get entries(): SortedEntries<LeasedEntry> {
    return this.#entries;
  }

  /** See `Store.ageMs`. */
  get ageMs(): number | undefined {
    if (this.#isWatching && this.#isAnswering) return undefined;
    return Math.ceil(this.#deps.clock.monotonicMs() - this.#touchedAtMs);
  }

  /** Begins; resolves when it is in touch, false when that takes longer. */
  async open(withinMs: number): Promise<boolean> {
    const { clock } = this.#deps;
    const opened = new Promise<boolean>((resolve) => {
      const finish = onceAfter(clock, withinMs, this.#closing.signal, () => {
        resolve(this.ageMs === undefined);
      });
      this.#onTouch = finish;
    });
    void this.#run();
    void this.#pulse();
    this.#stopPulse = clock.every(PULSE_MS, () => void this.#pulse());
    return opened;
  }

  /** Resolves true when the mirror shows this revision, false when that takes longer. */
  async reached(revision: number, withinMs: number): Promise<boolean> {
    if (this.#revision >= revision) return true;
    return new Promise((resolve) => {
      const wake = (): void => {
        cancel();
        this.#waiters.delete(waiter);
        resolve(this.#revision >= revision);
      };
      const cancel = this.#deps.clock.after(withinMs, wake);
      const waiter: Waiter = { revision, wake };
      this.#waiters.add(waiter);
    });
  }

  /** A call was not answered: out of touch until the pulse says otherwise. */
  onSilence(): void {
    if (!this.#isAnswering) return;
    const isTold = this.ageMs !== undefined;
    this.#isAnswering = false;
    if (!isTold) this.#deps.log?.warn('the store is out of touch with etcd');
  }

  close(): void {
    this.#closing.abort();
    this.#stopPulse();
    this.#stopWatch();
    for (const { wake } of this.#waiters) wake();
    this.feed.close();
  }

  // The watch

  async #run(): Promise<void> {
    const { clock, log } = this.#deps;
    const { signal } = this.#closing;
    while (!signal.aborted) {
      try {
        if (this.#isGap) await this.#load();
        const { isGap, cause } = await this.#watch();
        this.#isGap ||= isGap;
        log?.debug({ err: cause, isGap }, 'the watch of etcd has ended');
      } catch (err) {
        log?.debug({ err }, 'etcd can not be read just now');
      }
      await pause(clock, REOPEN_MS, signal);
    }
  }

  /** Reads everything at one revision, page by page; etcd may have dropped that meanwhile. */
  async #load(): Promise<void> {
    const { link, keys } = this.#deps;
    const entries = new SortedEntries<LeasedEntry>();
    const all = keys.all();
    let { key } = all;
    let revision = 0n;
    for (let isMore = true; isMore;) {
      const limit = BigInt(PAGE_ENTRIES);
      const page = await link.range({ key, rangeEnd: all.rangeEnd, limit, revision });
      for (const kv of page.kvs) {
        const entry = keys.entryOf(kv);
        if (entry !== undefined) entries.put(entry);
        key = Buffer.concat([kv.key, Buffer.alloc(1)]);
      }
      if (revision === 0n) revision = page.header?.revision ?? 0n;
      isMore = page.more;
    }
    this.#entries = entries;
    this.#isGap = false;
    this.feed.retell();
    this.#reach(Number(revision));
  }

  async #watch(): Promise<WatchEnd> {
    const { link, keys } = this.#deps;
    const startRevision = BigInt(this.#revision + 1);
    const request = { ...keys.all(), startRevision, progressNotify: false, prevKv: false };
    return new Promise((resolve) => {
      const stop = link.watch(request, {
        onEnd: (cause) => {
          this.#stopWatch = () => undefined;
          this.#touchWhile(() => (this.#isWatching = false));
          resolve({ isGap: isOutOfRange(cause), cause });
        },
        onResponse: ({ created, canceled, compactRevision, cancelReason, events }) => {
          if (canceled) {
            resolve({ isGap: compactRevision > 0n, cause: new Error(cancelReason) });
            stop();
            return;
          }
          if (created) void this.#catchUp(stop);
          for (const commit of commitsOf(events, keys)) this.#apply(commit);
        },
      });
      this.#stopWatch = stop;
    });
  }

  /** A watch that was opened tells what was missed; until then the mirror is behind. */
  async #catchUp(stop: () => void): Promise<void> {
    const { link, keys } = this.#deps;
    const isCaughtUp = async (): Promise<boolean> => {
      const [newest] = (await link.range(keys.newest())).kvs;
      return this.reached(Number(newest?.modRevision ?? 0n), CATCH_UP_MS);
    };
    const isDone = await isCaughtUp().catch(() => false);
    if (stop !== this.#stopWatch) return;
    if (isDone) this.#touchWhile(() => (this.#isWatching = true));
    else stop();
  }

  /** A commit that deletes without our mark is the end of a lease, if there was one. */
  #apply({ revision, isMarked, puts, deletes }: EtcdCommit): void {
    if (revision <= this.#revision) return;
    const changes: StoreChange[] = [];
    for (const key of deletes) {
      const entry = this.#entries.delete(key);
      if (entry === undefined) continue;
      changes.push({ kind: 'delete', entry, isExpired: !isMarked && entry.leaseId !== 0n });
    }
    for (const entry of puts) {
      this.#entries.put(entry);
      changes.push({ kind: 'put', entry });
    }
    this.feed.tell({ revision, changes });
    this.#reach(revision);
  }

  #reach(revision: number): void {
    this.#revision = revision;
    for (const waiter of this.#waiters) if (waiter.revision <= revision) waiter.wake();
  }

  // The pulse

  async #pulse(): Promise<void> {
    if (this.#isAsking) return;
    this.#isAsking = true;
    const { link, keys } = this.#deps;
    try {
      const { header } = await link.range({ key: keys.marker });
      this.#touchWhile(() => (this.#isAnswering = true));
      if (Number(header?.revision ?? 0n) < this.#revision) this.#startAnew();
    } catch {
      this.onSilence();
    } finally {
      this.#isAsking = false;
    }
  }

  #startAnew(): void {
    this.#deps.log?.warn('etcd has lost revisions; everything is read anew');
    this.#revision = 0;
    this.#isGap = true;
    this.#stopWatch();
  }

  /** Notes the last moment in touch, and tells when that begins and ends. */
  #touchWhile(change: () => void): void {
    const wasInTouch = this.ageMs === undefined;
    change();
    const isInTouch = this.ageMs === undefined;
    if (wasInTouch || isInTouch) this.#touchedAtMs = this.#deps.clock.monotonicMs();
    if (this.#closing.signal.aborted || wasInTouch === isInTouch) return;
    if (isInTouch) this.#onTouch();
    if (isInTouch) this.#deps.log?.info('the store is in touch with etcd');
    else this.#deps.log?.warn('the store is out of touch with etcd');
  }
}
