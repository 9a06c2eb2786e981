/** What BinderApi hands out and takes: plain values instead of wire messages. */
import {
  Health as WireHealth,
  Verdict as WireVerdict,
  type Endpoint as WireEndpoint,
  type Evidence as WireEvidence,
  type HealthCheck as WireHealthCheck,
  type WatchServiceResponse,
} from '../../proto/gen/ringbinder/v1/binder_service.js';
import { dateFrom, durationFromMs, durationToMs } from './messages.js';

/** How well an endpoint is; only healthy ones are handed out. */
export type Health = 'unspecified' | 'unknown' | 'healthy' | 'unhealthy';

/** What is done to check an endpoint. Without a port: the port of the endpoint. */
export type CheckMethod =
  | { readonly kind: 'none' }
  | {
      readonly kind: 'grpc';
      /** The service to ask about; default the server as a whole. */
      readonly service?: string;
      readonly port?: number;
      readonly tls?: boolean;
    }
  | { readonly kind: 'tcp'; readonly port?: number }
  | {
      readonly kind: 'http';
      /** Path and query; default `/`. */
      readonly path?: string;
      readonly port?: number;
      readonly tls?: boolean;
    }
  | { readonly kind: 'legacy'; readonly dialect: string };

/** How a binder checks an endpoint; what is absent is as BinderService says. */
export type HealthCheck = CheckMethod & {
  /** From the end of one check to the start of the next. */
  readonly intervalMs?: number;
  /** A check without a result for so long has failed. */
  readonly timeoutMs?: number;
  /** Checks in a row that make an unhealthy endpoint healthy. */
  readonly healthyThreshold?: number;
  /** Failed checks in a row that make a healthy endpoint unhealthy. */
  readonly unhealthyThreshold?: number;
  /** Failed checks in a row that remove the endpoint. */
  readonly removalThreshold?: number;
};

export type Endpoint = {
  /** Name of this registration; another one after removal. */
  readonly endpointId: string;
  readonly service: string;
  /** `host:port`. */
  readonly address: string;
  readonly health: Health;
  readonly metadata: Readonly<Record<string, string>>;
  /** Absent when it is not checked. */
  readonly healthCheck?: HealthCheck;
  readonly registerTime?: Date;
};

/** One observation about an endpoint, and what followed from it. */
export type Evidence = {
  /** Address of the binder that observed it. */
  readonly observer: string;
  readonly check: string;
  /** For people to read. */
  readonly outcome: string;
  readonly time?: Date;
  /** The rule that decided what to do; empty when nothing followed. */
  readonly rule: string;
};

/** What became of a complaint. */
export type Verdict = 'unspecified' | 'removed' | 'still alive' | 'protected';

export type ServiceEvent = {
  /** True while the binder removes none because too many would go. */
  readonly protectionActive: boolean;
} & (
  | {
      /** All endpoints; the first event of each connection, in place of what was known. */
      readonly kind: 'snapshot';
      readonly endpoints: readonly Endpoint[];
    }
  | { readonly kind: 'added' | 'changed'; readonly endpoint: Endpoint }
  | {
      readonly kind: 'removed';
      readonly endpoint: Endpoint;
      /** The observation that decided. */
      readonly evidence?: Evidence;
    }
);

const HEALTHS: Readonly<Record<number, Health>> = {
  [WireHealth.HEALTH_UNKNOWN]: 'unknown',
  [WireHealth.HEALTH_HEALTHY]: 'healthy',
  [WireHealth.HEALTH_UNHEALTHY]: 'unhealthy',
};

const VERDICTS: Readonly<Record<number, Verdict>> = {
  [WireVerdict.VERDICT_REMOVED]: 'removed',
  [WireVerdict.VERDICT_STILL_ALIVE]: 'still alive',
  [WireVerdict.VERDICT_PROTECTED]: 'protected',
};

export function verdictFrom(wire: WireVerdict): Verdict {
  return VERDICTS[wire] ?? 'unspecified';
}

export function endpointFrom(wire: WireEndpoint | undefined): Endpoint {
  return {
    endpointId: wire?.endpointId ?? '',
    service: wire?.service ?? '',
    address: wire?.address ?? '',
    health: HEALTHS[wire?.health ?? 0] ?? 'unspecified',
    metadata: wire?.metadata ?? {},
    ...(wire?.healthCheck?.kind !== undefined && { healthCheck: checkFrom(wire.healthCheck) }),
    ...(wire?.registerTime !== undefined && { registerTime: dateFrom(wire.registerTime) }),
  };
}

export function evidenceFrom({ observer, check, outcome, time, rule }: WireEvidence): Evidence {
  return { observer, check, outcome, ...(time !== undefined && { time: dateFrom(time) }), rule };
}

/** Undefined for a heartbeat, and for an event that only newer binders know. */
export function eventFrom(wire: WatchServiceResponse): ServiceEvent | undefined {
  const { event, protectionActive } = wire;
  switch (event?.$case) {
    case 'snapshot': {
      const endpoints = event.value.endpoints.map(endpointFrom);
      return { kind: 'snapshot', endpoints, protectionActive };
    }
    case 'added':
    case 'changed':
      return { kind: event.$case, endpoint: endpointFrom(event.value.endpoint), protectionActive };
    case 'removed': {
      const { endpoint, evidence } = event.value;
      const why = evidence === undefined ? {} : { evidence: evidenceFrom(evidence) };
      return { kind: 'removed', endpoint: endpointFrom(endpoint), ...why, protectionActive };
    }
    default:
      return undefined;
  }
}

export function checkToWire(check: HealthCheck): WireHealthCheck {
  return {
    kind: methodToWire(check),
    interval: check.intervalMs === undefined ? undefined : durationFromMs(check.intervalMs),
    timeout: check.timeoutMs === undefined ? undefined : durationFromMs(check.timeoutMs),
    healthyThreshold: check.healthyThreshold ?? 0,
    unhealthyThreshold: check.unhealthyThreshold ?? 0,
    removalThreshold: check.removalThreshold ?? 0,
  };
}

function methodToWire(check: CheckMethod): WireHealthCheck['kind'] {
  switch (check.kind) {
    case 'none':
      return { $case: 'none', value: {} };
    case 'grpc': {
      const { service = '', port = 0, tls = false } = check;
      return { $case: 'grpc', value: { service, port, tls } };
    }
    case 'tcp':
      return { $case: 'tcp', value: { port: check.port ?? 0 } };
    case 'http': {
      const { path = '', port = 0, tls = false } = check;
      return { $case: 'http', value: { path, port, tls } };
    }
    case 'legacy':
      return { $case: 'legacy', value: { dialect: check.dialect } };
  }
}

function checkFrom(wire: WireHealthCheck): HealthCheck {
  const { interval, timeout, healthyThreshold, unhealthyThreshold, removalThreshold } = wire;
  return {
    ...methodFrom(wire.kind),
    ...(interval !== undefined && { intervalMs: durationToMs(interval) }),
    ...(timeout !== undefined && { timeoutMs: durationToMs(timeout) }),
    ...(healthyThreshold !== 0 && { healthyThreshold }),
    ...(unhealthyThreshold !== 0 && { unhealthyThreshold }),
    ...(removalThreshold !== 0 && { removalThreshold }),
  };
}

function methodFrom(kind: WireHealthCheck['kind']): CheckMethod {
  switch (kind?.$case) {
    case 'grpc': {
      const { service, port, tls } = kind.value;
      return { kind: 'grpc', ...(service !== '' && { service }), ...portAndTls(port, tls) };
    }
    case 'tcp':
      return { kind: 'tcp', ...portAndTls(kind.value.port, false) };
    case 'http': {
      const { path, port, tls } = kind.value;
      return { kind: 'http', ...(path !== '' && { path }), ...portAndTls(port, tls) };
    }
    case 'legacy':
      return { kind: 'legacy', dialect: kind.value.dialect };
    default:
      return { kind: 'none' };
  }
}

function portAndTls(port: number, tls: boolean): { readonly port?: number; readonly tls?: true } {
  return { ...(port !== 0 && { port }), ...(tls && { tls: true as const }) };
}
