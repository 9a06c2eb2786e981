/**
 * The state of one peer in the ring: the fields of Zave's model, and what a message exchange adds
 * (verdi-chord, "Local state"): the one question in flight, and the questions held back meanwhile.
 */
import type { Question, RequestId, RingEffect, Stage } from './messages.js';
import type { PeerRef } from './ring-space.js';

/** Why the question in flight was asked; its answer changes our state. */
export type Purpose =
  /** Zave's StabilizeFromSuccessor. */
  | 'stabilize-successor'
  /** Zave's StabilizeFromPredecessor: is our successor's predecessor our successor? */
  | 'stabilize-candidate'
  /** Zave's Rectify: is our predecessor still there? */
  | 'rectify-predecessor'
  /** Is the peer that notified us there? */
  | 'rectify-candidate'
  /** Zave's Join: copy the list of our predecessor to be. */
  | 'join';

export type Pending = {
  readonly requestId: RequestId;
  readonly to: PeerRef;
  readonly purpose: Purpose;
};

export type HeldQuestion = {
  readonly requestId: RequestId;
  readonly question: Question;
  readonly heldSinceTick: number;
};

export type RingState = {
  readonly self: PeerRef;
  readonly stage: Stage;
  readonly predecessor: PeerRef | undefined;
  /** Nearest first, in ring order, without self; all others while the ring is FORMING. */
  readonly successors: readonly PeerRef[];
  /** At most one. While it is set, our own state is undefined for others. */
  readonly pending: Pending | undefined;
  /** Who notified us and waits to be looked at; the best one only. */
  readonly rectifyWith: PeerRef | undefined;
  readonly held: readonly HeldQuestion[];
  readonly tick: number;
  readonly stabilizeAtTick: number;
  readonly nextRequestId: RequestId;
};

export type RingLimits = {
  /** r: length of the successor list. */
  readonly successorsMax: number;
  /** Ticks between two looks at the successor when nothing changes. */
  readonly stabilizeTicks: number;
  /** Most questions held back at once; the next one is answered `busy`. */
  readonly heldMax: number;
  /**
   * Ticks a question is held before it is answered `busy`. Two peers may wait for each other, each
   * holding the other's question; this bound ends it. It costs the asker one more try.
   */
  readonly heldTicksMax: number;
};

export type Step = {
  readonly state: RingState;
  readonly effects: readonly RingEffect[];
};

/** A peer that is in no ring yet. */
export function outsideState(self: PeerRef): RingState {
  return {
    self,
    stage: 'outside',
    predecessor: undefined,
    successors: [],
    pending: undefined,
    rectifyWith: undefined,
    held: [],
    tick: 0,
    stabilizeAtTick: 0,
    nextRequestId: 1,
  };
}

/**
 * The state at another tick. Written out, because nearly every event of a peer at rest is a tick, and
 * a spread takes ten times as long.
 */
export function atTick(state: RingState, tick: number): RingState {
  return {
    self: state.self,
    stage: state.stage,
    predecessor: state.predecessor,
    successors: state.successors,
    pending: state.pending,
    rectifyWith: state.rectifyWith,
    held: state.held,
    tick,
    stabilizeAtTick: state.stabilizeAtTick,
    nextRequestId: state.nextRequestId,
  };
}
