/** The legacy peers that this node has taken in: the member that each is, and the way to its program. */
import { exchangeLine } from '../../legacy/line-client.js';
import type { RingNeighbor } from '../../legacy/core/session.js';
import { GuestLine } from '../../legacy/ring/guest-line.js';
import { guestAddress } from '../../legacy/ring/guest-name.js';
import { RingbinderError } from '../../errors.js';
import type { Guests } from '../../node/guests.js';
import { INBOX_LIMITS } from '../../limits.js';
import { Inbox } from '../../peer/core/inbox.js';
import type { Letter } from '../../peer/core/messages.js';
import type { RingId } from '../../peer/core/ring-space.js';
import type { PeerDriver } from '../../peer/driver.js';
import { systemClock, type Cancel } from '../../system/clock.js';

/** How long a guest may take to answer a line. */
const ANSWER_MS_MAX = 5_000;
/** How often guests are told of neighbours that have changed. */
const LOOK_EVERY_MS = 1_000;

export type GuestHouseDeps = {
  readonly guests: Guests;
  /** The port on which all of them listen. */
  readonly peerPort: () => number;
  /** Who sent a message, as guests see it. */
  readonly senderHost: (ringId: RingId) => string;
  /** A neighbour, as guests see it. */
  readonly neighbor: (ringId: RingId) => RingNeighbor;
};

type Hosted = { readonly host: string; readonly line: GuestLine };

export class GuestHouse {
  readonly #deps: GuestHouseDeps;
  readonly #hosted = new Map<RingId, Hosted>();
  readonly #stopLooking: Cancel;

  constructor(deps: GuestHouseDeps) {
    this.#deps = deps;
    this.#stopLooking = systemClock.every(LOOK_EVERY_MS, () => this.#tellNeighbors());
  }

  get size(): number {
    return this.#hosted.size;
  }

  /** What the guest with a ring ID calls its host. */
  hostOf(ringId: RingId): string | undefined {
    return this.#hosted.get(ringId)?.host;
  }

  member(ringId: RingId): PeerDriver | undefined {
    return this.#deps.guests.get(ringId);
  }

  /** The member of the guest that calls its host so. */
  memberAt(host: string): PeerDriver | undefined {
    const [ringId] = [...this.#hosted].find(([, hosted]) => hosted.host === host) ?? [];
    return ringId === undefined ? undefined : this.member(ringId);
  }

  /** Resolves when the guest is a member, or there is no room; rejects with why it can't be one. */
  async takeIn(ringId: RingId, host: string): Promise<'member' | 'full'> {
    const line = new GuestLine({
      exchange: async (text) => this.#exchange(host, text),
      clock: systemClock,
      onDead: () => void this.end(ringId),
    });
    this.#hosted.set(ringId, { host, line });
    try {
      const outcome = await this.#enter(ringId, host, line);
      if (outcome === 'full') this.#forget(ringId);
      return outcome;
    } catch (thrown) {
      this.#forget(ringId);
      throw thrown;
    }
  }

  /** False when there is no such guest here. */
  async end(ringId: RingId): Promise<boolean> {
    this.#forget(ringId);
    return this.#deps.guests.end(ringId);
  }

  /** Says nothing more to anyone; the members end with the node. */
  close(): void {
    this.#stopLooking();
    for (const ringId of [...this.#hosted.keys()]) this.#forget(ringId);
  }

  /** Originals let a host have several ring IDs; in our ring each is an address of its own. */
  async #enter(ringId: RingId, host: string, line: GuestLine): Promise<'member' | 'full'> {
    const { guests } = this.#deps;
    const inbox = new Inbox(INBOX_LIMITS);
    const deliver = (letter: Letter): 'delivered' | 'inbox-full' => {
      if (line.isFull) return 'inbox-full';
      if (inbox.passOn(letter) === 'new') line.send(this.#messageOf(ringId, letter));
      return 'delivered';
    };
    try {
      return await guests.take(ringId, guestAddress(host), deliver);
    } catch (thrown) {
      if (RingbinderError.from(thrown).reason !== 'RING_ID_UNASSIGNED') throw thrown;
      return guests.take(ringId, guestAddress(host, ringId), deliver);
    }
  }

  #forget(ringId: RingId): void {
    this.#hosted.get(ringId)?.line.close();
    this.#hosted.delete(ringId);
  }

  #tellNeighbors(): void {
    const { neighbor } = this.#deps;
    for (const [ringId, { line }] of this.#hosted) {
      const state = this.member(ringId)?.state;
      if (state?.stage !== 'member') continue;
      const [successor = state.self] = state.successors;
      const { predecessor = successor } = state;
      line.neighborsAre({
        predecessor: neighbor(predecessor.ringId),
        successor: neighbor(successor.ringId),
      });
    }
  }

  #messageOf(to: RingId, { fromRingId, payload }: Letter) {
    const line = Buffer.from(payload)
      .toString('utf8')
      .replaceAll(/[\n\r]+/g, ' ');
    // Colons alone would be no field.
    const text = /^:*$/.test(line) ? ` ${line}` : line;
    return { kind: 'message', to, senderHost: this.#deps.senderHost(fromRingId), text } as const;
  }

  async #exchange(host: string, line: string): Promise<boolean> {
    // What is no address and no name is nowhere.
    if (!/^[\w.-]+$/.test(host)) return false;
    const to = { host, port: this.#deps.peerPort() };
    const after = systemClock.after.bind(systemClock);
    try {
      const isLast = (): boolean => true;
      const answer = await exchangeLine({ to, line, isLast, withinMs: ANSWER_MS_MAX, after });
      return answer.endedBy !== 'time' || answer.lines.length > 0;
    } catch {
      return false;
    }
  }
}
