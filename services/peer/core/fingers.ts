/**
 * The finger table (Chord, section 4.3): for each power of two, the owner of the position that far
 * away. Speed only; nothing correct rests on it.
 *
 * Fingers that fall within the successor list need no lookup, and one lookup settles every finger up
 * to the owner it found, so a peer of a ring of N looks up about log2 N of them.
 */
import { clockwise, distance, isSameLife, type PeerRef, type RingId } from './ring-space.js';

export class Fingers {
  readonly #self: PeerRef;
  readonly #ringSize: number;
  readonly #byPower = new Map<number, PeerRef>();
  #power = 0;

  constructor(self: PeerRef, ringSize: number) {
    this.#self = self;
    this.#ringSize = ringSize;
  }

  /** Every distinct finger is in it; some are in it more than once. */
  peers(): Iterable<PeerRef> {
    return this.#byPower.values();
  }

  /** The table as watchers see it, smallest power first. */
  entries(): readonly { readonly start: RingId; readonly peer: PeerRef }[] {
    const powers = [...this.#byPower].sort(([one], [other]) => one - other);
    return powers.map(([power, peer]) => ({ start: this.#start(power), peer }));
  }

  /**
   * The next position to look up, going round the table; undefined once a round is complete.
   * `successors` are settled without a lookup.
   */
  next(successors: readonly PeerRef[]): RingId | undefined {
    const last = successors.at(-1);
    if (last === undefined) {
      this.#power = 0;
      return undefined;
    }
    const covered = distance(this.#self.ringId, last.ringId, this.#ringSize);
    while (2 ** this.#power <= covered) {
      this.#byPower.delete(this.#power);
      this.#power += 1;
    }
    if (2 ** this.#power < this.#ringSize) return this.#start(this.#power);
    this.#power = 0;
    return undefined;
  }

  /** Takes the owner of the position that `next` returned. */
  store(owner: PeerRef | undefined): void {
    const reach =
      owner === undefined ? 0 : distance(this.#self.ringId, owner.ringId, this.#ringSize);
    if (owner === undefined || reach === 0) {
      this.#byPower.delete(this.#power);
      this.#power += 1;
      return;
    }
    do {
      this.#byPower.set(this.#power, owner);
      this.#power += 1;
    } while (2 ** this.#power <= reach && 2 ** this.#power < this.#ringSize);
  }

  forget(gone: PeerRef): void {
    for (const [power, peer] of this.#byPower) {
      if (isSameLife(peer, gone)) this.#byPower.delete(power);
    }
  }

  #start(power: number): RingId {
    return clockwise(this.#self.ringId, 2 ** power, this.#ringSize);
  }
}
