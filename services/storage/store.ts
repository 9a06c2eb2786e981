/**
 * Directory state: who has which ring ID, who is a member, what is registered.
 *
 * One interface, one contract suite (`test/contract/store-contract.ts`), several implementations.
 * Many nodes may share one store, so the only way to write is compare-and-set: read entries,
 * decide, and commit on the condition that what was read is still so. A caller that loses the
 * race gets `false`, reads again and decides again.
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
  | { readonly kind: 'put'; readonly key: string; readonly value: Uint8Array }
  | { readonly kind: 'delete'; readonly key: string };

/** Changes that happen together or not at all. No key is written twice in one commit. */
export type StoreCommit = {
  readonly conditions: readonly StoreCondition[];
  readonly writes: readonly StoreWrite[];
};

export interface Store {
  /**
   * Answers with the entry of a key, or undefined. Sees every commit that resolved before the
   * call, and never one that is not durable yet.
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
   * doesn't know which of the two happened and must read again.
   */
  commit(commit: StoreCommit): Promise<boolean>;

  /** Waits for commits under way, then lets go of everything. Later calls reject; closing doesn't. */
  close(): Promise<void>;
}
