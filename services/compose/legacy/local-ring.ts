/**
 * What dialect `ring` calls, on the ring of this node: its directory, its member, and its guests.
 *
 * Whatever a legacy peer is told of its neighbours has the host of this node: what it sends them comes
 * here, and goes on over the ring, to guests and to inboxes alike.
 */
import { randomUUID } from 'node:crypto';
import type { Logger } from 'pino';
import { RingbinderError } from '../../errors.js';
import { isWildcard, parseHostPort } from '../../host-port.js';
import type { RingCalls, RingNeighbor } from '../../legacy/core/session.js';
import { isHostText } from '../../legacy/ring/fields.js';
import { guestAddress, guestText } from '../../legacy/ring/guest-name.js';
import type { Directory } from '../../node/directory.js';
import { MemberList } from '../../node/member-list.js';
import type { Neighbors } from '../../peer/core/messages.js';
import { firstAt, isGuest, type PeerRef, type RingId } from '../../peer/core/ring-space.js';
import type { PeerDriver } from '../../peer/driver.js';
import { systemClock } from '../../system/clock.js';
import type { RingPart } from '../ring.js';
import type { OpenRing, RingPlace } from './dialect.js';
import { GuestHouse } from './guest-house.js';

/** Where this node is, for legacy peers, when nothing else is known. */
const OWN_HOST = '127.0.0.1';

export type LocalRingDeps = { readonly part: RingPart; readonly log: Logger };

/** What is called with the answer. */
type Done<Method extends keyof RingCalls, At extends number> = Extract<
  Parameters<Extract<RingCalls[Method], (...given: never) => void>>[At],
  (...given: never) => void
>;

export class LocalRing implements OpenRing {
  readonly #part: RingPart;
  readonly #place: RingPlace;
  readonly #log: Logger;
  readonly #directory: Directory;
  readonly #members: MemberList;
  readonly #house: GuestHouse;
  readonly ringSize: number;

  constructor({ part, log }: LocalRingDeps, place: RingPlace) {
    const { ringSize } = part;
    const directory = part.openDirectory();
    this.#part = part;
    this.#place = place;
    this.#log = log;
    this.ringSize = ringSize;
    this.#directory = directory;
    this.#members = new MemberList({ directory, ringSize, clock: systemClock, log });
    this.#house = new GuestHouse({
      guests: part.openGuests(),
      peerPort: place.peerPort,
      senderHost: (ringId) => this.#senderHost(ringId),
      neighbor: (ringId) => this.#throughUs(ringId),
    });
  }

  get guestCount(): number {
    return this.#house.size;
  }

  assign(text: string, done: Done<'assign', 1>): void {
    this.#directory
      .assign(guestAddress(text))
      .then(done, (thrown: unknown) =>
        done(RingbinderError.from(thrown).reason === 'RING_FULL' ? 'full' : undefined),
      );
  }

  members(done: Done<'members', 0>): void {
    done(this.#members.peers?.map((peer) => this.#byItsHost(peer)));
  }

  join(ringId: RingId, host: string, done: Done<'join', 2>): void {
    if (this.#isMember(ringId)) {
      done('taken');
      return;
    }
    this.#house.takeIn(ringId, host).then(
      (outcome) => done(outcome === 'full' ? undefined : { entry: this.#ownHost }),
      (thrown: unknown) => {
        const { reason } = RingbinderError.from(thrown);
        this.#log.info({ reason, ringId, host }, 'could not take in a guest');
        done(reason === 'RING_ID_TAKEN' ? 'taken' : undefined);
      },
    );
  }

  /** Only guests: a node leaves by itself. */
  leave(ringId: RingId, done: Done<'leave', 1>): void {
    this.#end(ringId).then(
      (existed) => done(existed ? 'left' : 'not a member'),
      () => done(undefined),
    );
  }

  table(done: Done<'table', 0>): void {
    const { state, routingTable } = this.#driver;
    const { self, successors } = state;
    const first = { start: self.ringId, successor: this.#byItsHost(successors[0] ?? self) };
    // The first finger is the successor, as the first row is in the tables of originals.
    const rest = routingTable
      .slice(1)
      .flatMap(({ start, peer }) =>
        peer === undefined ? [] : [{ start, successor: this.#byItsHost(peer) }],
      );
    done([first, ...rest]);
  }

  neighbors(ringId: RingId, done: Done<'neighbors', 1>): void {
    this.#viewAt(ringId).then(
      (view) => done(view && this.#neighborsIn(view, ringId)),
      () => done(undefined),
    );
  }

  send(to: RingId, senderHost: string, text: string, done: Done<'send', 3>): void {
    const isOwn = to === this.#driver.state.self.ringId;
    const sender = this.#house.memberAt(senderHost) ?? this.#driver;
    const draft = { messageId: randomUUID(), payload: Buffer.from(text, 'utf8') };
    sender.send(to, draft).then(
      ({ kind }) => {
        if (kind === 'delivered') done(isOwn ? 'own' : 'delivered');
        else done(kind === 'nobody' ? 'nobody' : undefined);
      },
      () => done(undefined),
    );
  }

  close(): void {
    this.#members.close();
    this.#house.close();
    this.#directory.close();
  }

  get #driver(): PeerDriver {
    return this.#part.face.seat.driver;
  }

  #isMember(ringId: RingId): boolean {
    const { peers } = this.#members;
    const isListed = peers !== undefined && firstAt(peers, ringId)?.ringId === ringId;
    return isListed || this.#house.member(ringId) !== undefined;
  }

  async #end(ringId: RingId): Promise<boolean> {
    if (await this.#house.end(ringId)) return true;
    const listed = this.#members.peers?.find((peer) => peer.ringId === ringId);
    return listed === undefined ? false : this.#part.endGuestOf(listed);
  }

  /** What the member says that has a ring ID, or the one that follows it. */
  async #viewAt(ringId: RingId): Promise<Neighbors | undefined> {
    const guest = this.#house.member(ringId);
    if (guest !== undefined) return guest.state;
    const { owner } = await this.#part.application.lookup(ringId);
    return this.#driver.neighborsOf(owner);
  }

  #neighborsIn({ self, predecessor = self, successors }: Neighbors, ringId: RingId) {
    const successor = self.ringId === ringId ? (successors[0] ?? self) : self;
    return {
      predecessor: this.#throughUs(predecessor.ringId),
      successor: this.#throughUs(successor.ringId),
    };
  }

  // Names

  /** Where this node is, for legacy peers. */
  get #ownHost(): string {
    const { host } = this.#place;
    const ofNode = parseHostPort(this.#driver.state.self.address)?.host;
    const known = [host, ofNode].filter((it) => it !== undefined);
    return known.find((it) => !isWildcard(it) && isHostText(it)) ?? OWN_HOST;
  }

  /** A member by its own host; one whose host can't be said is reached through this node. */
  #byItsHost(peer: PeerRef): RingNeighbor {
    const { ringId, address } = peer;
    const host = isGuest(peer)
      ? (this.#house.hostOf(ringId) ?? guestText(address))
      : parseHostPort(address)?.host;
    const canBeSaid = host !== undefined && (isGuest(peer) || isHostText(host));
    return { ringId, host: canBeSaid ? host : this.#ownHost };
  }

  #throughUs(ringId: RingId): RingNeighbor {
    return { ringId, host: this.#ownHost };
  }

  #senderHost(ringId: RingId): string {
    const sender = this.#members.peers?.find((peer) => peer.ringId === ringId);
    return sender === undefined ? this.#ownHost : this.#byItsHost(sender).host;
  }
}
