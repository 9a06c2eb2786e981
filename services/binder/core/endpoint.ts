/**
 * One endpoint as all binders know it, and which of two states of it is the later one.
 *
 * A binder replaces its state of an endpoint by another one only when that is later, so the order in
 * which states arrive, and how often, makes no difference: binders that have seen the same have the
 * same. The order, first difference decides:
 *
 * 1. The later registration (the greater fencing token).
 * 2. Deregistered before anything else that happens to the same registration.
 * 3. The later term: how often the lease has changed hands. Who has a lease that lives thereby wins
 *    over one that gave the endpoint up because it heard nothing.
 * 4. Removed before not removed: a removal is final until the next registration or term.
 * 5. The later stamp.
 */
import type { Evidence } from './evidence.js';
import type { HealthCheck } from './health-check.js';
import type { Stamp } from './stamps.js';

export type Registration = {
  readonly service: string;
  /** `host:port` */
  readonly address: string;
  readonly ttlMs: number;
  readonly metadata: Readonly<Record<string, string>>;
  /** Undefined: it is healthy while its lease lives. */
  readonly check: HealthCheck | undefined;
};

/** `unknown`: its first check has not passed. */
export type Health = 'unknown' | 'healthy' | 'unhealthy';

export type Removal = 'deregistered' | 'lease-ended' | 'checks-failed' | 'report-proved';

export type Endpoint = {
  readonly endpointId: string;
  readonly registration: Registration;
  /** When it was first registered under its ID, in ms since the epoch. */
  readonly registeredAtMs: number;
  /** Stamp of its last registration. */
  readonly fencingToken: Stamp;
  /** Address of the binder that has its lease and checks it. */
  readonly home: string;
  /** How often its lease has changed hands since the registration. */
  readonly term: number;
  readonly health: Health;
  /** What would have removed it, if its service were not in protection mode. */
  readonly held: Removal | undefined;
  /** Why it is there no more. */
  readonly removal: Removal | undefined;
  /** Of this state. */
  readonly stamp: Stamp;
  readonly evidence: readonly Evidence[];
};

/** What an endpoint is found by. */
export type EndpointKey = string;

/** No service name has a line feed in it. */
export function keyOf(service: string, address: string): EndpointKey {
  return `${service}\n${address}`;
}

export function keyOfEndpoint({ registration }: Endpoint): EndpointKey {
  return keyOf(registration.service, registration.address);
}

/** One that has not been removed. */
export type LiveEndpoint = Endpoint & { readonly removal: undefined };

export function isLive(endpoint: Endpoint | undefined): endpoint is LiveEndpoint {
  return endpoint !== undefined && endpoint.removal === undefined;
}

/** Whether the first state is later than the second. */
export function supersedes(one: Endpoint, other: Endpoint | undefined): boolean {
  if (other === undefined) return true;
  const difference =
    one.fencingToken - other.fencingToken ||
    rank(one.removal === 'deregistered') - rank(other.removal === 'deregistered') ||
    one.term - other.term ||
    rank(one.removal !== undefined) - rank(other.removal !== undefined) ||
    one.stamp - other.stamp;
  return difference > 0;
}

function rank(isSo: boolean): number {
  return isSo ? 1 : 0;
}
