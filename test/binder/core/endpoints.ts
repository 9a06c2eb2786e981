/** Endpoints for tests. */
import type { Endpoint, Registration } from '../../../services/binder/core/endpoint.js';

export function registrationOf(parts: Partial<Registration> = {}): Registration {
  return {
    service: 'orders',
    address: '10.0.0.1:80',
    ttlMs: 15_000,
    metadata: {},
    check: undefined,
    ...parts,
  };
}

export function endpointOf(parts: Partial<Endpoint> = {}): Endpoint {
  return {
    endpointId: 'e1',
    registration: registrationOf(),
    registeredAtMs: 1_000,
    fencingToken: 1_024,
    home: 'b1',
    term: 0,
    health: 'healthy',
    held: undefined,
    removal: undefined,
    stamp: 1_024,
    evidence: [],
    ...parts,
  };
}
