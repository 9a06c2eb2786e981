/**
 * The keys that somebody on this node waits for, and what is known of each.
 *
 * A wanted key is read again and again at the peers that keep it, whoever they are by then; each read
 * also renews the interest there, so that changes come at once in between. So a want follows its key
 * from owner to owner, and an event that was lost is made up for by the next read.
 */
import type { PeerRef } from '../../peer/core/ring-space.js';
import type { TableTalk } from './messages.js';
import { readRecords } from './read.js';
import { isLive, merge, type TableRecord } from './record.js';
import type { Quorum, ReplicaSet } from './replica-set.js';
import type { TableClock } from './table-clock.js';
import { compareVersions } from './version.js';

/** Time between two reads of a wanted key. */
const RENEW_MS = 4_000;
const RETRY_MS = 500;
/** A want whose key could not be read for so long ends. */
export const UNREAD_MS_MAX = 30_000;

/** What the key is now; `absent` when there is nothing, and never was as far as is known. */
export type WantedState =
  | { readonly kind: 'value'; readonly record: TableRecord }
  | { readonly kind: 'deleted'; readonly record: TableRecord; readonly isExpired: boolean }
  | { readonly kind: 'absent' };

export type WantListener = {
  /** The first one comes when the key has been read; then one for each change. */
  readonly changed: (state: WantedState) => void;
  /** Nobody keeps the key who could be asked; nothing follows. */
  readonly failed: () => void;
};

export type WantsDeps = {
  readonly clock: TableClock;
  readonly self: () => PeerRef;
  readonly quorum: () => Quorum;
  readonly findSet: (key: string, done: (set: ReplicaSet | undefined) => void) => void;
  readonly start: <Result>(talk: TableTalk<Result>, done: (result: Result) => void) => void;
};

type Want = {
  readonly listeners: Set<WantListener>;
  state: WantedState | undefined;
  readAtMs: number;
  renewAtMs: number;
  isReading: boolean;
};

export class Wants {
  readonly #deps: WantsDeps;
  readonly #wants = new Map<string, Want>();

  constructor(deps: WantsDeps) {
    this.#deps = deps;
  }

  /** Keys that are wanted. */
  get count(): number {
    return this.#wants.size;
  }

  /** Returns how to stop listening. */
  add(key: string, listener: WantListener): () => void {
    const nowMs = this.#deps.clock.steadyMs();
    const want: Want = this.#wants.get(key) ?? {
      listeners: new Set(),
      state: undefined,
      readAtMs: nowMs,
      renewAtMs: nowMs,
      isReading: false,
    };
    this.#wants.set(key, want);
    want.listeners.add(listener);
    if (want.state !== undefined) listener.changed(want.state);
    else this.#read(key, want);
    return () => {
      want.listeners.delete(listener);
      if (want.listeners.size === 0 && this.#wants.get(key) === want) this.#wants.delete(key);
    };
  }

  /** A peer says that the record has changed. */
  hear(record: TableRecord): void {
    const want = this.#wants.get(record.key);
    if (want !== undefined && record.address === undefined) this.#take(want, record);
  }

  tick(): void {
    const { clock } = this.#deps;
    const nowMs = clock.steadyMs();
    for (const [key, want] of this.#wants) {
      const { state } = want;
      if (state?.kind === 'value' && !isLive(state.record, clock.wallMs())) {
        this.#set(want, { kind: 'deleted', record: state.record, isExpired: true });
      }
      if (nowMs - want.readAtMs > UNREAD_MS_MAX) this.#fail(key, want);
      else if (nowMs >= want.renewAtMs) this.#read(key, want);
    }
  }

  #fail(key: string, { listeners }: Want): void {
    this.#wants.delete(key);
    for (const listener of [...listeners]) listener.failed();
  }

  #read(key: string, want: Want): void {
    if (want.isReading) return;
    const { self, findSet, start } = this.#deps;
    want.isReading = true;
    const end = (isRead: boolean): void => {
      const nowMs = this.#deps.clock.steadyMs();
      want.isReading = false;
      want.renewAtMs = nowMs + (isRead ? RENEW_MS : RETRY_MS);
      if (isRead) want.readAtMs = nowMs;
    };
    findSet(key, (set) => {
      if (set === undefined) return end(false);
      const quorum = this.#deps.quorum();
      const target = { kind: 'watched', key } as const;
      start(readRecords(target, self(), set.peers, quorum), ({ counted, records: [record] }) => {
        const isRead = counted >= quorum.required;
        end(isRead);
        if (record !== undefined) this.#take(want, record);
        else if (isRead && want.state === undefined) this.#set(want, { kind: 'absent' });
      });
    });
  }

  #take(want: Want, record: TableRecord): void {
    const known = want.state?.kind === 'absent' ? undefined : want.state?.record;
    const newest = known === undefined ? record : merge(known, record);
    if (known !== undefined && compareVersions(newest.version, known.version) === 0) return;
    const isDead = !isLive(newest, this.#deps.clock.wallMs());
    if (!isDead) return this.#set(want, { kind: 'value', record: newest });
    // That a key is gone is news only to those who knew it.
    if (want.state === undefined || want.state.kind === 'absent') {
      if (want.state === undefined) this.#set(want, { kind: 'absent' });
      return;
    }
    const isExpired = newest.content.kind !== 'deleted';
    if (want.state.kind === 'value')
      this.#set(want, { kind: 'deleted', record: newest, isExpired });
  }

  #set(want: Want, state: WantedState): void {
    want.state = state;
    for (const listener of [...want.listeners]) listener.changed(state);
  }
}
