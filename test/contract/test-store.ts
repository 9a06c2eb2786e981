import type { Store } from '../../services/storage/store.js';

/** A store for one test, gone after it. */
export type TestStore = AsyncDisposable & {
  readonly store: Store;
  /** A short lease of this store. */
  readonly ttlMs: number;
  /** Lets so much of the store's time pass. */
  readonly pass: (ms: number) => Promise<void>;
};
