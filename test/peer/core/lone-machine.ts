/** One ring machine, fed by hand: each event returns what the machine wants done, as lines. */
import { step } from '../../../services/peer/core/machine.js';
import type { Answer, Question, RingEvent } from '../../../services/peer/core/messages.js';
import type { PeerRef } from '../../../services/peer/core/ring-space.js';
import {
  outsideState,
  type RingLimits,
  type RingState,
} from '../../../services/peer/core/state.js';
import { effectText, peer, peers } from '../ring-text.js';

export const LIMITS: RingLimits = {
  successorsMax: 3,
  stabilizeTicks: 10,
  heldMax: 2,
  heldTicksMax: 5,
};

/** p20 in a ring of p10 p20 p30 p40 p50, with nothing to do before tick 10. */
export const IN_RING: RingState = {
  ...outsideState(peer(20)),
  stage: 'member',
  predecessor: peer(10),
  successors: peers(30, 40, 50),
  stabilizeAtTick: 10,
};

export class LoneMachine {
  state: RingState;
  readonly #limits: RingLimits;

  constructor(changes: Partial<RingState> = {}, limits: RingLimits = LIMITS) {
    this.state = { ...IN_RING, ...changes };
    this.#limits = limits;
  }

  feed(event: RingEvent): readonly string[] {
    const { state, effects } = step(this.state, event, this.#limits);
    this.state = state;
    return effects.map(effectText);
  }

  tick(): readonly string[] {
    return this.feed({ kind: 'ticked' });
  }

  asked(requestId: number, question: Question, from?: PeerRef): readonly string[] {
    return this.feed({ kind: 'asked', requestId, from, question });
  }

  /** The question in flight is answered. */
  answered(answer: Answer): readonly string[] {
    return this.feed({ kind: 'answered', requestId: this.#pendingId(), answer });
  }

  /** The question in flight is met with silence. */
  unanswered(): readonly string[] {
    return this.feed({ kind: 'unanswered', requestId: this.#pendingId() });
  }

  /** Looks at the successor at once. */
  stabilize(): readonly string[] {
    this.state = { ...this.state, stabilizeAtTick: this.state.tick };
    return this.tick();
  }

  #pendingId(): number {
    const { pending } = this.state;
    if (pending === undefined) throw new Error('no question is in flight');
    return pending.requestId;
  }
}

/** The answer of a peer in its first life to a question after its neighbours. */
export function neighbors(
  self: PeerRef,
  predecessor: PeerRef | undefined,
  ...successors: readonly PeerRef[]
): Answer {
  return { kind: 'neighbors', self, predecessor, successors };
}

/** The answer of a member to a ping. */
export function alive(self: PeerRef, predecessor?: PeerRef): Answer {
  return { kind: 'alive', self, predecessor, stage: 'member' };
}
