/**
 * What a member does by itself, tick by tick: refreshing its fingers, and asking after peers that may
 * have ended up in another ring.
 */
import { USUAL_MANNER } from './find-owner.js';
import type { Fingers } from './fingers.js';
import { seekReunion, type ReunionOptions, type ReunionVerdict } from './reunion.js';
import type { PeerRef } from './ring-space.js';
import type { Seeker } from './seeker.js';
import type { RingState } from './state.js';
import type { Talks } from './talks.js';
import type { Wayfinder } from './wayfinder.js';

export type UpkeepLimits = Omit<ReunionOptions, 'self'> & {
  /** Ticks between two rounds of the finger table once it is filled. */
  readonly fingerTicks: number;
};

export type UpkeepDeps = {
  readonly limits: UpkeepLimits;
  readonly state: () => RingState;
  readonly fingers: () => Fingers;
  readonly seeker: Seeker;
  readonly talks: Talks;
  readonly wayfinder: Wayfinder;
  /** Leaves this ring for the larger one of these peers. */
  readonly rejoin: (contacts: readonly PeerRef[]) => void;
};

/** The route cache could only show what it was taught: fingers are looked up without it. */
const PLAINLY = { ...USUAL_MANNER, usesCache: false };

export class Upkeep {
  readonly #deps: UpkeepDeps;
  #isFixingFinger = false;
  #isSeekingReunion = false;
  #nextFingerTick = 0;

  constructor(deps: UpkeepDeps) {
    this.#deps = deps;
  }

  /** For members only. */
  tick(): void {
    const { tick } = this.#deps.state();
    if (tick >= this.#nextFingerTick && !this.#isFixingFinger) this.#fixFinger();
    if (!this.#isSeekingReunion) this.#seekReunion();
  }

  /** Looks the fingers up anew at the next tick. */
  fixFingersSoon(): void {
    this.#nextFingerTick = this.#deps.state().tick;
  }

  /** Fills the table at one lookup a tick, then refreshes it at leisure. */
  #fixFinger(): void {
    const { state, seeker, wayfinder, limits } = this.#deps;
    const { tick, successors } = state();
    const fingers = this.#deps.fingers();
    const position = fingers.next(successors);
    this.#nextFingerTick = tick + (position === undefined ? limits.fingerTicks : 1);
    if (position === undefined) return;
    this.#isFixingFinger = true;
    wayfinder.find(position, PLAINLY, ({ owner }) => {
      this.#isFixingFinger = false;
      fingers.store(owner);
      const { self } = state();
      if (owner === undefined || owner.ringId === self.ringId) return;
      seeker.known.meet(owner, state().tick);
    });
  }

  #seekReunion(): void {
    const { state, seeker, talks, limits } = this.#deps;
    const sought = seeker.next(state());
    if (sought === undefined) return;
    const { self, predecessor, successors, tick } = state();
    if ([self, predecessor, ...successors].some((peer) => peer?.address === sought.address)) {
      return seeker.known.meet(sought, tick);
    }
    this.#isSeekingReunion = true;
    talks.start(seekReunion(sought, { ...limits, self }), (verdict) => {
      this.#isSeekingReunion = false;
      this.#onVerdict(sought, self, verdict);
    });
  }

  #onVerdict(sought: PeerRef, asker: PeerRef, verdict: ReunionVerdict): void {
    const { state, seeker, rejoin } = this.#deps;
    const { self, stage, tick } = state();
    if (verdict.kind === 'found-here') seeker.known.meet(sought, tick);
    if (verdict.kind === 'rejoin' && stage === 'member' && self === asker) rejoin(verdict.contacts);
  }
}
