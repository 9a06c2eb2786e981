/**
 * Tells the watchers of a store what each commit changed.
 *
 * A watcher that lets too many commits wait gets a snapshot instead of them: nothing is buffered
 * without bound, and no watcher is cut off.
 */
import { copyOf } from './sorted-entries.js';
import type { StoreChange, StoreEntry, StoreEvent } from './store.js';

/** A watcher with more commits waiting than this gets a snapshot instead. */
const WAITING_MAX = 10_000;

/** Entries as they were at one moment: after the commit with this revision. */
export type Snapshot = { readonly revision: number; readonly entries: readonly StoreEntry[] };

/** What the commit with this revision changed. */
export type Changed = { readonly revision: number; readonly changes: readonly StoreChange[] };

type Watcher = {
  readonly prefix: string;
  /** Commits up to this revision are in the snapshot. */
  seenRevision: number;
  needsSnapshot: boolean;
  waiting: StoreEvent[];
  wake: () => void;
};

export class Feed {
  readonly #snapshotOf: (prefix: string) => Snapshot;
  readonly #watchers = new Set<Watcher>();
  #isClosed = false;

  /** `snapshotOf` returns what is there now; it may be ahead of what was told. */
  constructor(snapshotOf: (prefix: string) => Snapshot) {
    this.#snapshotOf = snapshotOf;
  }

  /** Tells a commit; to be called in the order of revisions. */
  tell({ revision, changes }: Changed): void {
    for (const watcher of this.#watchers) {
      if (watcher.needsSnapshot || revision <= watcher.seenRevision) continue;
      const seen = changes.filter(({ entry }) => entry.key.startsWith(watcher.prefix));
      if (seen.length === 0) continue;
      if (watcher.waiting.length >= WAITING_MAX) renew(watcher);
      else watcher.waiting.push({ kind: 'commit', changes: seen.map(copyOfChange) });
      watcher.wake();
    }
  }

  /** Tells everyone a snapshot next, in place of what waits. */
  retell(): void {
    for (const watcher of this.#watchers) {
      renew(watcher);
      watcher.wake();
    }
  }

  /** See `Store.watch`. */
  async *watch(prefix: string, signal: AbortSignal): AsyncGenerator<StoreEvent, void, void> {
    const watcher: Watcher = {
      prefix,
      seenRevision: 0,
      needsSnapshot: true,
      waiting: [],
      wake: () => undefined,
    };
    const onAbort = (): void => watcher.wake();
    signal.addEventListener('abort', onAbort);
    this.#watchers.add(watcher);
    try {
      while (!signal.aborted && !this.#isClosed) {
        const event = this.#next(watcher);
        if (event !== undefined) yield event;
        else await new Promise<void>((wake) => (watcher.wake = wake));
      }
    } finally {
      signal.removeEventListener('abort', onAbort);
      this.#watchers.delete(watcher);
    }
  }

  /** Ends all watches. */
  close(): void {
    this.#isClosed = true;
    for (const watcher of this.#watchers) watcher.wake();
  }

  #next(watcher: Watcher): StoreEvent | undefined {
    if (!watcher.needsSnapshot) return watcher.waiting.shift();
    const { revision, entries } = this.#snapshotOf(watcher.prefix);
    watcher.needsSnapshot = false;
    watcher.seenRevision = revision;
    return { kind: 'snapshot', entries };
  }
}

function renew(watcher: Watcher): void {
  watcher.needsSnapshot = true;
  watcher.waiting = [];
}

/** Watchers must not see what others do to a value. */
function copyOfChange(change: StoreChange): StoreChange {
  const entry = copyOf(change.entry);
  return change.kind === 'put'
    ? { kind: 'put', entry }
    : { kind: 'delete', entry, isExpired: change.isExpired };
}
