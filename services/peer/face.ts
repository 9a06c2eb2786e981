/**
 * What peers and applications may ask of this node's ring member, and the refusals they get.
 *
 * Before the node has its ring ID there is no member to ask: `PEER_NOT_MEMBER`.
 */
import type { Caller } from '../../proto/gen/ringbinder/v1/peer_service.js';
import { RingbinderError } from '../errors.js';
import type { Answer, Question } from './core/messages.js';
import type { PeerRef, RingId } from './core/ring-space.js';
import type { PeerView } from './core/routing-table.js';
import type { PeerDriver } from './driver.js';
import { peerFromWire } from './wire.js';

/** A node's place in a ring, once it has one. */
export type Seat = {
  readonly driver: PeerDriver;
  readonly ringName: string;
  readonly ringSize: number;
};

export class PeerFace {
  readonly #seat: () => Seat | undefined;
  readonly #guests = new Map<RingId, PeerDriver>();

  constructor(seat: () => Seat | undefined) {
    this.#seat = seat;
  }

  /** Lets a guest be asked at this node, until it is removed. */
  addGuest(driver: PeerDriver): void {
    this.#guests.set(driver.state.self.ringId, driver);
  }

  removeGuest(ringId: RingId): void {
    this.#guests.delete(ringId);
  }

  get seat(): Seat {
    const seat = this.#seat();
    if (seat !== undefined) return seat;
    throw new RingbinderError('PEER_NOT_MEMBER', 'this node has not found its ring yet');
  }

  /** Asks the member that is meant; any answer but the expected kinds becomes its refusal. */
  async ask<Kind extends Answer['kind']>(
    caller: Caller | undefined,
    question: Question,
    ...expected: readonly Kind[]
  ): Promise<Extract<Answer, { kind: Kind }>> {
    const { driver: own, ringSize } = this.seat;
    this.assertRing(caller?.ringName ?? '');
    const driver = this.#meant(caller, own);
    const from = caller?.peer === undefined ? undefined : peerFromWire(caller.peer, ringSize);
    const life = Number(caller?.expectedIncarnation ?? 0n);
    const answer = await driver.asked(from, life, question);
    if (isOneOf(answer, expected)) return answer;
    throw refusal(answer, driver.state.self);
  }

  /** Throws `RING_MISMATCH` when another ring is meant; an empty name means any. */
  assertRing(meant: string): void {
    const { ringName } = this.seat;
    if (meant === '' || meant === ringName) return;
    const facts = { ringName, meantRingName: meant };
    throw new RingbinderError('RING_MISMATCH', `this peer belongs to the ring ${ringName}`, facts);
  }

  /** What the member that is meant knows of the ring, as it is at this moment. */
  view(caller: Caller | undefined): PeerView {
    this.assertRing(caller?.ringName ?? '');
    const { state, routingTable } = this.#meant(caller, this.seat.driver);
    const { self, stage, predecessor, successors } = state;
    if (stage !== 'member') throw refusal({ kind: 'not-member' }, self);
    return { self, predecessor, successors, fingers: routingTable };
  }

  #meant(caller: Caller | undefined, own: PeerDriver): PeerDriver {
    const { ringId } = own.state.self;
    const meant = caller?.toRingId === undefined ? ringId : Number(caller.toRingId);
    const driver = meant === ringId ? own : this.#guests.get(meant);
    if (driver !== undefined) return driver;
    const facts = { ringId: String(ringId), meantRingId: String(meant) };
    throw new RingbinderError('PEER_NOT_MEMBER', `the peer ${meant} is not run here`, facts);
  }
}

function isOneOf<Kind extends Answer['kind']>(
  answer: Answer,
  kinds: readonly Kind[],
): answer is Extract<Answer, { kind: Kind }> {
  return kinds.some((kind) => kind === answer.kind);
}

function refusal(answer: Answer, self: PeerRef): RingbinderError {
  const facts = { ringId: String(self.ringId), incarnation: String(self.incarnation) };
  switch (answer.kind) {
    case 'stale':
      return new RingbinderError(
        'INCARNATION_STALE',
        `this peer is in its life ${self.incarnation}`,
        facts,
      );
    case 'not-member':
      return new RingbinderError('PEER_NOT_MEMBER', 'this peer is not in the ring', facts);
    case 'not-found':
      return new RingbinderError('LOOKUP_FAILED', 'no way to the position was found', facts);
    case 'inbox-full':
      return new RingbinderError('INBOX_FULL', 'the inbox of this peer has no room left', facts);
    default:
      return new RingbinderError(
        'PEER_BUSY',
        'this peer is changing its place just now; ask again',
        facts,
        { retryAfterMs: 100 },
      );
  }
}
