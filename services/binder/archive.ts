/**
 * The endpoints of a binder in a store, one entry each: what brings them back after a restart.
 *
 * | key                                                     | value                  |
 * | ------------------------------------------------------- | ---------------------- |
 * | `binder/endpoint/` SHA-256 of service, line feed, address, hex | `EndpointState`, proto |
 *
 * What changes is written in batches; of an endpoint that changes twice meanwhile only the last state.
 * What could not be written is tried again, for as long as it takes.
 */
import { createHash } from 'node:crypto';
import type { Logger } from 'pino';
import { COMMIT_BYTES_MAX, COMMIT_OPERATIONS_MAX, LIST_LIMIT_MAX } from '../storage/bounds.js';
import type { Store, StoreWrite } from '../storage/store.js';
import type { Cancel, Clock } from '../system/clock.js';
import { turnEnd } from '../system/turn.js';
import { keyOfEndpoint, type Endpoint } from './core/endpoint.js';
import { decodeState, encodeState } from './wire-state.js';

const PREFIX = 'binder/endpoint/';
const RETRY_MS = 1_000;

export type EndpointArchiveDeps = {
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Logger;
};

type Waiter = { readonly resolve: () => void; readonly reject: (thrown: unknown) => void };

/** What is to be written under one key, and who waits for it. */
type Pending = { readonly write: StoreWrite; readonly waiters: Waiter[] };

export class EndpointArchive {
  readonly #deps: EndpointArchiveDeps;
  readonly #pending = new Map<string, Pending>();
  /** What is being written. */
  #underWay: ReadonlyMap<string, Pending> = new Map();
  #cancelRetry: Cancel | undefined;
  #writing: Promise<void> | undefined;

  constructor(deps: EndpointArchiveDeps) {
    this.#deps = deps;
  }

  /** How long ago the store was last in touch with its entries; undefined while it is. */
  get ageMs(): number | undefined {
    return this.#deps.store.ageMs;
  }

  /** What is in the store, and then what anyone writes to it. Ends when the signal says so. */
  async *follow(signal: AbortSignal): AsyncGenerator<readonly Endpoint[], void, void> {
    for await (const event of this.#deps.store.watch({ prefix: PREFIX }, signal)) {
      const changes = event.kind === 'commit' ? event.changes : [];
      const put = changes.flatMap((change) => (change.kind === 'put' ? [change.entry] : []));
      const entries = event.kind === 'snapshot' ? event.entries : put;
      yield entries.map(({ value }) => decodeState(value));
    }
  }

  async load(): Promise<readonly Endpoint[]> {
    const endpoints: Endpoint[] = [];
    let after: string | undefined;
    for (;;) {
      const limit = LIST_LIMIT_MAX;
      const entries = await this.#deps.store.list({ prefix: PREFIX, after, limit });
      for (const { value } of entries) endpoints.push(decodeState(value));
      if (entries.length < limit) return endpoints;
      after = entries.at(-1)?.key;
    }
  }

  /** Writes it, soon. */
  save(endpoint: Endpoint): void {
    const key = entryKey(endpoint);
    this.#put({ kind: 'put', key, value: encodeState(endpoint) });
  }

  /** Resolves when what was saved of an endpoint is durable; rejects when that failed for now. */
  async settled(endpoint: Endpoint): Promise<void> {
    const key = entryKey(endpoint);
    const pending = this.#pending.get(key) ?? this.#underWay.get(key);
    if (pending === undefined) return;
    await new Promise<void>((resolve, reject) => pending.waiters.push({ resolve, reject }));
  }

  /** Deletes it, soon. */
  forget(endpoint: Endpoint): void {
    this.#put({ kind: 'delete', key: entryKey(endpoint) });
  }

  /** Waits for what is being written. What can't be written is lost with this. */
  async close(): Promise<void> {
    this.#cancelRetry?.();
    await this.#writing;
    this.#cancelRetry?.();
  }

  #put(write: StoreWrite): void {
    const waiters = this.#pending.get(write.key)?.waiters ?? [];
    this.#pending.set(write.key, { write, waiters });
    this.#write();
  }

  #write(): void {
    this.#writing ??= this.#writeAll().finally(() => (this.#writing = undefined));
  }

  async #writeAll(): Promise<void> {
    // What is saved in one turn goes into one commit.
    await turnEnd();
    while (this.#pending.size > 0) {
      this.#underWay = this.#takeBatch();
      const batch = [...this.#underWay.values()];
      try {
        await this.#deps.store.commit({ conditions: [], writes: batch.map(({ write }) => write) });
        for (const { waiters } of batch) for (const { resolve } of waiters) resolve();
      } catch (thrown) {
        this.#tryLater(batch, thrown);
        return;
      } finally {
        this.#underWay = new Map();
      }
    }
  }

  #takeBatch(): ReadonlyMap<string, Pending> {
    const batch = new Map<string, Pending>();
    let bytes = 0;
    for (const [key, pending] of this.#pending) {
      const { write } = pending;
      bytes += key.length + (write.kind === 'put' ? write.value.length : 0);
      if (batch.size > 0 && bytes > COMMIT_BYTES_MAX) break;
      batch.set(key, pending);
      this.#pending.delete(key);
      if (batch.size >= COMMIT_OPERATIONS_MAX) break;
    }
    return batch;
  }

  /** Tells all who wait, and tries again later, unless something newer has come. */
  #tryLater(batch: readonly Pending[], err: unknown): void {
    const { clock, log } = this.#deps;
    for (const { write, waiters } of batch) {
      if (!this.#pending.has(write.key)) this.#pending.set(write.key, { write, waiters });
      else for (const { reject } of waiters.splice(0)) reject(err);
    }
    for (const { waiters } of this.#pending.values()) {
      for (const { reject } of waiters.splice(0)) reject(err);
    }
    log.warn({ err, endpoints: this.#pending.size }, 'endpoints could not be written yet');
    this.#cancelRetry?.();
    this.#cancelRetry = clock.after(RETRY_MS, () => this.#write());
  }
}

function entryKey(endpoint: Endpoint): string {
  return PREFIX + createHash('sha256').update(keyOfEndpoint(endpoint)).digest('hex');
}
