/** The gRPC face of the binder: BinderService. */
import type {
  BinderServiceServer,
  DeregisterEndpointRequest,
  Endpoint as WireEndpoint,
  KeepLeasesRequest,
  KeepLeasesResponse,
  WatchServiceResponse,
} from '../../proto/gen/ringbinder/v1/binder_service.js';
import { RingbinderError } from '../errors.js';
import { HEARTBEAT } from '../peer/wire.js';
import type { Handlers } from '../rpc/handlers.js';
import type { WatchItem } from '../rpc/watch-queue.js';
import { durationToWire, timestampToWire } from '../rpc/wire-time.js';
import type { BinderApplication } from './application.js';
import type { Endpoint } from './core/endpoint.js';
import type { ServiceEvent } from './watches.js';
import { endpointToWire, evidenceToWire, registrationFromWire, verdictToWire } from './wire.js';

export type BinderHandlerDeps = { readonly application: BinderApplication };

export function createBinderHandler({
  application,
}: BinderHandlerDeps): Handlers<BinderServiceServer> {
  const toWire = cachedEndpointToWire();
  return {
    registerEndpoint: async (request) => {
      const endpoint = await application.register(registrationFromWire(request));
      return {
        endpoint: toWire(endpoint),
        fencingToken: BigInt(endpoint.fencingToken),
        leaseTtl: durationToWire(endpoint.registration.ttlMs),
      };
    },
    renewLease: async ({ endpointId, fencingToken }) => ({
      leaseTtl: durationToWire(await application.renew(endpointId, fencingToken)),
    }),
    keepLeases: async function* (requests) {
      for await (const request of requests) yield await keepLease(application, request);
    },
    deregisterEndpoint: async (request) => {
      await application.deregister(whichFromWire(request), request.fencingToken);
      return {};
    },
    resolve: async ({ service }) => ({
      endpoint: toWire(application.resolve(service)),
      protectionActive: application.isProtected(service),
      age: ageOf(application),
    }),
    listEndpoints: async ({ service, pageSize, pageToken }) => {
      const { endpoints, nextPageToken } = application.endpoints(service, pageSize, pageToken);
      const protectionActive = application.isProtected(service);
      return {
        endpoints: endpoints.map(toWire),
        nextPageToken,
        protectionActive,
        age: ageOf(application),
      };
    },
    listServices: async ({ pageSize, pageToken }) => {
      const { services, nextPageToken } = application.services(pageSize, pageToken);
      return {
        services: services.map(({ isProtected: protectionActive, ...summary }) => ({
          ...summary,
          protectionActive,
        })),
        nextPageToken,
        age: ageOf(application),
      };
    },
    watchService: async function* ({ service }, { signal }) {
      for await (const item of application.watch(service, signal)) {
        yield watchEventToWire(item, application.isProtected(service), toWire);
      }
    },
    reportUnreachable: async ({ service, address }) =>
      verdictToWire(await application.report(service, address)),
    explainEndpoint: async ({ service, address }) => {
      const { endpoint, evidence } = application.explain(service, address);
      return {
        evidence: evidence.map(evidenceToWire),
        endpoint: endpoint === undefined ? undefined : toWire(endpoint),
        protectionActive: application.isProtected(service),
        age: ageOf(application),
      };
    },
  };
}

function ageOf({ ageMs }: BinderApplication) {
  return ageMs === undefined ? undefined : durationToWire(ageMs);
}

type ToWire = (endpoint: Endpoint) => WireEndpoint;

/** An endpoint is handed out far more often than it changes. */
function cachedEndpointToWire(): ToWire {
  const known = new WeakMap<Endpoint, WireEndpoint>();
  return (endpoint) => {
    const cached = known.get(endpoint);
    if (cached !== undefined) return cached;
    const wire = endpointToWire(endpoint);
    known.set(endpoint, wire);
    return wire;
  };
}

async function keepLease(
  application: BinderApplication,
  { endpointId, fencingToken }: KeepLeasesRequest,
): Promise<KeepLeasesResponse> {
  try {
    const value = durationToWire(await application.renew(endpointId, fencingToken));
    return { endpointId, outcome: { $case: 'leaseTtl', value } };
  } catch (thrown) {
    const { reason, text, status } = RingbinderError.from(thrown);
    if (status !== 'NOT_FOUND' && status !== 'ABORTED') throw thrown;
    return { endpointId, outcome: { $case: 'refusal', value: { reason, text } } };
  }
}

function whichFromWire({ endpointId, service, address }: DeregisterEndpointRequest) {
  return endpointId === '' ? { service, address } : { endpointId };
}

function watchEventToWire(
  { sequence, observedAtMs, event }: WatchItem<ServiceEvent>,
  protectionActive: boolean,
  toWire: ToWire,
): WatchServiceResponse {
  return {
    sequence: BigInt(sequence),
    observeTime: timestampToWire(observedAtMs),
    event: serviceEventToWire(event, toWire),
    protectionActive,
  };
}

function serviceEventToWire(
  event: ServiceEvent | undefined,
  toWire: ToWire,
): NonNullable<WatchServiceResponse['event']> {
  switch (event?.kind) {
    case undefined:
      return { $case: 'heartbeat', value: HEARTBEAT };
    case 'snapshot':
      return { $case: 'snapshot', value: { endpoints: event.endpoints.map(toWire) } };
    case 'removed': {
      const decisive = event.endpoint.evidence.at(-1);
      const evidence = decisive === undefined ? undefined : evidenceToWire(decisive);
      return { $case: 'removed', value: { endpoint: toWire(event.endpoint), evidence } };
    }
    case 'added':
    case 'changed':
      return { $case: event.kind, value: { endpoint: toWire(event.endpoint) } };
  }
}
