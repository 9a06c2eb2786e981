/**
 * The guests of a node: legacy programs that it runs as members of the ring, in their names.
 *
 * A guest is a peer like any other, with neighbours, an inbox of its own and a place in the directory;
 * its questions and answers go through its host, and end with it. The keepers of the table pass it by.
 */
import type { Logger } from 'pino';
import { RingbinderError } from '../errors.js';
import type { Letter } from '../peer/core/messages.js';
import type { PeerRef, RingId } from '../peer/core/ring-space.js';
import type { PeerDriver } from '../peer/driver.js';
import type { PeerFace } from '../peer/face.js';
import { pause, within, type Clock } from '../system/clock.js';
import { ringIdTaken } from '../welcome/refusals.js';
import type { Directory } from './directory.js';
import { Listing } from './listing.js';

/** How long a guest may take to find its place. */
const ENTER_MS_MAX = 10_000;
const LOOK_EVERY_MS = 50;
const LEAVE_MS_MAX = 1_000;

export type Deliver = (letter: Letter) => 'delivered' | 'inbox-full';

export type GuestsDeps = {
  readonly face: PeerFace;
  readonly directory: Directory;
  readonly directoryAddress: string;
  /** Makes a peer that answers nobody before the face knows it. */
  readonly createDriver: (self: PeerRef, deliver: Deliver) => PeerDriver;
  readonly guestsMax: number;
  readonly renewIntervalMs: number;
  readonly clock: Clock;
  readonly log: Logger;
};

type Guest = { readonly driver: PeerDriver; readonly listing: Listing };

export class Guests {
  readonly #deps: GuestsDeps;
  readonly #guests = new Map<RingId, Guest>();
  readonly #closing = new AbortController();

  constructor(deps: GuestsDeps) {
    this.#deps = deps;
  }

  /** Ring IDs, in the order in which they came. */
  get ringIds(): readonly RingId[] {
    return [...this.#guests.keys()];
  }

  get(ringId: RingId): PeerDriver | undefined {
    return this.#guests.get(ringId)?.driver;
  }

  /**
   * Makes a guest a member; resolves when it is one, or when there is no room for it. Throws
   * `RING_ID_TAKEN`, `RING_ID_UNASSIGNED` when the address has another ring ID, or why it could not
   * enter within 10 s.
   */
  async take(ringId: RingId, address: string, deliver: Deliver): Promise<'member' | 'full'> {
    const { face, clock, log } = this.#deps;
    if (this.#guests.has(ringId)) throw ringIdTaken(ringId, address);
    if (this.#guests.size >= this.#deps.guestsMax || this.#closing.signal.aborted) return 'full';
    const host = face.seat.driver.state.self.address;
    const self: PeerRef = { ringId, address, incarnation: clock.now(), host };
    const driver = this.#deps.createDriver(self, deliver);
    const listing = new Listing({ ...this.#deps, driver });
    this.#guests.set(ringId, { driver, listing });
    face.addGuest(driver);
    try {
      await this.#enter(driver);
    } catch (thrown) {
      await this.end(ringId);
      throw thrown;
    }
    await listing.start();
    log.info({ guest: self }, 'took in a guest');
    return 'member';
  }

  /** Takes a guest out of the ring and the directory; false when it is not one of ours. */
  async end(ringId: RingId): Promise<boolean> {
    const guest = this.#guests.get(ringId);
    if (guest === undefined) return false;
    const { directory, face, clock, log } = this.#deps;
    this.#guests.delete(ringId);
    guest.listing.stop();
    const told = [directory.leave(ringId).catch(() => undefined), guest.driver.leave()];
    await within(clock, LEAVE_MS_MAX, Promise.all(told));
    guest.driver.stop();
    face.removeGuest(ringId);
    log.info({ guest: guest.driver.state.self }, 'a guest is gone');
    return true;
  }

  /** Ends all, and takes in no more. */
  async close(): Promise<void> {
    this.#closing.abort();
    await Promise.all(this.ringIds.map(async (ringId) => this.end(ringId)));
    this.#deps.directory.close();
  }

  async #enter(driver: PeerDriver): Promise<void> {
    const { clock, face } = this.#deps;
    const endMs = clock.monotonicMs() + ENTER_MS_MAX;
    const contacts = await this.#admit(driver.state.self, endMs);
    driver.join([face.seat.driver.state.self, ...contacts]);
    while (driver.state.stage !== 'member') {
      if (clock.monotonicMs() > endMs || this.#closing.signal.aborted) throw noPlace();
      await pause(clock, LOOK_EVERY_MS, this.#closing.signal);
    }
  }

  /** One peer after the other is let into a small ring: some have to ask more than once. */
  async #admit(self: PeerRef, endMs: number): Promise<readonly PeerRef[]> {
    const { directory, clock } = this.#deps;
    for (;;) {
      try {
        return (await directory.join(self)).contacts;
      } catch (thrown) {
        const { reason, retryAfterMs = LOOK_EVERY_MS } = RingbinderError.from(thrown);
        const mayWait = clock.monotonicMs() + retryAfterMs < endMs;
        if (reason !== 'RING_FORMING' || !mayWait || this.#closing.signal.aborted) throw thrown;
        await pause(clock, retryAfterMs, this.#closing.signal);
      }
    }
  }
}

function noPlace(): RingbinderError {
  const text = 'the guest found no place in the ring in time';
  return new RingbinderError('LOOKUP_FAILED', text, {}, { retryAfterMs: 1_000 });
}
