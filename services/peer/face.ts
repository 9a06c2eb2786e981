/**
 * What peers and applications may ask of this node's ring member, and the refusals they get.
 *
 * Before the node has its ring ID there is no member to ask: `PEER_NOT_MEMBER`.
 */
import type { Caller } from '../../proto/gen/ringbinder/v1/peer_service.js';
import { RingbinderError } from '../errors.js';
import type { Answer, Question } from './core/messages.js';
import type { PeerRef } from './core/ring-space.js';
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

  constructor(seat: () => Seat | undefined) {
    this.#seat = seat;
  }

  get seat(): Seat {
    const seat = this.#seat();
    if (seat !== undefined) return seat;
    throw new RingbinderError('PEER_NOT_MEMBER', 'this node has not found its ring yet');
  }

  /** Asks the member; any answer but the expected kinds becomes its refusal. */
  async ask<Kind extends Answer['kind']>(
    caller: Caller | undefined,
    question: Question,
    ...expected: readonly Kind[]
  ): Promise<Extract<Answer, { kind: Kind }>> {
    const { driver, ringName, ringSize } = this.seat;
    assertSameRing(caller, ringName);
    const from = caller?.peer === undefined ? undefined : peerFromWire(caller.peer, ringSize);
    const life = Number(caller?.expectedIncarnation ?? 0n);
    const answer = await driver.asked(from, life, question);
    if (isOneOf(answer, expected)) return answer;
    throw refusal(answer, driver.state.self);
  }
}

function isOneOf<Kind extends Answer['kind']>(
  answer: Answer,
  kinds: readonly Kind[],
): answer is Extract<Answer, { kind: Kind }> {
  return kinds.some((kind) => kind === answer.kind);
}

function assertSameRing(caller: Caller | undefined, ringName: string): void {
  const meant = caller?.ringName ?? '';
  if (meant === '' || meant === ringName) return;
  const facts = { ringName, meantRingName: meant };
  throw new RingbinderError('RING_MISMATCH', `this peer belongs to the ring ${ringName}`, facts);
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
