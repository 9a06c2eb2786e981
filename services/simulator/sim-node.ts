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
  /** How fast its clock runs; 1 is right. To be set by `setClockRate`. */
  clockRate: number;
  /** How far its clock is ahead, in ms, since `clockSetAtMs`. */
  clockAheadMs: number;
  clockSetAtMs: number;
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
    clockAheadMs: 0,
    clockSetAtMs: 0,
    backlog: [],
    inFlight: undefined,
    startedAtMs: 0,
  };
}

/** Milliseconds since the epoch at which all clocks of a run begin. */
const EPOCH_MS = 1_700_000_000_000;

/** What the node's clock shows, as an integer; `nowMs` is the virtual time. */
export function wallMsOf(
  { clockRate, clockAheadMs, clockSetAtMs }: SimNode,
  nowMs: number,
): number {
  const ownMs = clockSetAtMs + clockAheadMs + (nowMs - clockSetAtMs) * clockRate;
  return EPOCH_MS + Math.floor(ownMs);
}

/** Lets the node's clock run at another rate from now on; what it shows does not jump. */
export function setClockRate(node: SimNode, rate: number, nowMs: number): void {
  node.clockAheadMs += (nowMs - node.clockSetAtMs) * (node.clockRate - 1);
  node.clockSetAtMs = nowMs;
  node.clockRate = rate;
}
