/** What the SDK hands out: plain values instead of wire messages. */
import type { Duration } from '../../proto/gen/google/protobuf/duration.js';
import type { Timestamp } from '../../proto/gen/google/protobuf/timestamp.js';
import type { Peer as WirePeer } from '../../proto/gen/ringbinder/v1/ring.js';

/** A member of the ring. */
export type Peer = {
  /** Position on the ring; a safe integer. */
  readonly ringId: number;
  /** `host:port`; of a guest what it is called, such as `ring://10.0.0.9`. */
  readonly address: string;
  /** Which life of the peer; 0 when the node did not say. */
  readonly incarnation: number;
};

export function peerFrom(wire: WirePeer | undefined): Peer {
  return {
    ringId: Number(wire?.ringId ?? 0n),
    address: wire?.address ?? '',
    incarnation: Number(wire?.incarnation ?? 0n),
  };
}

export function durationToMs(wire: Duration | undefined): number {
  return Number(wire?.seconds ?? 0n) * 1_000 + (wire?.nanos ?? 0) / 1e6;
}

/** What is below a nanosecond is rounded. */
export function durationFromMs(ms: number): Duration {
  if (!Number.isFinite(ms)) throw new RangeError(`not a number of milliseconds: ${ms}`);
  const nanos = Math.round((ms % 1_000) * 1e6);
  const seconds = Math.trunc(ms / 1_000) + Math.trunc(nanos / 1e9);
  return { seconds: BigInt(seconds), nanos: nanos % 1e9 };
}

export function dateFrom({ seconds, nanos }: Timestamp): Date {
  return new Date(Number(seconds) * 1_000 + Math.floor(nanos / 1e6));
}
