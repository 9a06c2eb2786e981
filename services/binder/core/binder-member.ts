/** One binder among others: its endpoints, and what it has to do with the other binders about them. */
import { RingbinderError } from '../../errors.js';
import { Binder, type BinderDeps, type BinderEffect, type Renewed } from './binder.js';
import type { Endpoint } from './endpoint.js';
import { fencingTokenStale } from './refusals.js';
import { Spreading, type SpreadingDeps } from './spreading.js';
import type { Stamp } from './stamps.js';

export type MemberEffect = Exclude<BinderEffect, { kind: 'pass-on' }>;

export type BinderMemberDeps = Omit<BinderDeps, 'perform'> &
  Pick<SpreadingDeps, 'ask'> & {
    readonly perform: (effect: MemberEffect) => void;
    /** Calls once, when all that happens now has happened. */
    readonly later: (act: () => void) => void;
  };

export type RenewalOutcome =
  Renewed | { readonly kind: 'refused'; readonly error: RingbinderError };

export class BinderMember {
  readonly #deps: BinderMemberDeps;
  readonly binder: Binder;
  readonly spreading: Spreading;
  #isFlushDue = false;

  constructor(deps: BinderMemberDeps) {
    this.#deps = deps;
    const { self, limits, clock, newId, ask } = deps;
    const perform = (effect: BinderEffect): void => this.#perform(effect);
    this.binder = new Binder({ self, limits, clock, newId, perform });
    const nowMs = (): number => clock.steadyMs();
    this.spreading = new Spreading({ binder: this.binder, nowMs, ask });
  }

  /** To be called many times a second. */
  tick(): void {
    this.binder.tick();
    this.spreading.tick();
  }

  /**
   * Takes over what the others know; calls `done` once, when one of them has told all, or none can.
   * Until then this binder knows too little to answer anyone.
   */
  catchUp(done: (isDone: boolean) => void): void {
    const { addresses } = this.binder.fellowship;
    let left = addresses.length;
    if (left === 0) done(false);
    let isOver = false;
    for (const address of addresses) {
      this.spreading.catchUp(address, (isDone) => {
        left -= 1;
        if (isOver || (!isDone && left > 0)) return;
        isOver = true;
        done(isDone);
      });
    }
  }

  /** Renews a lease, here or at its home; takes it over when its home does not answer. */
  renew(endpointId: string, fencingToken: Stamp, done: (outcome: RenewalOutcome) => void): void {
    const renewal = orRefused(() => this.binder.renew(endpointId, fencingToken));
    if (renewal.kind !== 'elsewhere') {
      done(renewal);
      return;
    }
    const question = { kind: 'renew', endpointId, fencingToken } as const;
    this.#deps.ask(renewal.home, question, (answer) => {
      if (answer?.kind === 'renewed') {
        done(answer);
      } else if (answer?.kind === 'not-renewed' && answer.currentToken !== undefined) {
        const error = fencingTokenStale(endpointId, fencingToken, answer.currentToken);
        done({ kind: 'refused', error });
      } else {
        done(orRefused(() => this.binder.adopt(endpointId, fencingToken)));
      }
    });
  }

  /** Calls `done` when nothing waits to be told any more. */
  whenTold(done: () => void): void {
    this.spreading.flush();
    this.spreading.whenTold(done);
  }

  #perform(effect: BinderEffect): void {
    if (effect.kind === 'pass-on') {
      const { endpointId, fencingToken } = effect.endpoint;
      const question = { kind: 'renew', endpointId, fencingToken } as const;
      this.#deps.ask(effect.home, question, () => undefined);
      return;
    }
    this.#deps.perform(effect);
    if (effect.kind === 'changed' && effect.isOwn) this.#tell(effect.endpoint);
  }

  #tell(endpoint: Endpoint): void {
    this.spreading.tell(endpoint);
    if (this.#isFlushDue) return;
    this.#isFlushDue = true;
    this.#deps.later(() => {
      this.#isFlushDue = false;
      this.spreading.flush();
    });
  }
}

function orRefused<Result>(
  act: () => Result,
): Result | { kind: 'refused'; error: RingbinderError } {
  try {
    return act();
  } catch (thrown) {
    if (thrown instanceof RingbinderError) return { kind: 'refused', error: thrown };
    throw thrown;
  }
}
