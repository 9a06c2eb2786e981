/**
 * Protection mode: when too many endpoints of one service would go at once, it is more likely that
 * the binder sees wrong than that all of them are dead.
 *
 * Rule: within one TTL, no more than a share of the endpoints that a service had may be removed
 * because of what was observed. What would go beyond that is held: unhealthy, but there. A small
 * service is not protected, for one endpoint of two is half of it.
 */

/** More make no difference to any share that is left. */
const DEPARTURES_MAX = 10_000;

export type ProtectionLimits = {
  /** Share of the endpoints of a service that may go within one TTL, 0 to 1; 1 protects nothing. */
  readonly share: number;
  /** Services that had fewer endpoints are not protected. */
  readonly endpointsMin: number;
};

/** When endpoints of one service were removed because of what was observed. */
export class Departures {
  #times: number[] = [];

  add(atMs: number): void {
    this.#times.push(atMs);
    this.#times = this.#times.slice(-DEPARTURES_MAX);
  }

  /** How many went within the last `windowMs`. */
  within(windowMs: number, nowMs: number): number {
    return this.#times.filter((atMs) => atMs > nowMs - windowMs).length;
  }
}

export type Situation = {
  /** Endpoints of the service that are there, the one in question included. */
  readonly live: number;
  /** Those of them that should go already. */
  readonly held: number;
  /** Those that went within the TTL of the one in question. */
  readonly departed: number;
  /** Whether the one in question is held already: then its service is protected, however small it is now. */
  readonly isHeld: boolean;
};

/** Whether one more endpoint may go. The one in question does not count as held. */
export function mayRemove(
  { live, held, departed, isHeld }: Situation,
  { share, endpointsMin }: ProtectionLimits,
): boolean {
  const total = live + departed;
  const isSmall = !isHeld && total < endpointsMin;
  return isSmall || departed + held + 1 <= share * total;
}
