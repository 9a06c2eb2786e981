/**
 * What a binder does for the endpoints that it is the home of: it knows when their leases end and
 * when they are to be checked.
 *
 * Silence means death only while we listen. When this process stood still (SIGSTOP, a paused
 * container, swap), nobody could renew meanwhile: all leases then get one full TTL of grace.
 */
import { keyOfEndpoint, type Endpoint, type EndpointKey } from './endpoint.js';
import { isPeriodic } from './health-check.js';
import { Wheel } from './wheel.js';

/** Leases end this exactly, and checks begin this exactly. */
const SLOT_MS = 50;

export class Household {
  readonly #leases = new Wheel<EndpointKey>(SLOT_MS);
  readonly #checks = new Wheel<EndpointKey>(SLOT_MS);
  /** The registration and the term for which it is at home here. */
  readonly #tenancies = new Map<EndpointKey, string>();

  get keys(): Iterable<EndpointKey> {
    return this.#tenancies.keys();
  }

  /**
   * Takes an endpoint in with a full lease and a check at once, unless the same registration is
   * here already in the same term; then nothing changes.
   */
  takeIn(endpoint: Endpoint, nowMs: number): void {
    const key = keyOfEndpoint(endpoint);
    const tenancy = `${endpoint.fencingToken}/${endpoint.term}`;
    if (this.#tenancies.get(key) === tenancy) return;
    this.#tenancies.set(key, tenancy);
    this.renew(endpoint, nowMs);
    this.#checks.delete(key);
    const { check } = endpoint.registration;
    if (check !== undefined && isPeriodic(check)) this.#checks.set(key, nowMs);
  }

  letGo(key: EndpointKey): void {
    this.#tenancies.delete(key);
    this.#leases.delete(key);
    this.#checks.delete(key);
  }

  /** Gives a full lease from now on. */
  renew(endpoint: Endpoint, nowMs: number): void {
    this.#leases.set(keyOfEndpoint(endpoint), nowMs + endpoint.registration.ttlMs);
  }

  hasLease(key: EndpointKey): boolean {
    return this.#leases.dueAtMs(key) !== undefined;
  }

  checkAt(key: EndpointKey, atMs: number): void {
    if (this.#tenancies.has(key)) this.#checks.set(key, atMs);
  }

  takeEndedLeases(nowMs: number): readonly EndpointKey[] {
    return this.#leases.takeDue(nowMs);
  }

  takeDueChecks(nowMs: number): readonly EndpointKey[] {
    return this.#checks.takeDue(nowMs);
  }
}
