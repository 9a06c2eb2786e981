/** One simulated node: what it is, and what happens to it. */
import type { RingMember } from '../peer/core/member.js';
import type { Answer, RequestId } from '../peer/core/messages.js';
import type { PeerRef, RingId } from '../peer/core/ring-space.js';

export type SimNode = {
  readonly address: string;
  readonly ringId: RingId;
  /** Undefined while the node is down. */
  member: RingMember | undefined;
  incarnation: number;
  /** What it kept on disk: whom it knew. */
  remembered: readonly PeerRef[];
  isPaused: boolean;
  /** How fast its clock runs; 1 is right. */
  clockRate: number;
  /** Things that happen to it once it goes on. */
  readonly backlog: (() => void)[];
  /** The answer on its way to the question that is pending here. */
  inFlight: { readonly requestId: RequestId; readonly answer: Answer } | undefined;
  /** Virtual time at which it was started last. */
  startedAtMs: number;
};

/** A node that is down, and has never been up. */
export function simNode(address: string, ringId: RingId): SimNode {
  return {
    address,
    ringId,
    member: undefined,
    incarnation: 0,
    remembered: [],
    isPaused: false,
    clockRate: 1,
    backlog: [],
    inFlight: undefined,
    startedAtMs: 0,
  };
}
