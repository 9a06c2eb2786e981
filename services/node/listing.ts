/**
 * Keeps a peer listed in the directory: enters each of its lives, renews the membership, and says once
 * when that fails and once when it works again.
 */
import type { Logger } from 'pino';
import { RingbinderError } from '../errors.js';
import type { PeerDriver } from '../peer/driver.js';
import type { Cancel, Clock } from '../system/clock.js';
import type { Directory } from './directory.js';

/** How long until the next try when the directory says no more than no. */
const RETRY_MS = 500;

export type ListingDeps = {
  readonly directory: Pick<Directory, 'join' | 'renew'>;
  readonly directoryAddress: string;
  readonly driver: Pick<PeerDriver, 'state' | 'onEvent'>;
  readonly renewIntervalMs: number;
  readonly clock: Clock;
  readonly log: Logger;
};

export class Listing {
  readonly #deps: ListingDeps;
  readonly #cancels: Cancel[] = [];
  #isEntered = false;
  #isRenewing = false;
  #isDirectoryLost = false;
  #endRetry: Cancel | undefined;

  constructor(deps: ListingDeps) {
    this.#deps = deps;
  }

  /** Resolves when the peer is listed, or could not be yet; from then on it is kept listed. */
  async start(): Promise<void> {
    const { driver, clock, renewIntervalMs } = this.#deps;
    const stopListening = driver.onEvent(({ kind }) => {
      if (kind === 'joined' || kind === 'founded') this.#onNewLife();
    });
    this.#cancels.push(
      stopListening,
      clock.every(renewIntervalMs, () => void this.#keep()),
    );
    await this.#keep();
  }

  stop(): void {
    this.#endRetry?.();
    for (const cancel of this.#cancels.splice(0)) cancel();
  }

  #onNewLife(): void {
    this.#isEntered = false;
    void this.#keep();
  }

  async #keep(): Promise<void> {
    const { directory, directoryAddress, driver, log } = this.#deps;
    if (this.#isRenewing || driver.state.stage !== 'member') return;
    this.#isRenewing = true;
    const { self } = driver.state;
    try {
      if (this.#isEntered) await directory.renew(self.ringId);
      else await directory.join(self);
      this.#isEntered = self === driver.state.self;
      if (this.#isDirectoryLost) log.info({ directoryAddress }, 'the directory answers again');
      this.#isDirectoryLost = false;
    } catch (thrown) {
      this.#onNotListed(RingbinderError.from(thrown));
    } finally {
      this.#isRenewing = false;
    }
  }

  #onNotListed({ reason, retryAfterMs }: RingbinderError): void {
    const { log, clock, directoryAddress } = this.#deps;
    if (reason === 'DIRECTORY_UNREACHABLE' || reason === 'STORE_UNREACHABLE') {
      if (!this.#isDirectoryLost) log.warn({ directoryAddress }, 'the directory does not answer');
      this.#isDirectoryLost = true;
      return;
    }
    this.#isEntered = false;
    log.debug({ reason }, 'not listed in the directory yet');
    this.#endRetry?.();
    if (this.#cancels.length === 0) return;
    this.#endRetry = clock.after(retryAfterMs ?? RETRY_MS, () => void this.#keep());
  }
}
