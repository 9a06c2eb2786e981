/** The refusals of the binder. */
import { RingbinderError } from '../../errors.js';

export function serviceUnknown(service: string): RingbinderError {
  const text = `nobody has registered for the service ${service}`;
  return new RingbinderError('SERVICE_UNKNOWN', text, { service });
}

export function noHealthyEndpoint(service: string, endpointCount: number): RingbinderError {
  const text =
    endpointCount === 0
      ? `the last endpoint of ${service} was removed; ExplainEndpoint says why`
      : `none of the ${endpointCount} endpoints of ${service} is healthy`;
  const facts = { service, endpointCount: String(endpointCount) };
  return new RingbinderError('NO_HEALTHY_ENDPOINT', text, facts, { retryAfterMs: 1_000 });
}

export function endpointUnknown(facts: Readonly<Record<string, string>>): RingbinderError {
  const { endpointId, service = '', address = '' } = facts;
  const text =
    endpointId === undefined
      ? `the service ${service} has no endpoint ${address}`
      : `there is no endpoint ${endpointId}`;
  return new RingbinderError('ENDPOINT_UNKNOWN', text, facts);
}

export function leaseExpired(endpointId: string): RingbinderError {
  const text = `the endpoint ${endpointId} is gone; register it again`;
  return new RingbinderError('LEASE_EXPIRED', text, { endpointId });
}

export function fencingTokenStale(
  endpointId: string,
  given: number,
  current: number,
): RingbinderError {
  const text = `the endpoint ${endpointId} was registered anew since, with token ${current}`;
  const facts = { endpointId, fencingToken: String(given), currentToken: String(current) };
  return new RingbinderError('FENCING_TOKEN_STALE', text, facts);
}

export function endpointsFull(endpointsMax: number): RingbinderError {
  const text = `the binders hold ${endpointsMax} endpoints, as many as they may`;
  return new RingbinderError('TABLE_FULL', text, { endpointsMax: String(endpointsMax) });
}
