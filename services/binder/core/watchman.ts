/**
 * What follows from checks: those that a binder makes of the endpoints at home with it, and those
 * that it makes of any endpoint because somebody complains.
 */
import type { TableClock } from '../../dht/core/table-clock.js';
import { Checks, type CheckId, type CheckOrder } from './checks.js';
import { isLive, keyOfEndpoint, type EndpointKey, type LiveEndpoint } from './endpoint.js';
import { observationBy, type Evidence } from './evidence.js';
import type { CheckMethod, CheckOutcome, HealthCheck } from './health-check.js';
import type { Household } from './household.js';
import type { Ledger } from './ledger.js';
import type { Stamp } from './stamps.js';

export type Verdict = {
  readonly kind: 'removed' | 'still-alive' | 'protected';
  readonly evidence: readonly Evidence[];
};

export type WatchmanDeps = {
  readonly self: string;
  /** Most checks that run at once. */
  readonly checksMax: number;
  readonly clock: TableClock;
  readonly ledger: Ledger;
  readonly household: Household;
  /** Begins a check; its result comes to `finish`. */
  readonly start: (order: CheckOrder) => void;
};

type Observed = Pick<Evidence, 'check' | 'outcome'>;

/** How an endpoint without a check of its own is checked when somebody complains. */
const COMPLAINT_CHECK = { method: { kind: 'tcp', port: undefined }, timeoutMs: 2_000 } as const;

/** Until the first check of an endpoint has passed it is made this often: programs need time to start. */
const FIRST_PAUSE_MS = 1_000;

export class Watchman {
  readonly #deps: WatchmanDeps;
  readonly #checks: Checks;
  /** The last check of endpoints, whether anything followed from it or not. */
  readonly #lastChecks = new Map<EndpointKey, Evidence>();

  constructor(deps: WatchmanDeps) {
    this.#deps = deps;
    this.#checks = new Checks(deps.checksMax, deps.start);
  }

  lastCheck(key: EndpointKey): Evidence | undefined {
    return this.#lastChecks.get(key);
  }

  /** Forgets the results of an endpoint. */
  forget(key: EndpointKey): void {
    this.#checks.forgetRow(key);
    this.#lastChecks.delete(key);
  }

  /** Begins the checks that are due. */
  startDue(): void {
    const { household, clock } = this.#deps;
    for (const key of household.takeDueChecks(clock.steadyMs())) this.#check(key);
  }

  finish(checkId: CheckId, outcome: CheckOutcome): void {
    this.#checks.finish(checkId, outcome);
  }

  /** Checks an endpoint that somebody cannot reach, and calls `done` once. */
  verify(endpoint: LiveEndpoint, done: (verdict: Verdict) => void): void {
    const { address, check } = endpoint.registration;
    const { method, timeoutMs } = check ?? COMPLAINT_CHECK;
    this.#checks.ask(keyOfEndpoint(endpoint), { address, method, timeoutMs }, (outcome) =>
      done(this.#judge(endpoint, method, outcome)),
    );
  }

  #check(key: EndpointKey): void {
    const endpoint = this.#deps.ledger.registry.byKey(key);
    const check = endpoint?.registration.check;
    if (!isLive(endpoint) || check === undefined) return;
    const { address } = endpoint.registration;
    const { method, timeoutMs } = check;
    this.#checks.ask(key, { address, method, timeoutMs }, (outcome) =>
      this.#weigh(key, endpoint.fencingToken, outcome),
    );
  }

  /** What follows from a check that this binder made as the home. */
  #weigh(key: EndpointKey, fencingToken: Stamp, { hasPassed, text }: CheckOutcome): void {
    const { self, clock, ledger, household } = this.#deps;
    const endpoint = ledger.registry.byKey(key);
    const check = endpoint?.registration.check;
    if (!isLive(endpoint) || check === undefined) return;
    if (endpoint.home !== self || endpoint.fencingToken !== fencingToken) return;
    const pauseMs =
      endpoint.health === 'unknown' && !hasPassed ? firstPauseMs(check) : check.intervalMs;
    household.checkAt(key, clock.steadyMs() + pauseMs);
    const inRow = this.#checks.count(key, hasPassed);
    const observed = { check: observationBy(check.method), outcome: text };
    this.#lastChecks.set(key, ledger.evidence(observed));
    if (hasPassed) this.#passed(endpoint, check, inRow, observed);
    else this.#failed(endpoint, check, inRow, observed);
  }

  #passed(endpoint: LiveEndpoint, check: HealthCheck, inRow: number, observed: Observed): void {
    if (endpoint.health === 'healthy') return;
    const isFirst = endpoint.health === 'unknown';
    if (!isFirst && inRow < check.healthyThreshold) return;
    const rule = isFirst ? 'FIRST_CHECK' : 'HEALTHY_THRESHOLD';
    const alteration = { health: 'healthy', held: undefined } as const;
    this.#deps.ledger.alter(endpoint, alteration, { ...observed, rule });
  }

  #failed(endpoint: LiveEndpoint, check: HealthCheck, inRow: number, observed: Observed): void {
    const { ledger } = this.#deps;
    const pauses = endpoint.health === 'unknown' ? check.intervalMs / firstPauseMs(check) : 1;
    if (inRow >= check.removalThreshold * pauses) {
      ledger.remove(endpoint, 'checks-failed', observed);
    } else if (endpoint.health === 'healthy' && inRow >= check.unhealthyThreshold) {
      const rule = 'UNHEALTHY_THRESHOLD';
      ledger.alter(endpoint, { health: 'unhealthy' }, { ...observed, rule });
    }
  }

  /** What follows from the check that a complaint led to. */
  #judge(asked: LiveEndpoint, method: CheckMethod, { hasPassed, text }: CheckOutcome): Verdict {
    const { ledger } = this.#deps;
    const key = keyOfEndpoint(asked);
    const endpoint = ledger.registry.byKey(key);
    if (!isLive(endpoint)) return { kind: 'removed', evidence: endpoint?.evidence.slice(-1) ?? [] };
    const observed = { check: observationBy(method), outcome: text };
    const wasRegisteredAnew = endpoint.fencingToken !== asked.fencingToken;
    if (hasPassed || wasRegisteredAnew) {
      const evidence = ledger.evidence({ ...observed, rule: 'REPORT_REFUTED' });
      this.#lastChecks.set(key, evidence);
      return { kind: 'still-alive', evidence: [evidence] };
    }
    const after = ledger.remove(endpoint, 'report-proved', observed);
    const kind = isLive(after) ? 'protected' : 'removed';
    return { kind, evidence: after.evidence.slice(-1) };
  }
}

function firstPauseMs({ intervalMs }: HealthCheck): number {
  return Math.min(intervalMs, FIRST_PAUSE_MS);
}
