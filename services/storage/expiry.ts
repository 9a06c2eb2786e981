/** Ends leases at their time, for the stores that keep them in this process. */
import type { Cancel, Clock } from '../system/clock.js';
import { Leases } from './core/leases.js';

export class Expiry {
  readonly #clock: Clock;
  readonly #onEnded: (key: string) => void;
  readonly #leases = new Leases();
  #timer: { readonly cancel: Cancel; readonly dueMs: number } | undefined;
  #isClosed = false;

  /** `onEnded` is told each key whose lease has ended. */
  constructor(clock: Clock, onEnded: (key: string) => void) {
    this.#clock = clock;
    this.#onEnded = onEnded;
  }

  /** Follows a put: a lease from now on in place of the one before, or none. */
  put(key: string, ttlMs: number | undefined): void {
    if (ttlMs === undefined) return this.remove(key);
    this.#leases.grant(key, ttlMs, this.#clock.monotonicMs());
    this.#setTimer();
  }

  /** Gives a full lease from now on; false when the key has none any more. */
  renew(key: string): boolean {
    this.endDue();
    const isRenewed = this.#leases.renew(key, this.#clock.monotonicMs());
    this.#setTimer();
    return isRenewed;
  }

  remove(key: string): void {
    this.#leases.remove(key);
  }

  /** Ends what has ended by now, however late the timer is. */
  endDue(): void {
    if (this.#isClosed) return;
    for (const key of this.#leases.takeEnded(this.#clock.monotonicMs())) this.#onEnded(key);
  }

  /** Leases end no more, and no timer runs. */
  close(): void {
    this.#isClosed = true;
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  /** One timer, for the lease that ends next; renewing that one leaves it to find nothing to do. */
  #setTimer(): void {
    const endMs = this.#leases.nextEndMs();
    if (this.#isClosed || endMs === undefined) return;
    if (this.#timer !== undefined && this.#timer.dueMs <= endMs) return;
    this.#timer?.cancel();
    const waitMs = Math.max(0, Math.ceil(endMs - this.#clock.monotonicMs()));
    const cancel = this.#clock.after(waitMs, () => {
      this.#timer = undefined;
      this.endDue();
      this.#setTimer();
    });
    this.#timer = { cancel, dueMs: endMs };
  }
}
