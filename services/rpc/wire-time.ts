/** Times and spans on the wire: google.protobuf.Timestamp and Duration from milliseconds. */
import type { Duration } from '../../proto/gen/google/protobuf/duration.js';
import type { Timestamp } from '../../proto/gen/google/protobuf/timestamp.js';

const NANOS_PER_MS = 1e6;

/** `ms` is 0 or more and may have fractions; what is below a nanosecond is lost. */
export function durationToWire(ms: number): Duration {
  const seconds = Math.floor(ms / 1_000);
  return { seconds: BigInt(seconds), nanos: Math.floor((ms - seconds * 1_000) * NANOS_PER_MS) };
}

/** The age of an answer; absent when it is undefined. */
export function ageToWire(ms: number | undefined): Duration | undefined {
  return ms === undefined ? undefined : durationToWire(ms);
}

/** `ms` is an integer, milliseconds since the epoch. */
export function timestampToWire(ms: number): Timestamp {
  const seconds = Math.floor(ms / 1_000);
  return { seconds: BigInt(seconds), nanos: (ms - seconds * 1_000) * NANOS_PER_MS };
}

export function durationFromWire({ seconds, nanos }: Duration): number {
  return Number(seconds) * 1_000 + nanos / NANOS_PER_MS;
}

/** Whole milliseconds since the epoch; what is below one is lost. */
export function timestampFromWire({ seconds, nanos }: Timestamp): number {
  return Number(seconds) * 1_000 + Math.floor(nanos / NANOS_PER_MS);
}
