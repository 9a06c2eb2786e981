/**
 * Calls to the services, of which only so many are under way at once; what ends after the session has
 * closed is heard by nobody. Puts, which wait for the disk, take no room from Gets.
 */
import type { Stop, ValueCalls } from '../core/session.js';

export class BoundedCalls implements ValueCalls {
  readonly #calls: ValueCalls;
  readonly #callsMax: number;
  #puts = 0;
  #gets = 0;
  #isClosed = false;

  constructor(calls: ValueCalls, callsMax: number) {
    this.#calls = calls;
    this.#callsMax = callsMax;
  }

  get underWay(): number {
    return this.#puts + this.#gets;
  }

  /** Whoever calls `put` has asked this before. */
  get hasRoomToPut(): boolean {
    return this.#puts < this.#callsMax;
  }

  /** Whoever calls `get` has asked this before. */
  get hasRoomToGet(): boolean {
    return this.#gets < this.#callsMax;
  }

  put(key: string, value: Uint8Array, ttlMs: number, done: (isDone: boolean) => void): void {
    this.#puts += 1;
    this.#calls.put(key, value, ttlMs, (isDone) => {
      this.#puts -= 1;
      if (!this.#isClosed) done(isDone);
    });
  }

  get(key: string, found: (value: Uint8Array | null | undefined) => void): void {
    this.#gets += 1;
    this.#calls.get(key, (value) => {
      this.#gets -= 1;
      if (!this.#isClosed) found(value);
    });
  }

  want(key: string, changed: (value: Uint8Array) => void): Stop {
    return this.#calls.want(key, (value) => {
      if (!this.#isClosed) changed(value);
    });
  }

  close(): void {
    this.#isClosed = true;
  }
}
