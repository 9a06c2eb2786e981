/**
 * Directory state: who has which ring ID, who is a member, what is registered.
 *
 * One interface, one contract suite (`test/contract/store-contract.ts`), several implementations.
 * Many nodes may share one store, so the only way to write is compare-and-set: read entries,
 * decide, and commit on the condition that what was read is still so. A caller that loses the
 * race gets `false`, reads again and decides again.
 *
 * An entry may have a lease: the store deletes it when nobody has renewed it for so long. Time in which
 * the store itself could not be reached or stood still does not count: everyone has a full lease then.
 *
 * A store that is somewhere else can be cut off. Then it answers from what it last saw and says how old
 * that is (`ageMs`), and refuses to change anything with `STORE_UNREACHABLE`, within 3 seconds.
 *
 * Bounds are in `bounds.ts`; a call beyond them rejects with a `RangeError` and changes nothing.
 */

/** One key with its value, as it was at one moment. */
export type StoreEntry = {
  readonly key: string;
  /** A copy: neither side sees what the other does to it later. */
  readonly value: Uint8Array;
  /**
   * Which commit wrote it. A later commit has a larger number, and a key that was deleted and put
   * again does not get an old number back: equal revisions of a key mean equal values.
   */
  readonly revision: number;
};

/** Which entries `Store.list` answers with. */
export type StoreListing = {
  /** Only keys that begin with it; empty means all. */
  readonly prefix: string;
  /** Only keys behind this one. It needs neither exist nor have the prefix. */
  readonly after?: string | undefined;
  /** At most this many, from 1 to `LIST_LIMIT_MAX`. */
  readonly limit: number;
};

/** What must hold for a commit to happen. */
export type StoreCondition =
  | { readonly kind: 'absent'; readonly key: string }
  | { readonly kind: 'unchanged'; readonly key: string; readonly revision: number };

/** One change. Deleting a key that is absent changes nothing. */
export type StoreWrite =
  | {
      readonly kind: 'put';
      readonly key: string;
      readonly value: Uint8Array;
      /**
       * How long the entry lives unless it is renewed; for good when undefined, whatever it had before.
       * A store may round it up to whole seconds, and to 2 seconds at least.
       */
      readonly ttlMs?: number | undefined;
    }
  | { readonly kind: 'delete'; readonly key: string };

/** Changes that happen together or not at all. No key is written twice in one commit. */
export type StoreCommit = {
  readonly conditions: readonly StoreCondition[];
  readonly writes: readonly StoreWrite[];
};

/** What happened to one entry. */
export type StoreChange =
  | { readonly kind: 'put'; readonly entry: StoreEntry }
  /** `entry` is the last one; `isExpired`: its lease ended, nobody deleted it. */
  | { readonly kind: 'delete'; readonly entry: StoreEntry; readonly isExpired: boolean };

/** What a watcher sees. */
export type StoreEvent =
  /** All entries, in the order of their keys. The first event; later ones replace all seen before. */
  | { readonly kind: 'snapshot'; readonly entries: readonly StoreEntry[] }
  /** All that one commit changed under the prefix: at least one change, each of another key. */
  | { readonly kind: 'commit'; readonly changes: readonly StoreChange[] };

export interface Store {
  /**
   * How many milliseconds ago the store was last in touch with its entries; undefined while it is.
   * Asked after `get` or `list`, or about what a watch has told, it is the age of the answer.
   */
  readonly ageMs: number | undefined;

  /**
   * Answers with the entry of a key, or undefined. Sees every commit that resolved before the
   * call, and never one that is not durable yet; cut off, it answers from what was last seen.
   */
  get(key: string): Promise<StoreEntry | undefined>;

  /**
   * Answers with entries in the order of their keys, **compared as UTF-8 bytes**: that is the order
   * of code points, and not the order of JavaScript's `<`, which puts U+10000 before U+FFFF. One
   * answer shows one moment; two pages may show two. Fewer than `limit` entries means that there
   * are no more.
   */
  list(listing: StoreListing): Promise<readonly StoreEntry[]>;

  /**
   * Applies all writes if all conditions hold, in one step that no reader sees half of.
   *
   * Resolves true when the writes are applied and durable: on disk for a store that has one, so
   * that neither kill -9 nor power loss takes them back. Resolves false when a condition did not
   * hold; nothing was changed then. When it rejects with anything but a `RangeError`, the caller
   * doesn't know which of the two happened and must read again. Cut off, it rejects with
   * `STORE_UNREACHABLE` within 3 seconds.
   */
  commit(commit: StoreCommit): Promise<boolean>;

  /**
   * Lets an entry live for its `ttlMs` from now on. Resolves false when there is no such entry, or when
   * it has no lease. Cut off, it rejects like `commit`.
   */
  renew(key: string): Promise<boolean>;

  /**
   * Yields a snapshot of the entries whose keys have the prefix, then every commit that changes them, in
   * the order of commits. A commit is with the watchers before it resolves to who made it. Another
   * snapshot comes when the watcher is too slow, or when the store can't tell what it missed. Ends when
   * the signal says so, or with the store.
   */
  watch(
    scope: { readonly prefix: string },
    signal: AbortSignal,
  ): AsyncGenerator<StoreEvent, void, void>;

  /** Waits for commits under way, then lets go of everything. Later calls reject; closing doesn't. */
  close(): Promise<void>;
}
