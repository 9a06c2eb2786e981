/** What applications do with services and endpoints, with typed refusals. */
import { RingbinderError } from '../errors.js';
import { storeUnreachable } from '../storage/refusals.js';
import { decodePageToken, encodePageToken, pageSizeOf } from '../rpc/page-token.js';
import type { WatchItem } from '../rpc/watch-queue.js';
import type { Binder } from './core/binder.js';
import { isLive, type Endpoint, type Registration } from './core/endpoint.js';
import type { Evidence } from './core/evidence.js';
import { weightOf } from './core/messages.js';
import type { Verdict } from './core/watchman.js';
import type { BinderDriver } from './driver.js';
import type { ServiceEvent, ServiceWatches } from './watches.js';

/** A page ends early behind so many bytes: gRPC messages end at 4 MiB. */
const PAGE_BYTES_MAX = 2 ** 20;
const SERVICES_SCOPE = 'binder/services';

export type BinderApplicationDeps = {
  /** Undefined while the binder starts. */
  readonly driver: () => BinderDriver | undefined;
  readonly watches: ServiceWatches;
};

export type ServiceSummary = {
  readonly service: string;
  readonly endpointCount: number;
  readonly healthyCount: number;
  readonly isProtected: boolean;
};

export type Explanation = {
  readonly evidence: readonly Evidence[];
  /** Undefined: it was removed. */
  readonly endpoint: Endpoint | undefined;
};

export class BinderApplication {
  readonly #deps: BinderApplicationDeps;

  constructor(deps: BinderApplicationDeps) {
    this.#deps = deps;
  }

  /** How old the answers are; undefined when they are as new as they can be. */
  get ageMs(): number | undefined {
    return this.#driver.ageMs;
  }

  /** Throws `TABLE_FULL` or `STORE_UNREACHABLE`. When it resolves, the registration is on disk. */
  async register(registration: Registration): Promise<Endpoint> {
    this.#assertWritable();
    const endpoint = this.#binder.register(registration);
    await this.#driver.saved(endpoint);
    return endpoint;
  }

  /** Registers what is not there, and renews what is: for those who know no token. */
  async keep(registration: Registration): Promise<void> {
    const { service, address } = registration;
    const known = this.#binder.registry.get(service, address);
    if (isLive(known)) await this.renew(known.endpointId, BigInt(known.fencingToken));
    else await this.register(registration);
  }

  /** Returns how long the lease lives now. Throws `LEASE_EXPIRED` or `FENCING_TOKEN_STALE`. */
  async renew(endpointId: string, fencingToken: bigint): Promise<number> {
    const outcome = await this.#driver.renew(endpointId, Number(fencingToken));
    if (outcome.kind === 'refused') throw outcome.error;
    return outcome.ttlMs;
  }

  /** A token of 0 is none. Throws `ENDPOINT_UNKNOWN`, `FENCING_TOKEN_STALE`, `STORE_UNREACHABLE`. */
  async deregister(
    which: { readonly endpointId: string } | { readonly service: string; readonly address: string },
    fencingToken: bigint,
  ): Promise<void> {
    this.#assertWritable();
    const token = fencingToken === 0n ? undefined : Number(fencingToken);
    await this.#driver.saved(this.#binder.deregister(which, token));
  }

  /** Throws `SERVICE_UNKNOWN` or `NO_HEALTHY_ENDPOINT`. */
  resolve(service: string): Endpoint {
    return this.#binder.resolve(service);
  }

  isProtected(service: string): boolean {
    return (this.#binder.registry.shelf(service)?.heldCount ?? 0) > 0;
  }

  /** Throws `PAGE_TOKEN_INVALID`. */
  endpoints(
    service: string,
    pageSize: number,
    pageToken: string,
  ): { readonly endpoints: readonly Endpoint[]; readonly nextPageToken: string } {
    const scope = `binder/endpoints/${service}`;
    const after = decodePageToken(pageToken, scope);
    const shelf = this.#binder.registry.shelf(service);
    const endpoints: Endpoint[] = [];
    let bytes = 0;
    for (const endpoint of shelf?.from(after ?? '') ?? []) {
      if (endpoint.registration.address === after) continue;
      if (endpoints.length >= pageSizeOf(pageSize) || bytes > PAGE_BYTES_MAX) {
        const last = endpoints.at(-1)?.registration.address ?? '';
        return { endpoints, nextPageToken: encodePageToken({ scope, after: last }) };
      }
      bytes += weightOf(endpoint);
      endpoints.push(endpoint);
    }
    return { endpoints, nextPageToken: '' };
  }

  /** Throws `PAGE_TOKEN_INVALID`. */
  services(
    pageSize: number,
    pageToken: string,
  ): { readonly services: readonly ServiceSummary[]; readonly nextPageToken: string } {
    const scope = SERVICES_SCOPE;
    const after = decodePageToken(pageToken, scope);
    const { registry } = this.#binder;
    const services: ServiceSummary[] = [];
    for (const service of registry.servicesFrom(after ?? '')) {
      if (service === after) continue;
      if (services.length >= pageSizeOf(pageSize)) {
        const last = services.at(-1)?.service ?? '';
        return { services, nextPageToken: encodePageToken({ scope, after: last }) };
      }
      const { size = 0, healthyCount = 0, heldCount = 0 } = registry.shelf(service) ?? {};
      const isProtected = heldCount > 0;
      services.push({ service, endpointCount: size, healthyCount, isProtected });
    }
    return { services, nextPageToken: '' };
  }

  /** All endpoints, then every change; as `ServiceWatches.watch`. */
  watch(service: string, signal: AbortSignal): AsyncGenerator<WatchItem<ServiceEvent>, void, void> {
    const endpoints = [...(this.#binder.registry.shelf(service)?.from('') ?? [])];
    return this.#deps.watches.watch(service, endpoints, signal);
  }

  /** Throws `ENDPOINT_UNKNOWN` or `STORE_UNREACHABLE`. */
  async report(service: string, address: string): Promise<Verdict> {
    this.#assertWritable();
    return new Promise((resolve) => this.#binder.report(service, address, resolve));
  }

  /** Throws `ENDPOINT_UNKNOWN`. */
  explain(service: string, address: string): Explanation {
    const { endpoint, evidence } = this.#binder.explain(service, address);
    return { evidence, endpoint: endpoint.removal === undefined ? endpoint : undefined };
  }

  #assertWritable(): void {
    const { ageMs } = this.#driver;
    if (ageMs !== undefined) throw storeUnreachable(`not in touch for ${Math.round(ageMs)} ms`);
  }

  get #driver(): BinderDriver {
    const driver = this.#deps.driver();
    if (driver !== undefined) return driver;
    const text = 'this binder takes over what the others know first; ask again soon';
    throw new RingbinderError('BINDER_STARTING', text, {}, { retryAfterMs: 500 });
  }

  get #binder(): Binder {
    return this.#driver.binder;
  }
}
