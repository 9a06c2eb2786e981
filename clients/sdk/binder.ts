/** Services and the endpoints that render them. */
import type { Duration } from '../../proto/gen/google/protobuf/duration.js';
import {
  BinderServiceService,
  type DeregisterEndpointRequest,
} from '../../proto/gen/ringbinder/v1/binder_service.js';
import {
  checkToWire,
  endpointFrom,
  eventFrom,
  evidenceFrom,
  verdictFrom,
  type Endpoint,
  type Evidence,
  type ServiceEvent,
  type Verdict,
} from './binder-messages.js';
import type { Calls } from './channel.js';
import type { CallOptions, LastingOptions } from './lasting-stream.js';
import {
  Lease,
  type DeregisterOptions,
  type EndpointName,
  type LeaseOptions,
  type Registration,
  type RegisterOptions,
} from './lease.js';
import { durationFromMs, durationToMs } from './messages.js';

type Guarded = {
  /** True while the binder removes none because too many would go. */
  readonly protectionActive: boolean;
};

type Dated = {
  /** How old the answer is; absent unless the binders keep endpoints in a store that is away now. */
  readonly ageMs?: number;
};

export type Resolution = Guarded & Dated & { readonly endpoint: Endpoint };

export type ServiceSummary = Guarded & {
  readonly service: string;
  /** Of any health. */
  readonly endpointCount: number;
  readonly healthyCount: number;
};

export type Explanation = Guarded &
  Dated & {
    /** What the binders observed, in the order of time. */
    readonly evidence: readonly Evidence[];
    /** As it is now; absent when it was removed. */
    readonly endpoint?: Endpoint;
  };

export type Complaint = {
  readonly verdict: Verdict;
  /** What the binder observed, in the order of time. */
  readonly evidence: readonly Evidence[];
};

const PAGE_SIZE = 1_000;

export class BinderApi {
  readonly #calls: Calls;

  constructor(calls: Calls) {
    this.#calls = calls;
  }

  /** Registers an endpoint once; `hold` also keeps it. A repeat renews it and gives a greater token. */
  async register(
    service: string,
    address: string,
    options: RegisterOptions = {},
  ): Promise<Registration> {
    const { ttlMs, metadata = {}, healthCheck } = options;
    const request = {
      service,
      address,
      ttl: ttlMs === undefined ? undefined : durationFromMs(ttlMs),
      metadata,
      healthCheck: healthCheck === undefined ? undefined : checkToWire(healthCheck),
    };
    const method = BinderServiceService.registerEndpoint;
    const wire = await this.#calls.unary(method, request, options);
    return {
      endpoint: endpointFrom(wire.endpoint),
      fencingToken: wire.fencingToken,
      leaseTtlMs: durationToMs(wire.leaseTtl),
    };
  }

  /**
   * Registers an endpoint and keeps its lease until `release`, whatever becomes of the binder.
   *
   * Rejects when the first registration is refused or reaches no binder.
   */
  async hold(service: string, address: string, options: LeaseOptions = {}): Promise<Lease> {
    return Lease.take(this, service, address, options);
  }

  /** Prolongs a lease; resolves with how long it lives from now, in ms. */
  async renew(endpointId: string, fencingToken: bigint, options?: CallOptions): Promise<number> {
    const request = { endpointId, fencingToken };
    const wire = await this.#calls.unary(BinderServiceService.renewLease, request, options);
    return durationToMs(wire.leaseTtl);
  }

  /** Removes an endpoint. Fails with `ENDPOINT_UNKNOWN` also when a repeated attempt finds it gone. */
  async deregister(name: EndpointName, options: DeregisterOptions = {}): Promise<void> {
    const { fencingToken = 0n } = options;
    const request: DeregisterEndpointRequest =
      'endpointId' in name
        ? { endpointId: name.endpointId, service: '', address: '', fencingToken }
        : { endpointId: '', service: name.service, address: name.address, fencingToken };
    await this.#calls.unary(BinderServiceService.deregisterEndpoint, request, options);
  }

  /** One healthy endpoint of a service, the next in the rotation of the asked binder. */
  async resolve(service: string, options?: CallOptions): Promise<Resolution> {
    const wire = await this.#calls.unary(BinderServiceService.resolve, { service }, options);
    const { protectionActive } = wire;
    return { endpoint: endpointFrom(wire.endpoint), protectionActive, ...ageFrom(wire) };
  }

  /** Every endpoint of a service, of any health, page by page, in the order of the addresses. */
  async *endpoints(service: string, options?: CallOptions): AsyncGenerator<Endpoint, void, void> {
    let pageToken = '';
    do {
      const request = { service, pageSize: PAGE_SIZE, pageToken };
      const page = await this.#calls.unary(BinderServiceService.listEndpoints, request, options);
      yield* page.endpoints.map(endpointFrom);
      pageToken = page.nextPageToken;
    } while (pageToken !== '');
  }

  /** Every service that has endpoints, page by page, in the order of the names. */
  async *services(options?: CallOptions): AsyncGenerator<ServiceSummary, void, void> {
    let pageToken = '';
    do {
      const request = { pageSize: PAGE_SIZE, pageToken };
      const page = await this.#calls.unary(BinderServiceService.listServices, request, options);
      yield* page.services;
      pageToken = page.nextPageToken;
    } while (pageToken !== '');
  }

  /**
   * All endpoints of a service first, then each change; heartbeats are left out.
   *
   * Goes on by itself when the connection or the binder is lost, with a new snapshot.
   */
  async *watch(
    service: string,
    options?: LastingOptions,
  ): AsyncGenerator<ServiceEvent, void, void> {
    const method = BinderServiceService.watchService;
    for await (const wire of this.#calls.lastingStream(method, { service }, options)) {
      const event = eventFrom(wire);
      if (event !== undefined) yield event;
    }
  }

  /** Complains about an endpoint; resolves when the binder has looked by itself. */
  async report(service: string, address: string, options?: CallOptions): Promise<Complaint> {
    const request = { service, address };
    const method = BinderServiceService.reportUnreachable;
    const { verdict, evidence } = await this.#calls.unary(method, request, options);
    return { verdict: verdictFrom(verdict), evidence: evidence.map(evidenceFrom) };
  }

  /** Why an endpoint is in the state it is in; also of one that was removed, for an hour. */
  async explain(service: string, address: string, options?: CallOptions): Promise<Explanation> {
    const request = { service, address };
    const wire = await this.#calls.unary(BinderServiceService.explainEndpoint, request, options);
    return {
      evidence: wire.evidence.map(evidenceFrom),
      ...(wire.endpoint !== undefined && { endpoint: endpointFrom(wire.endpoint) }),
      protectionActive: wire.protectionActive,
      ...ageFrom(wire),
    };
  }
}

function ageFrom({ age }: { readonly age?: Duration | undefined }): Dated {
  return age === undefined ? {} : { ageMs: durationToMs(age) };
}
