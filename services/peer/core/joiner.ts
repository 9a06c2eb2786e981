/**
 * Getting into the ring: a walk to the place, Zave's join there, tried again until it succeeds.
 */
import type { Conversation } from './conversation.js';
import { findPlace } from './place.js';
import type { PeerRef } from './ring-space.js';
import type { RingState } from './state.js';

export type JoinerLimits = {
  /** Most questions of one walk. */
  readonly asksMax: number;
  /** Ticks between two tries to join. */
  readonly joinRetryTicks: number;
};

export type JoinerDeps = {
  readonly limits: JoinerLimits;
  readonly state: () => RingState;
  readonly walk: (
    conversation: Conversation<PeerRef | undefined>,
    done: (place: PeerRef | undefined) => void,
  ) => void;
  /** Joins behind the peer that was found; `failed` or `stop` is called when it is known how. */
  readonly joinBehind: (peer: PeerRef) => void;
  /** A try led nowhere; another one follows. */
  readonly onFailed: (tries: number) => void;
  readonly onGivenUp: () => void;
};

type Joining = {
  readonly contacts: readonly PeerRef[];
  readonly triesMax: number;
  tries: number;
  retryAtTick: number;
};

export class Joiner {
  readonly #deps: JoinerDeps;
  #joining: Joining | undefined;

  constructor(deps: JoinerDeps) {
    this.#deps = deps;
  }

  /** Joins through these members, whatever life they are in; gives up after so many tries. */
  start(contacts: readonly PeerRef[], triesMax: number): void {
    const anyLife = contacts.map((peer) => ({ ...peer, incarnation: 0 }));
    this.#joining = { contacts: anyLife, triesMax, tries: 0, retryAtTick: 0 };
    this.#try(this.#joining);
  }

  stop(): void {
    this.#joining = undefined;
  }

  /** Tries again when it is time. */
  tick(): void {
    const { stage, tick } = this.#deps.state();
    if (this.#joining === undefined || stage !== 'outside') return;
    if (tick >= this.#joining.retryAtTick) this.#try(this.#joining);
  }

  /** The try under way led nowhere. */
  failed(): void {
    const joining = this.#joining;
    if (joining === undefined) return;
    if (joining.tries >= joining.triesMax) return this.#deps.onGivenUp();
    joining.retryAtTick = this.#deps.state().tick + this.#deps.limits.joinRetryTicks;
    this.#deps.onFailed(joining.tries);
  }

  #try(joining: Joining): void {
    joining.tries += 1;
    joining.retryAtTick = Number.POSITIVE_INFINITY;
    const { contacts } = joining;
    const { self } = this.#deps.state();
    const { asksMax } = this.#deps.limits;
    this.#deps.walk(findPlace({ self, contacts, asksMax }), (place) => {
      if (this.#joining !== joining || this.#deps.state().stage !== 'outside') return;
      if (place === undefined) this.failed();
      else this.#deps.joinBehind(place);
    });
  }
}
