/**
 * The bounded queue between a source of events, which does not wait, and one watcher's stream.
 *
 * A watcher that lets more events pile up than the bound is cut off with `WATCHER_TOO_SLOW`. A quiet
 * queue says so at every heartbeat interval. The watcher's signal ends it.
 */
import { RingbinderError } from '../errors.js';
import type { Clock } from '../system/clock.js';

export type WatchQueueOptions = {
  readonly clock: Clock;
  /** Ends the watch: the caller went away, or its deadline passed. */
  readonly signal: AbortSignal;
  /** Longest silence before a `quiet` item. */
  readonly heartbeatMs: number;
  /** Most events waiting. */
  readonly eventsMax: number;
};

/** What a watcher sees next; `sequence` counts the items of this watch from 1, without gaps. */
export type WatchItem<Event> = {
  readonly sequence: number;
  readonly observedAtMs: number;
  /** Undefined: nothing happened for a heartbeat interval. */
  readonly event: Event | undefined;
};

type Waiting<Event> = { readonly event: Event; readonly observedAtMs: number };

export class WatchQueue<Event> {
  readonly #options: WatchQueueOptions;
  #waiting: Waiting<Event>[] = [];
  #failure: RingbinderError | undefined;
  #wake: () => void = () => undefined;

  constructor(options: WatchQueueOptions) {
    this.#options = options;
  }

  /** What no item has shown yet, oldest first. */
  unread(): readonly Event[] {
    return this.#waiting.map(({ event }) => event);
  }

  /** Adds an event; the watcher is cut off when there is no room. */
  push(event: Event): void {
    const { clock, eventsMax } = this.#options;
    if (this.#failure !== undefined) return;
    if (this.#waiting.length >= eventsMax) return this.fail(tooSlow(eventsMax));
    this.#waiting.push({ event, observedAtMs: clock.now() });
    this.#wake();
  }

  /** Ends the watch with an error, and without what waits. */
  fail(error: RingbinderError): void {
    this.#failure ??= error;
    this.#waiting = [];
    this.#wake();
  }

  /** Every event, in order, with heartbeats between; ends when the signal says so. */
  async *items(): AsyncGenerator<WatchItem<Event>, void, void> {
    const { clock, signal } = this.#options;
    let sequence = 0;
    while (!signal.aborted) {
      if (this.#waiting.length === 0 && this.#failure === undefined) {
        if (await this.#isQuiet()) {
          sequence += 1;
          yield { sequence, observedAtMs: clock.now(), event: undefined };
        }
        continue;
      }
      if (this.#failure !== undefined) throw this.#failure;
      const next = this.#waiting.shift();
      if (next === undefined) continue;
      sequence += 1;
      yield { sequence, ...next };
    }
  }

  /** Waits for an event, the end, or a heartbeat interval; true only after the last. */
  async #isQuiet(): Promise<boolean> {
    const { clock, signal, heartbeatMs } = this.#options;
    return new Promise((resolve) => {
      const finish = (isQuiet: boolean): void => {
        cancel();
        signal.removeEventListener('abort', onAbort);
        this.#wake = () => undefined;
        resolve(isQuiet);
      };
      const onAbort = (): void => finish(false);
      const cancel = clock.after(heartbeatMs, () => finish(true));
      this.#wake = () => finish(false);
      signal.addEventListener('abort', onAbort);
    });
  }
}

function tooSlow(eventsMax: number): RingbinderError {
  const text = `more than ${eventsMax} events waited for this watcher`;
  return new RingbinderError('WATCHER_TOO_SLOW', text, { eventsMax: String(eventsMax) });
}
