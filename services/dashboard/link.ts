/** What the dashboard asks of its own node, over gRPC like any client. */
import { status, type Client, type ServiceError } from '@grpc/grpc-js';
import { BinderServiceService } from '../../proto/gen/ringbinder/v1/binder_service.js';
import { DhtServiceService } from '../../proto/gen/ringbinder/v1/dht_service.js';
import { MonitorServiceService } from '../../proto/gen/ringbinder/v1/monitor_service.js';
import { RingbinderError } from '../errors.js';
import { callServerStream, callUnary, fromServiceError } from '../rpc/channel.js';
import type { RequestCodec, ResponseCodec } from '../rpc/handlers.js';
import { connectTo } from '../rpc/node-client.js';
import type {
  EndpointsJson,
  EvidencesJson,
  KeyJson,
  ServicesJson,
  StatsJson,
  TopologyJson,
  TraceJson,
  VerdictJson,
} from './messages.js';
import {
  endpointToJson,
  eventToJson,
  evidenceToJson,
  keyToJson,
  statsToJson,
  topologyToJson,
  traceToJson,
  verdictToJson,
  type PageEvent,
} from './wire.js';

/** Longer than what the services themselves wait for a peer. */
const TIMEOUT_MS = 8_000;
const PAGE_SIZE = 100;

/** Every method rejects with a `RingbinderError`. */
export class NodeLink {
  readonly #client: Client;

  /** `address` is where the node itself listens. */
  constructor(address: string) {
    this.#client = connectTo(address);
  }

  async topology(): Promise<TopologyJson> {
    return topologyToJson(await this.#call(MonitorServiceService.getTopology, {}));
  }

  async verdict(): Promise<VerdictJson> {
    return verdictToJson(await this.#call(MonitorServiceService.checkRing, {}));
  }

  /** Of the node itself when no ring ID is given. */
  async stats(ringId: bigint | undefined): Promise<StatsJson> {
    return statsToJson(await this.#call(MonitorServiceService.getStats, { ringId }));
  }

  /** `from` is the ring ID of who looks up; the node itself when it is undefined. */
  async trace(key: string, from: bigint | undefined): Promise<TraceJson> {
    return traceToJson(await this.#trace(key, from));
  }

  async key(key: string): Promise<KeyJson> {
    const [trace, found, holders] = await Promise.all([
      this.#trace(key, undefined),
      this.#get(key),
      this.#call(DhtServiceService.listHolders, {
        key,
        pageSize: PAGE_SIZE,
        pageToken: '',
        readQuorum: 0,
      }),
    ]);
    return keyToJson(trace, found, holders);
  }

  async services(pageToken: string): Promise<ServicesJson> {
    const request = { pageSize: PAGE_SIZE, pageToken };
    const { services, nextPageToken } = await this.#call(
      BinderServiceService.listServices,
      request,
    );
    return {
      services: services.map(({ service, endpointCount, healthyCount, protectionActive }) => ({
        service,
        endpointCount,
        healthyCount,
        isProtected: protectionActive,
      })),
      ...nextPage(nextPageToken),
    };
  }

  async endpoints(service: string, pageToken: string): Promise<EndpointsJson> {
    const request = { service, pageSize: PAGE_SIZE, pageToken };
    const { endpoints, nextPageToken } = await this.#call(
      BinderServiceService.listEndpoints,
      request,
    );
    return { endpoints: endpoints.map(endpointToJson), ...nextPage(nextPageToken) };
  }

  async evidence(service: string, address: string): Promise<EvidencesJson> {
    const request = { service, address };
    const { evidence } = await this.#call(BinderServiceService.explainEndpoint, request);
    return { evidence: evidence.map(evidenceToJson) };
  }

  /** A snapshot of the topology, then its changes and heartbeats; ends by the signal. */
  async *watch(signal: AbortSignal): AsyncGenerator<PageEvent, void, void> {
    const { watchTopology } = MonitorServiceService;
    try {
      const responses = callServerStream(this.#client, watchTopology, {}, { signal });
      for await (const response of responses) yield eventToJson(response);
    } catch (thrown) {
      throw refusalOf(thrown);
    }
  }

  close(): void {
    this.#client.close();
  }

  async #trace(key: string, fromRingId: bigint | undefined) {
    const target = { $case: 'key', value: key } as const;
    return this.#call(MonitorServiceService.traceLookup, { target, fromRingId });
  }

  async #get(key: string) {
    return this.#call(DhtServiceService.get, { key, readQuorum: 0 }).catch((thrown: unknown) => {
      if (thrown instanceof RingbinderError && thrown.reason === 'KEY_NOT_FOUND') return undefined;
      throw thrown;
    });
  }

  async #call<Request, Response>(
    method: RequestCodec<Request> & ResponseCodec<Response>,
    request: Request,
  ): Promise<Response> {
    try {
      return await callUnary(this.#client, method, request, { timeoutMs: TIMEOUT_MS });
    } catch (thrown) {
      throw refusalOf(thrown);
    }
  }
}

function nextPage(nextPageToken: string): { readonly nextPageToken?: string } {
  return nextPageToken === '' ? {} : { nextPageToken };
}

/** What the node refused; that it did not answer in time, or at all, because it stops. */
function refusalOf(thrown: unknown): RingbinderError {
  if (thrown instanceof RingbinderError) return thrown;
  const error = thrown as ServiceError;
  const refusal = 'metadata' in error ? fromServiceError(error) : undefined;
  if (refusal !== undefined) return refusal;
  if (error.code === status.DEADLINE_EXCEEDED) {
    return new RingbinderError('DEADLINE_PASSED', `no answer within ${TIMEOUT_MS} ms`);
  }
  if (error.code === status.UNAVAILABLE) {
    return new RingbinderError('NODE_STOPPING', 'the node takes no calls', {}, { cause: thrown });
  }
  return RingbinderError.from(thrown);
}
