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
import { exchangeLine } from '../../legacy/line-client.js';
import type { RingCalls, RingNeighbor } from '../../legacy/core/session.js';
import { isHostText } from '../../legacy/ring/fields.js';
import { GuestLine } from '../../legacy/ring/guest-line.js';
import { guestAddress, guestText } from '../../legacy/ring/guest-name.js';
import type { Directory } from '../../node/directory.js';
import type { Guests } from '../../node/guests.js';
import { MemberList } from '../../node/member-list.js';
import type { Letter } from '../../peer/core/messages.js';
import { firstAt, isGuest, type PeerRef, type RingId } from '../../peer/core/ring-space.js';
import type { PeerDriver } from '../../peer/driver.js';
import { systemClock, type Cancel } from '../../system/clock.js';
import type { RingPart } from '../ring.js';
import type { OpenRing, RingPlace } from './dialect.js';

/** How long a guest may take to answer a line. */
const ANSWER_MS_MAX = 5_000;
/** How often guests are told of neighbours that have changed. */
const LOOK_EVERY_MS = 1_000;
/** Where this node is, for legacy peers, when nothing else is known. */
const OWN_HOST = '127.0.0.1';

export type LocalRingDeps = { readonly part: RingPart; readonly log: Logger };

type Hosted = { readonly host: string; readonly line: GuestLine };
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
  readonly #guests: Guests;
  readonly #members: MemberList;
  readonly #hosted = new Map<RingId, Hosted>();
  readonly #stopLooking: Cancel;
  readonly ringSize: number;

  constructor({ part, log }: LocalRingDeps, place: RingPlace) {
    this.#part = part;
    this.#place = place;
    this.#log = log;
    this.ringSize = part.ringSize;
    this.#guests = part.openGuests();
    this.#directory = part.openDirectory();
    const { ringSize } = this;
    const directory = this.#directory;
    this.#members = new MemberList({ directory, ringSize, clock: systemClock, log });
    this.#stopLooking = systemClock.every(LOOK_EVERY_MS, () => this.#tellNeighbors());
  }

  assign(text: string, done: Done<'assign', 1>): void {
    this.#directory
      .assign(guestAddress(text))
      .then(done, (thrown: unknown) =>
        done(RingbinderError.from(thrown).reason === 'RING_FULL' ? 'full' : undefined),
      );
  }

  members(done: Done<'members', 0>): void {
    done(this.#members.peers?.map((peer) => this.#neighborOf(peer)));
  }

  join(ringId: RingId, host: string, done: Done<'join', 2>): void {
    if (this.#isMember(ringId)) {
      done('taken');
      return;
    }
    this.#takeIn(ringId, host).then(done, (thrown: unknown) => {
      const { reason } = RingbinderError.from(thrown);
      this.#log.info({ reason, ringId, host }, 'could not take in a guest');
      done(reason === 'RING_ID_TAKEN' ? 'taken' : undefined);
    });
  }

  /** Only guests: a node leaves by itself. */
  leave(ringId: RingId, done: Done<'leave', 1>): void {
    this.#end(ringId).then(
      (existed) => done(existed ? 'left' : 'not a member'),
      () => done(undefined),
    );
  }

  table(done: Done<'table', 0>): void {
    const { state, fingers } = this.#driver;
    const { self, successors } = state;
    const first = { start: self.ringId, successor: this.#neighborOf(successors[0] ?? self) };
    const rest = fingers.map(({ start, peer }) => ({ start, successor: this.#neighborOf(peer) }));
    // The row of the first finger is that of the successor, as in the originals' tables.
    done([first, ...rest.slice(1)]);
  }

  neighbors(ringId: RingId, done: Done<'neighbors', 1>): void {
    this.#surroundings(ringId).then(done, () => done(undefined));
  }

  send(to: RingId, senderHost: string, text: string, done: Done<'send', 3>): void {
    const isOwn = to === this.#driver.state.self.ringId;
    const draft = { messageId: randomUUID(), payload: Buffer.from(text, 'utf8') };
    this.#senderOf(senderHost)
      .send(to, draft)
      .then(
        ({ kind }) => {
          if (kind === 'delivered') done(isOwn ? 'own' : 'delivered');
          else done(kind === 'nobody' ? 'nobody' : undefined);
        },
        () => done(undefined),
      );
  }

  /** The guests end with the node. */
  close(): void {
    this.#stopLooking();
    this.#members.close();
    this.#directory.close();
    for (const { line } of this.#hosted.values()) line.close();
    this.#hosted.clear();
  }

  get #driver(): PeerDriver {
    return this.#part.face.seat.driver;
  }

  // Names

  /** Where this node is, for legacy peers: no colons can be said. */
  get #ownHost(): string {
    const { host } = this.#place;
    const ofNode = parseHostPort(this.#driver.state.self.address)?.host;
    const known = [host, ofNode].filter((it) => it !== undefined && !isWildcard(it));
    return known.find((it) => it !== undefined && isHostText(it)) ?? OWN_HOST;
  }

  /** A member by its own host; one whose host can't be said is reached through this node. */
  #neighborOf(peer: PeerRef): RingNeighbor {
    const { ringId } = peer;
    const text = isGuest(peer)
      ? (this.#hosted.get(ringId)?.host ?? guestText(peer.address))
      : parseHostPort(peer.address)?.host;
    const canBeSaid = text !== undefined && (isGuest(peer) || isHostText(text));
    return { ringId, host: canBeSaid ? text : this.#ownHost };
  }

  #throughUs({ ringId }: PeerRef): RingNeighbor {
    return { ringId, host: this.#ownHost };
  }

  #isMember(ringId: RingId): boolean {
    const { peers } = this.#members;
    const isListed = peers !== undefined && firstAt(peers, ringId)?.ringId === ringId;
    return isListed || this.#guests.get(ringId) !== undefined;
  }

  // Guests

  async #takeIn(ringId: RingId, host: string): Promise<{ readonly entry: string } | undefined> {
    const line = new GuestLine({
      exchange: async (text) => this.#exchange(host, text),
      clock: systemClock,
      onDead: () => void this.#end(ringId),
    });
    this.#hosted.set(ringId, { host, line });
    const deliver = (letter: Letter) => line.deliver(this.#messageOf(ringId, letter));
    const take = async (address: string): Promise<'member' | 'full'> =>
      this.#guests.take(ringId, address, deliver);
    try {
      const outcome = await take(guestAddress(host)).catch(async (thrown: unknown) => {
        const { reason } = RingbinderError.from(thrown);
        if (reason !== 'RING_ID_UNASSIGNED') throw thrown;
        return take(guestAddress(host, ringId));
      });
      if (outcome === 'member') return { entry: this.#ownHost };
      this.#forget(ringId);
      return undefined;
    } catch (thrown) {
      this.#forget(ringId);
      throw thrown;
    }
  }

  async #end(ringId: RingId): Promise<boolean> {
    this.#forget(ringId);
    if (await this.#guests.end(ringId)) return true;
    const listed = this.#members.peers?.find((peer) => peer.ringId === ringId && isGuest(peer));
    return listed === undefined ? false : this.#part.endGuestOf(listed);
  }

  #forget(ringId: RingId): void {
    this.#hosted.get(ringId)?.line.close();
    this.#hosted.delete(ringId);
  }

  #tellNeighbors(): void {
    for (const [ringId, { line }] of this.#hosted) {
      const driver = this.#guests.get(ringId);
      if (driver?.state.stage !== 'member') continue;
      const { predecessor, successors, self } = driver.state;
      const [successor = self] = successors;
      line.neighborsAre({
        predecessor: this.#throughUs(predecessor ?? successor),
        successor: this.#throughUs(successor),
      });
    }
  }

  // Messages

  #senderOf(host: string): PeerDriver {
    const [ringId] = [...this.#hosted].find(([, hosted]) => hosted.host === host) ?? [];
    return (ringId === undefined ? undefined : this.#guests.get(ringId)) ?? this.#driver;
  }

  #messageOf(to: RingId, { fromRingId, payload }: Letter) {
    const { peers } = this.#members;
    const sender = peers?.find(({ ringId }) => ringId === fromRingId);
    const senderHost = sender === undefined ? this.#ownHost : this.#neighborOf(sender).host;
    const line = Buffer.from(payload)
      .toString('utf8')
      .replaceAll(/[\n\r]+/g, ' ');
    // Colons alone would be no field.
    const text = /^:*$/.test(line) ? ` ${line}` : line;
    return { kind: 'message', to, senderHost, text } as const;
  }

  async #exchange(host: string, line: string): Promise<boolean> {
    // What is no address and no name is nowhere.
    if (!/^[\w.-]+$/.test(host)) return false;
    const to = { host, port: this.#place.peerPort() };
    const after = systemClock.after.bind(systemClock);
    try {
      const isLast = (): boolean => true;
      const answer = await exchangeLine({ to, line, isLast, withinMs: ANSWER_MS_MAX, after });
      return answer.endedBy !== 'time' || answer.lines.length > 0;
    } catch {
      return false;
    }
  }

  async #surroundings(ringId: RingId) {
    const guest = this.#guests.get(ringId);
    const { owner } = guest === undefined ? await this.#part.application.lookup(ringId) : {};
    const view = owner === undefined ? guest?.state : await this.#driver.neighborsOf(owner);
    if (view === undefined) return undefined;
    const { self, predecessor = self, successors } = view;
    const successor = self.ringId === ringId ? (successors[0] ?? self) : self;
    return { predecessor: this.#throughUs(predecessor), successor: this.#throughUs(successor) };
  }
}
