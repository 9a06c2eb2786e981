/** Endpoints, checks and evidence between the public contract and the core. */
import {
  Health as WireHealth,
  Verdict as WireVerdict,
  type Endpoint as WireEndpoint,
  type Evidence as WireEvidence,
  type HealthCheck as WireCheck,
  type RegisterEndpointRequest,
  type ReportUnreachableResponse,
} from '../../proto/gen/ringbinder/v1/binder_service.js';
import { RingbinderError } from '../errors.js';
import {
  durationFromWire,
  durationToWire,
  timestampFromWire,
  timestampToWire,
} from '../rpc/wire-time.js';
import type { Endpoint, Health, Registration } from './core/endpoint.js';
import type { Evidence, Observation, Rule } from './core/evidence.js';
import type { CheckMethod, HealthCheck } from './core/health-check.js';
import type { Verdict } from './core/watchman.js';

/** Without a TTL an endpoint has this one. */
const TTL_MS = 15_000;
const CHECK_DEFAULTS = { intervalMs: 10_000, timeoutMs: 2_000, removalThreshold: 3 } as const;

/** Dialects whose services can be asked whether they live. */
const CHECKED_DIALECTS: ReadonlySet<string> = new Set(['lieur']);

const HEALTH = {
  unknown: WireHealth.HEALTH_UNKNOWN,
  healthy: WireHealth.HEALTH_HEALTHY,
  unhealthy: WireHealth.HEALTH_UNHEALTHY,
} as const satisfies Record<Health, WireHealth>;

const VERDICTS = {
  removed: WireVerdict.VERDICT_REMOVED,
  'still-alive': WireVerdict.VERDICT_STILL_ALIVE,
  protected: WireVerdict.VERDICT_PROTECTED,
} as const satisfies Record<Verdict['kind'], WireVerdict>;

/** Throws `DIALECT_UNKNOWN` for the check of a dialect that has no probe. */
export function registrationFromWire(request: RegisterEndpointRequest): Registration {
  const { service, address, ttl, metadata, healthCheck } = request;
  return {
    service,
    address,
    ttlMs: ttl === undefined ? TTL_MS : Math.ceil(durationFromWire(ttl)),
    metadata,
    check: checkFromWire(healthCheck),
  };
}

/** Undefined: no check is made. */
export function checkFromWire(wire: WireCheck | undefined): HealthCheck | undefined {
  const method = methodFromWire(wire?.kind);
  if (wire === undefined || method === undefined) return undefined;
  const { interval, timeout } = wire;
  return {
    method,
    intervalMs: interval === undefined ? CHECK_DEFAULTS.intervalMs : durationFromWire(interval),
    timeoutMs: timeout === undefined ? CHECK_DEFAULTS.timeoutMs : durationFromWire(timeout),
    healthyThreshold: wire.healthyThreshold || 1,
    unhealthyThreshold: wire.unhealthyThreshold || 1,
    removalThreshold: wire.removalThreshold || CHECK_DEFAULTS.removalThreshold,
  };
}

function methodFromWire(kind: WireCheck['kind']): CheckMethod | undefined {
  switch (kind?.$case) {
    case undefined:
    case 'none':
      return undefined;
    case 'grpc': {
      const { service, port, tls } = kind.value;
      return { kind: 'grpc', service, port: portFromWire(port), isTls: tls };
    }
    case 'tcp':
      return { kind: 'tcp', port: portFromWire(kind.value.port) };
    case 'http': {
      const { path, port, tls } = kind.value;
      return { kind: 'http', path: path || '/', port: portFromWire(port), isTls: tls };
    }
    case 'legacy': {
      const { dialect } = kind.value;
      if (CHECKED_DIALECTS.has(dialect)) return { kind: 'legacy', dialect };
      const text = `there is no health check in the dialect ${dialect}`;
      throw new RingbinderError('DIALECT_UNKNOWN', text, { dialect });
    }
  }
}

function portFromWire(port: number): number | undefined {
  return port === 0 ? undefined : port;
}

export function checkToWire(check: HealthCheck): WireCheck {
  return {
    kind: kindToWire(check.method),
    interval: durationToWire(check.intervalMs),
    timeout: durationToWire(check.timeoutMs),
    healthyThreshold: check.healthyThreshold,
    unhealthyThreshold: check.unhealthyThreshold,
    removalThreshold: check.removalThreshold,
  };
}

function kindToWire(method: CheckMethod): NonNullable<WireCheck['kind']> {
  switch (method.kind) {
    case 'grpc': {
      const { service, port = 0, isTls: tls } = method;
      return { $case: 'grpc', value: { service, port, tls } };
    }
    case 'tcp':
      return { $case: 'tcp', value: { port: method.port ?? 0 } };
    case 'http': {
      const { path, port = 0, isTls: tls } = method;
      return { $case: 'http', value: { path, port, tls } };
    }
    case 'legacy':
      return { $case: 'legacy', value: { dialect: method.dialect } };
    case 'none':
      return { $case: 'none', value: {} };
  }
}

export function endpointToWire(endpoint: Endpoint): WireEndpoint {
  const { service, address, metadata, check } = endpoint.registration;
  return {
    endpointId: endpoint.endpointId,
    service,
    address,
    health: HEALTH[endpoint.health],
    metadata,
    healthCheck: check === undefined ? undefined : checkToWire(check),
    registerTime: timestampToWire(endpoint.registeredAtMs),
  };
}

export function healthToWire(health: Health): WireHealth {
  return HEALTH[health];
}

/** What only newer binders know counts as unknown. */
export function healthFromWire(wire: WireHealth): Health {
  const known = Object.entries(HEALTH).find(([, value]) => value === wire);
  return known === undefined ? 'unknown' : (known[0] as Health);
}

export function evidenceToWire({ observer, check, outcome, atMs, rule }: Evidence): WireEvidence {
  return { observer, check, outcome, time: timestampToWire(atMs), rule: rule ?? '' };
}

/** Checks and rules that only newer binders know are handed on as they are. */
export function evidenceFromWire({ observer, check, outcome, time, rule }: WireEvidence): Evidence {
  return {
    observer,
    check: check as Observation,
    outcome,
    atMs: time === undefined ? 0 : timestampFromWire(time),
    rule: rule === '' ? undefined : (rule as Rule),
  };
}

export function verdictToWire({ kind, evidence }: Verdict): ReportUnreachableResponse {
  return { verdict: VERDICTS[kind], evidence: evidence.map(evidenceToWire) };
}
