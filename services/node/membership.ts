/**
 * How a node gets into its ring, stays in the directory, and leaves.
 *
 * Entering: find the ring, get a ring ID, be admitted by the directory, join. A node that was in a
 * ring before comes back through whom it remembers, with or without the directory; only when nobody
 * answers within `ALONE_AFTER_MS` does it take the ring up alone, and then it goes on asking after
 * the others. So a founder that restarts rejoins its own ring and founds no second one beside it.
 */
import type { Logger } from 'pino';
import { RingbinderError } from '../errors.js';
import { isGuest, type PeerRef } from '../peer/core/ring-space.js';
import type { PeerDriver } from '../peer/driver.js';
import { type Cancel, type Clock, onceAfter, pause, within } from '../system/clock.js';
import type { MembershipEvent } from '../welcome/keeper.js';
import type { Directory } from './directory.js';
import { Listing } from './listing.js';
import { followMembers, learnFromDirectory } from './member-feed.js';
import type { NodeMemory, Notebook } from './notebook.js';
import { findRing, type FoundRing, type Ring, type RingFinderDeps } from './ring-finder.js';
import { StartError } from './start-error.js';

/** How long a node that was in a ring looks for the others; the directory's node goes first. */
const ALONE_AFTER_MS = { withDirectory: 3_000, without: 10_000 } as const;
const RETRY_MS = 500;
/** How long one try to join may take before other contacts are asked for. */
const JOIN_TRY_MS = 3_000;
const SAVE_INTERVAL_MS = 5_000;
const LEAVE_MS_MAX = 1_000;

export type MembershipDeps = {
  readonly address: string;
  readonly join: readonly string[];
  readonly joinTimeoutMs: number;
  readonly renewIntervalMs: number;
  /** Whether the route cache is to follow the directory. */
  readonly isRouteCacheOn: boolean;
  readonly memory: NodeMemory | undefined;
  readonly notebook: Notebook;
  /** The ring whose directory this node holds; undefined when it holds none. */
  readonly ownRing: Ring | undefined;
  /** Whether other nodes hold that directory too. */
  readonly isShared: boolean;
  readonly finder: Omit<RingFinderDeps, 'ringName'>;
  readonly directoryOf: (ring: Ring) => Directory;
  /** The directory at a node that is in the ring: where we hold it too, that one sees who may come. */
  readonly entranceOf: (ring: Ring) => Directory;
  /** Members that the directory of this node knows, when it holds one. */
  readonly listedMembers: () => Promise<readonly PeerRef[]>;
  /** Makes this node a peer with this ring ID. */
  readonly openSeat: (ring: Ring, self: PeerRef) => PeerDriver;
  readonly clock: Clock;
  readonly log: Logger;
};

type Place = { readonly ring: Ring; readonly directory: Directory; readonly driver: PeerDriver };

export class Membership {
  readonly #deps: MembershipDeps;
  #place: Place | undefined;
  #saved = '';
  readonly #cancels: Cancel[] = [];
  readonly #leaving = new AbortController();

  constructor(deps: MembershipDeps) {
    this.#deps = deps;
  }

  /** Resolves when this node is a member; rejects with a `StartError`. */
  async enter(): Promise<PeerDriver> {
    const place = await this.#enter();
    await this.#save(place);
    const { ring, directory, driver } = place;
    const { directoryAddress } = ring;
    const listing = new Listing({ ...this.#deps, directory, directoryAddress, driver });
    await listing.start();
    this.#cancels.push(
      () => listing.stop(),
      this.#deps.clock.every(SAVE_INTERVAL_MS, () => void this.#save(place)),
    );
    if (this.#deps.isRouteCacheOn) this.#feedRoutes(place);
    return place.driver;
  }

  /** Leaves the directory and the ring, or gives up entering; bounded in time. */
  async leave(): Promise<void> {
    this.#leaving.abort();
    for (const cancel of this.#cancels.splice(0)) cancel();
    const place = this.#place;
    if (place === undefined) return;
    await this.#save(place);
    const { ringId } = place.driver.state.self;
    const told = [place.directory.leave(ringId).catch(() => undefined), place.driver.leave()];
    await within(this.#deps.clock, LEAVE_MS_MAX, Promise.all(told));
    place.driver.stop();
    place.directory.close();
  }

  // Entering

  async #enter(): Promise<Place> {
    const { ownRing, isShared } = this.#deps;
    if (ownRing === undefined) return this.#enterOther();
    return isShared ? this.#enterShared(ownRing) : this.#enterOwn(ownRing);
  }

  /** Through those whom the directory lists; the first of all founds the ring. */
  async #enterShared(ring: Ring): Promise<Place> {
    const { joinTimeoutMs, listedMembers, address } = this.#deps;
    const place = await this.#keepTrying(joinTimeoutMs, async () => {
      const listed = (await listedMembers()).map((peer) => peer.address);
      const others = listed.filter((it) => it !== address);
      const asked = [...others, ...this.#addressesToAsk().filter((it) => it !== address)];
      const entered = await this.#tryToEnter(asked, ring.name);
      return entered ?? (others.length === 0 ? this.#tryToFound(ring) : undefined);
    });
    if (place !== undefined) return place;
    throw new StartError(`no place in the ring ${ring.name} within ${joinTimeoutMs} ms`);
  }

  /** Whom the directory lets in while it lists nobody is the founder; it lets in only one. */
  async #tryToFound(ring: Ring): Promise<Place | undefined> {
    const place = (this.#place ??= await this.#firstPlace(ring));
    if (place === undefined) return undefined;
    const contacts = await this.#askForAdmission(place, { ...ring, members: [] });
    if (contacts === undefined || contacts.length > 0) return undefined;
    this.#standAlone(place, this.#deps.memory?.acquaintances ?? []);
    return place;
  }

  async #enterOwn(ring: Ring): Promise<Place> {
    const { memory, join, finder } = this.#deps;
    if (join.length > 0) await findRing(join, { ...finder, ringName: ring.name });
    const directory = this.#deps.directoryOf(ring);
    const ringId = await directory.assign(this.#deps.address);
    const place = this.#takePlace(ring, directory, ringId);
    const listed = await this.#deps.listedMembers();
    const known = [...(memory?.acquaintances ?? []), ...listed];
    const contacts = known.filter((peer) => peer.address !== this.#deps.address);
    if (contacts.length > 0) place.driver.join(contacts);
    const waitMs = contacts.length > 0 ? ALONE_AFTER_MS.withDirectory : 0;
    if (!(await this.#isMemberWithin(place.driver, waitMs))) this.#standAlone(place, contacts);
    return place;
  }

  async #enterOther(): Promise<Place> {
    const { memory, joinTimeoutMs, join } = this.#deps;
    const waitMs = memory === undefined ? joinTimeoutMs : ALONE_AFTER_MS.without;
    const place = await this.#keepTrying(waitMs, async () =>
      this.#tryToEnter(this.#addressesToAsk(), memory?.ringName),
    );
    if (place !== undefined) return place;
    if (memory !== undefined) return this.#takeUpAlone(memory);
    throw new StartError(
      `no ring could be joined through ${join.join(', ')} within ${joinTimeoutMs} ms`,
    );
  }

  /** Undefined when that takes longer. Throws a `StartError` when this node is to stop. */
  async #keepTrying(
    waitMs: number,
    tryOnce: () => Promise<Place | undefined>,
  ): Promise<Place | undefined> {
    const { clock, log } = this.#deps;
    const endMs = clock.monotonicMs() + waitMs;
    for (let tries = 1; clock.monotonicMs() < endMs && !this.#isLeaving; tries += 1) {
      const place = await tryOnce();
      if (place !== undefined) return place;
      log.warn({ tries, join: this.#addressesToAsk() }, 'not in the ring yet, trying again');
      await this.#pause(RETRY_MS);
    }
    if (this.#isLeaving) throw new StartError('stopped before a ring was joined');
    return undefined;
  }

  async #tryToEnter(
    addresses: readonly string[],
    ringName: string | undefined,
  ): Promise<Place | undefined> {
    const { finder, isShared, entranceOf } = this.#deps;
    const ring = await findRing(addresses, { ...finder, ringName });
    if (ring === undefined) return undefined;
    const place = (this.#place ??= await this.#firstPlace(this.#deps.ownRing ?? ring));
    if (place === undefined) return undefined;
    const directory = isShared ? entranceOf(ring) : place.directory;
    const contacts = await this.#askForAdmission({ ...place, directory }, ring);
    if (isShared) directory.close();
    if (contacts === undefined) return undefined;
    place.driver.join(contacts);
    return (await this.#isMemberWithin(place.driver, JOIN_TRY_MS)) ? place : undefined;
  }

  #addressesToAsk(): readonly string[] {
    const { join, memory } = this.#deps;
    const remembered = memory?.acquaintances.map(({ address }) => address) ?? [];
    return [...new Set([...join, ...(memory ? [memory.directoryAddress] : []), ...remembered])];
  }

  /** Gets the ring ID: from the directory, or from memory while that does not answer. */
  async #firstPlace(ring: Ring): Promise<Place | undefined> {
    const { address, memory, log } = this.#deps;
    const directory = this.#deps.directoryOf(ring);
    try {
      return this.#takePlace(ring, directory, await directory.assign(address));
    } catch (thrown) {
      const { reason } = RingbinderError.from(thrown);
      if (reason === 'RING_FULL') throw new StartError('the ring has no position left', thrown);
      if (memory?.address === address) return this.#takePlace(ring, directory, memory.ringId);
      directory.close();
      log.warn({ reason, directoryAddress: ring.directoryAddress }, 'no ring ID yet');
      return undefined;
    }
  }

  /** Returns whom to join through; undefined when it is not our turn yet. */
  async #askForAdmission(
    { directory, driver }: Place,
    { members }: FoundRing,
  ): Promise<readonly PeerRef[] | undefined> {
    try {
      const { contacts } = await directory.join(driver.state.self);
      return [...contacts, ...members].filter(({ ringId }) => ringId !== driver.state.self.ringId);
    } catch (thrown) {
      const { reason, retryAfterMs, text } = RingbinderError.from(thrown);
      if (reason === 'RING_ID_TAKEN') throw new StartError(text, thrown);
      if (reason === 'DIRECTORY_UNREACHABLE') return members;
      await this.#pause(retryAfterMs ?? RETRY_MS);
      return undefined;
    }
  }

  #takePlace(ring: Ring, directory: Directory, ringId: number): Place {
    const { address, memory, clock, openSeat } = this.#deps;
    const incarnation = Math.max((memory?.incarnation ?? 0) + 1, clock.now());
    const driver = openSeat(ring, { ringId, address, incarnation });
    this.#place = { ring, directory, driver };
    return this.#place;
  }

  #takeUpAlone(memory: NodeMemory): Place {
    const { ringName: name, ringSize: size, successorsMax, copies, directoryAddress } = memory;
    const ring = { name, size, successorsMax, copies, directoryAddress };
    if (memory.address !== this.#deps.address) {
      throw new StartError(`nobody answers of the ring ${name}, which this node knew`);
    }
    const directory = this.#deps.directoryOf(ring);
    const place = this.#place ?? this.#takePlace(ring, directory, memory.ringId);
    this.#standAlone(place, memory.acquaintances);
    return place;
  }

  #standAlone({ driver }: Place, others: readonly PeerRef[]): void {
    driver.found();
    driver.seek(others);
    if (others.length === 0) return;
    this.#deps.log.warn(
      { others: others.length },
      'nobody of the ring answers: alone until they do',
    );
  }

  async #isMemberWithin(driver: PeerDriver, ms: number): Promise<boolean> {
    if (driver.state.stage === 'member') return true;
    return new Promise((resolve) => {
      const cancelListening = driver.onEvent(({ kind }) => {
        if (kind === 'joined') finish();
      });
      const { clock } = this.#deps;
      const finish = onceAfter(clock, ms, this.#leaving.signal, () => {
        cancelListening();
        resolve(driver.state.stage === 'member');
      });
    });
  }

  // Staying

  #feedRoutes({ directory, driver }: Place): void {
    const { clock, log } = this.#deps;
    const { signal } = this.#leaving;
    const told = (event: MembershipEvent): void => learnFromDirectory(driver.routes, event);
    void followMembers({ directory, told, clock, log, signal });
  }

  async #save({ ring, driver }: Place): Promise<void> {
    const { ringId, address, incarnation } = driver.state.self;
    const memory: NodeMemory = {
      ringName: ring.name,
      ringSize: ring.size,
      successorsMax: ring.successorsMax,
      copies: ring.copies,
      address,
      ringId,
      incarnation,
      holdsDirectory: this.#deps.ownRing !== undefined && !this.#deps.isShared,
      directoryAddress: ring.directoryAddress,
      // A guest ends with its host, and is known to nobody else by its address.
      acquaintances: driver.acquaintances.filter((peer) => !isGuest(peer)),
    };
    const text = JSON.stringify(memory);
    if (text === this.#saved) return;
    await this.#deps.notebook.write(memory);
    this.#saved = text;
  }

  get #isLeaving(): boolean {
    return this.#leaving.signal.aborted;
  }

  async #pause(ms: number): Promise<void> {
    await pause(this.#deps.clock, ms, this.#leaving.signal);
  }
}
