/**
 * Versions of records: hybrid logical clocks (Kulkarni et al., "Logical Physical Clocks", 2014), with
 * the writer's ring ID to tell apart what two writers did at the same moment.
 *
 * A version is later than everything its writer had seen, and close to the time of day. Versions are
 * totally ordered: by time, then counter, then writer.
 */
import type { RingId } from '../../peer/core/ring-space.js';

export type Version = {
  /** Milliseconds since the epoch, an integer. */
  readonly wallMs: number;
  /** Orders what happened within one millisecond, 0 to `COUNTER_MAX`. */
  readonly counter: number;
  /** Who wrote it. */
  readonly writer: RingId;
};

export const COUNTER_MAX = 2 ** 16 - 1;
/** A version from further ahead is not believed: it would win over every write until then. */
export const AHEAD_MS_MAX = 60 * 60 * 1_000;

/** Below 0 when the first one is older, above 0 when it is newer, 0 when they are the same. */
export function compareVersions(one: Version, other: Version): number {
  return one.wallMs - other.wallMs || one.counter - other.counter || one.writer - other.writer;
}

export function isNewer(one: Version, other: Version | undefined): boolean {
  return other === undefined || compareVersions(one, other) > 0;
}

/** Opaque text for callers; equal exactly when the versions are. */
export function versionText({ wallMs, counter, writer }: Version): string {
  return `${wallMs.toString(36)}-${counter.toString(36)}-${writer.toString(36)}`;
}

/** Whether a version is so far ahead of this clock that one of the two must be wrong. */
export function isTooFarAhead({ wallMs }: Version, nowMs: number): boolean {
  return wallMs > nowMs + AHEAD_MS_MAX;
}

/** The clock of one node: gives versions that only grow. */
export class HybridClock {
  #wallMs = 0;
  #counter = 0;

  /** A version later than every one given or seen before. */
  next(nowMs: number, writer: RingId): Version {
    if (nowMs > this.#wallMs) this.#set(nowMs, 0);
    else if (this.#counter < COUNTER_MAX) this.#counter += 1;
    else this.#set(this.#wallMs + 1, 0);
    return { wallMs: this.#wallMs, counter: this.#counter, writer };
  }

  /** Takes note of a version from elsewhere, unless it is too far ahead. */
  see(version: Version, nowMs: number): void {
    const { wallMs, counter } = version;
    if (wallMs < this.#wallMs || isTooFarAhead(version, nowMs)) return;
    if (wallMs > this.#wallMs || counter > this.#counter) this.#set(wallMs, counter);
  }

  #set(wallMs: number, counter: number): void {
    this.#wallMs = wallMs;
    this.#counter = counter;
  }
}
