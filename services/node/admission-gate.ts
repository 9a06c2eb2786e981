/**
 * Lets joiners into a small ring one at a time.
 *
 * Zave's proof needs r + 1 principals. Until a ring has them, every member must know every other, so
 * that no death can split it: the next joiner is let in once the ring is ideal with the one before. A
 * joiner that does not appear is waited for until the directory forgets that it let it in.
 */
import { judge } from '../peer/core/invariants.js';
import type { PeerRef } from '../peer/core/ring-space.js';
import type { Survey } from '../peer/core/survey.js';
import type { Clock } from '../system/clock.js';
import type { AdmissionAnswer } from '../welcome/admission-queue.js';

/** Questions further apart belong to different times of refusal. */
const REFUSAL_PAUSE_MS_MAX = 3_000;
/** A ring that is not ideal for so long is let grow as it is: growing helps it. */
const REFUSAL_MS_MAX = 10_000;
const FORMING = { kind: 'forming', retryAfterMs: 100 } as const;

export type AdmissionGateDeps = {
  readonly clock: Clock;
  readonly successorsMax: number;
  /** The ring as it is now; rejects while this node is no member. */
  readonly survey: () => Promise<Survey>;
};

export class AdmissionGate {
  readonly #deps: AdmissionGateDeps;
  #refusing: { readonly sinceMs: number; readonly latestMs: number } | undefined;

  constructor(deps: AdmissionGateDeps) {
    this.#deps = deps;
  }

  /** Whether this peer may join now, when `latest` was let in a moment ago. Asked one at a time. */
  async ask(candidate: PeerRef, latest: PeerRef | undefined): Promise<AdmissionAnswer> {
    const survey = await this.#deps.survey().catch(() => undefined);
    if (survey === undefined) return FORMING;
    const { principals, isIdeal } = judge(survey.views, this.#deps.successorsMax);
    if (principals.length > this.#deps.successorsMax) return this.#admit();
    if (isIdeal && !isAwaited(latest, candidate, survey)) return this.#admit();
    const nowMs = this.#deps.clock.monotonicMs();
    const isGoingOn =
      this.#refusing !== undefined && nowMs - this.#refusing.latestMs < REFUSAL_PAUSE_MS_MAX;
    const sinceMs = isGoingOn ? (this.#refusing?.sinceMs ?? nowMs) : nowMs;
    this.#refusing = { sinceMs, latestMs: nowMs };
    return nowMs - sinceMs > REFUSAL_MS_MAX ? this.#admit() : FORMING;
  }

  #admit(): AdmissionAnswer {
    this.#refusing = undefined;
    return { kind: 'open' };
  }
}

/** Whether somebody else was let in and is not in the ring yet. */
function isAwaited(latest: PeerRef | undefined, candidate: PeerRef, { views }: Survey): boolean {
  if (latest === undefined || latest.ringId === candidate.ringId) return false;
  return !views.some(({ self }) => self.ringId === latest.ringId);
}
