/**
 * Follows who is in the directory, and teaches the route cache: who is in, who comes, who goes.
 *
 * Speed only. While the directory does not answer, the cache learns from traffic alone; it is asked
 * again after pauses that double from 1 s to 30 s.
 */
import type { Logger } from 'pino';
import type { RouteCache } from '../peer/core/route-cache.js';
import { type Clock, pause } from '../system/clock.js';
import type { MembershipEvent } from '../welcome/keeper.js';
import type { Directory } from './directory.js';

const PAUSE_MS_MIN = 1_000;
const PAUSE_MS_MAX = 30_000;

export type MemberFeedDeps = {
  readonly directory: Pick<Directory, 'watch'>;
  /** Told of a snapshot, then of each change; of a snapshot again after each loss. */
  readonly told: (event: MembershipEvent) => void;
  readonly clock: Clock;
  readonly log: Logger;
  /** Ends the feed. */
  readonly signal: AbortSignal;
};

/** Resolves when the signal ends it; never rejects. */
export async function followMembers({ directory, told, ...deps }: MemberFeedDeps): Promise<void> {
  const { clock, log, signal } = deps;
  let pauseMs = PAUSE_MS_MIN;
  while (!signal.aborted) {
    try {
      for await (const event of directory.watch(signal)) {
        pauseMs = PAUSE_MS_MIN;
        told(event);
      }
    } catch (err) {
      log.debug({ err, pauseMs }, 'the members can not be watched just now');
    }
    await pause(clock, pauseMs, signal);
    pauseMs = Math.min(2 * pauseMs, PAUSE_MS_MAX);
  }
}

/** A list may name the dead until their leases end; who has just joined was heard by the directory. */
export function learnFromDirectory(routes: RouteCache, event: MembershipEvent): void {
  switch (event.kind) {
    case 'snapshot':
      return event.peers.forEach((peer) => routes.learn(peer));
    case 'joined':
      return routes.hear(event.peer);
    case 'left':
    case 'expired':
      return routes.forget(event.peer);
  }
}
