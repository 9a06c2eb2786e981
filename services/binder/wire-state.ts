/** The whole state of endpoints, as binders tell it to each other and keep it. */
import {
  EndpointState,
  Removal as WireRemoval,
} from '../../proto/gen/ringbinder/internal/v1/registry_service.js';
import type { Endpoint, Removal } from './core/endpoint.js';
import {
  checkFromWire,
  checkToWire,
  evidenceFromWire,
  evidenceToWire,
  healthFromWire,
  healthToWire,
} from './wire.js';

const REMOVALS = {
  deregistered: WireRemoval.REMOVAL_DEREGISTERED,
  'lease-ended': WireRemoval.REMOVAL_LEASE_ENDED,
  'checks-failed': WireRemoval.REMOVAL_CHECKS_FAILED,
  'report-proved': WireRemoval.REMOVAL_REPORT_PROVED,
} as const satisfies Record<Removal, WireRemoval>;

export function stateToWire(endpoint: Endpoint): EndpointState {
  const { service, address, ttlMs, metadata, check } = endpoint.registration;
  return {
    endpointId: endpoint.endpointId,
    service,
    address,
    ttlMs: BigInt(ttlMs),
    metadata,
    healthCheck: check === undefined ? undefined : checkToWire(check),
    registeredAtMs: BigInt(endpoint.registeredAtMs),
    fencingToken: BigInt(endpoint.fencingToken),
    home: endpoint.home,
    term: endpoint.term,
    health: healthToWire(endpoint.health),
    held: removalToWire(endpoint.held),
    removal: removalToWire(endpoint.removal),
    stamp: BigInt(endpoint.stamp),
    evidence: endpoint.evidence.map(evidenceToWire),
  };
}

export function stateFromWire(wire: EndpointState): Endpoint {
  const { service, address, ttlMs, metadata } = wire;
  const check = checkFromWire(wire.healthCheck);
  return {
    endpointId: wire.endpointId,
    registration: { service, address, ttlMs: Number(ttlMs), metadata, check },
    registeredAtMs: Number(wire.registeredAtMs),
    fencingToken: Number(wire.fencingToken),
    home: wire.home,
    term: wire.term,
    health: healthFromWire(wire.health),
    held: removalFromWire(wire.held),
    removal: removalFromWire(wire.removal),
    stamp: Number(wire.stamp),
    evidence: wire.evidence.map(evidenceFromWire),
  };
}

export function encodeState(endpoint: Endpoint): Uint8Array {
  return EndpointState.encode(stateToWire(endpoint)).finish();
}

export function decodeState(bytes: Uint8Array): Endpoint {
  return stateFromWire(EndpointState.decode(bytes));
}

function removalToWire(removal: Removal | undefined): WireRemoval {
  return removal === undefined ? WireRemoval.REMOVAL_UNSPECIFIED : REMOVALS[removal];
}

/** What only newer binders know counts as the end of the lease: it is gone either way. */
function removalFromWire(wire: WireRemoval): Removal | undefined {
  if (wire === WireRemoval.REMOVAL_UNSPECIFIED) return undefined;
  const known = Object.entries(REMOVALS).find(([, value]) => value === wire);
  return known === undefined ? 'lease-ended' : (known[0] as Removal);
}
