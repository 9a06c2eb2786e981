/**
 * The inbox and its readers. While somebody watches, every watcher gets each letter as it comes;
 * while nobody does, letters wait for the next watcher. What the last watcher did not read waits on,
 * and while a watcher has as much before it as an inbox may hold, letters are refused.
 */
import { HEARTBEAT_MS } from '../limits.js';
import { WatchQueue, type WatchItem } from '../rpc/watch-queue.js';
import type { Clock } from '../system/clock.js';
import { Inbox, type InboxLimits } from './core/inbox.js';
import type { Letter } from './core/messages.js';

export type InboxKeeperDeps = { readonly clock: Clock; readonly limits: InboxLimits };

export class InboxKeeper {
  readonly #clock: Clock;
  readonly #inbox: Inbox;
  readonly #eventsMax: number;
  readonly #watchers = new Set<WatchQueue<Letter>>();

  constructor({ clock, limits }: InboxKeeperDeps) {
    this.#clock = clock;
    this.#inbox = new Inbox(limits);
    this.#eventsMax = 2 * limits.lettersMax;
  }

  /** Takes a letter; a repeat is acknowledged and not handed out again. */
  deliver(letter: Letter): 'delivered' | 'inbox-full' {
    const watchers = [...this.#watchers];
    const isWatched = watchers.length > 0;
    if (watchers.some((watcher) => this.#inbox.isFullWith(watcher.unread()))) return 'inbox-full';
    const offered = isWatched ? this.#inbox.passOn(letter) : this.#inbox.keep(letter);
    if (offered === 'full') return 'inbox-full';
    if (offered === 'new') for (const watcher of this.#watchers) watcher.push(letter);
    return 'delivered';
  }

  /** First a quiet item, then what waited, then each letter as it comes. */
  async *watch(signal: AbortSignal): AsyncGenerator<WatchItem<Letter>, void, void> {
    const queue = new WatchQueue<Letter>({
      clock: this.#clock,
      signal,
      heartbeatMs: HEARTBEAT_MS,
      eventsMax: this.#eventsMax,
    });
    for (const letter of this.#inbox.takeAll()) queue.push(letter);
    this.#watchers.add(queue);
    try {
      yield { sequence: 1, observedAtMs: this.#clock.now(), event: undefined };
      for await (const item of queue.items()) yield { ...item, sequence: item.sequence + 1 };
    } finally {
      this.#watchers.delete(queue);
      if (this.#watchers.size === 0) this.#inbox.giveBack(queue.unread());
    }
  }
}
