/**
 * One connection to a node, shared by the classes of all services: promises, deadlines, cancellation,
 * async iteration, and retries of calls that are safe to repeat.
 */
import {
  Client,
  credentials,
  Metadata,
  type ChannelCredentials,
  type ClientDuplexStream,
  type ServiceError,
} from '@grpc/grpc-js';
import { BinderServiceService as Binder } from '../../proto/gen/ringbinder/v1/binder_service.js';
import { DhtServiceService as Dht } from '../../proto/gen/ringbinder/v1/dht_service.js';
import { HashServiceService as Hash } from '../../proto/gen/ringbinder/v1/hash_service.js';
import { MonitorServiceService as Monitor } from '../../proto/gen/ringbinder/v1/monitor_service.js';
import { PeerServiceService as Peer } from '../../proto/gen/ringbinder/v1/peer_service.js';
import { WelcomeServiceService as Welcome } from '../../proto/gen/ringbinder/v1/welcome_service.js';
import { CallError } from './errors.js';
import {
  lastingStream,
  REOPEN_MS,
  type CallOptions,
  type LastingOptions,
} from './lasting-stream.js';
import { now } from './timing.js';

export type ConnectOptions = {
  /** How long a call may take unless it says otherwise. Default 10 s. */
  readonly timeoutMs?: number;
  /** Channel credentials; default plaintext. */
  readonly credentials?: ChannelCredentials;
  /** False makes each call once, also those that are safe to repeat. Default true. */
  readonly retries?: boolean;
};

const TIMEOUT_MS = 10_000;
/** Reads, and writes that are the same when repeated: tried again when a connection was lost. */
const REPEATABLE = [
  Hash.assignRingId,
  Hash.getRingId,
  Hash.getAddress,
  Hash.listAssignments,
  Hash.hashKey,
  Welcome.getPeer,
  Welcome.getRoutingTable,
  Welcome.listPeers,
  Peer.getNeighbors,
  Peer.ping,
  Peer.lookup,
  Monitor.getRoutingTable,
  Monitor.getTopology,
  Monitor.traceLookup,
  Monitor.checkRing,
  Monitor.getStats,
  Dht.put,
  Dht.get,
  Dht.delete,
  Dht.want,
  Dht.listKeys,
  Dht.announceHolder,
  Dht.withdrawHolder,
  Dht.listHolders,
  Dht.introduce,
  Binder.registerEndpoint,
  Binder.renewLease,
  Binder.deregisterEndpoint,
  Binder.resolve,
  Binder.listEndpoints,
  Binder.listServices,
  Binder.watchService,
  Binder.reportUnreachable,
  Binder.explainEndpoint,
].map(({ path }) => {
  const [, service = '', method = ''] = path.split('/');
  return { service, method };
});

const SERVICE_CONFIG = {
  loadBalancingConfig: [],
  methodConfig: [
    {
      name: REPEATABLE,
      retryPolicy: {
        maxAttempts: 3,
        initialBackoff: '0.1s',
        maxBackoff: '1s',
        backoffMultiplier: 2,
        retryableStatusCodes: ['UNAVAILABLE'],
      },
    },
  ],
};

/** One method of a generated service definition. */
export type Method<Request, Response> = {
  readonly path: string;
  requestSerialize(request: Request): Buffer;
  responseDeserialize(bytes: Buffer): Response;
};

/** What the classes of the services need of a connection. */
export interface Calls {
  unary<Request, Response>(
    method: Method<Request, Response>,
    request: Request,
    options?: CallOptions,
  ): Promise<Response>;
  /** Every message of a stream; leaving the loop ends the call. */
  stream<Request, Response>(
    method: Method<Request, Response>,
    request: Request,
    options?: CallOptions,
  ): AsyncGenerator<Response, void, void>;
  /** Like `stream`, but goes on after a loss. */
  lastingStream<Request, Response>(
    method: Method<Request, Response>,
    request: Request,
    options?: LastingOptions,
  ): AsyncGenerator<Response, void, void>;
}

export class NodeChannel implements Calls {
  readonly address: string;
  readonly #timeoutMs: number;
  readonly #client: Client;

  constructor(address: string, options: ConnectOptions = {}) {
    this.address = address;
    this.#timeoutMs = options.timeoutMs ?? TIMEOUT_MS;
    this.#client = new Client(address, options.credentials ?? credentials.createInsecure(), {
      'grpc.service_config': JSON.stringify(SERVICE_CONFIG),
      'grpc.enable_retries': options.retries === false ? 0 : 1,
      'grpc.keepalive_time_ms': 20_000,
      'grpc.keepalive_timeout_ms': 5_000,
      'grpc.initial_reconnect_backoff_ms': REOPEN_MS.first,
      'grpc.max_reconnect_backoff_ms': REOPEN_MS.max,
      // Shared connections would share their waits too: a new client of a node that came back must not wait.
      'grpc.use_local_subchannel_pool': 1,
    });
  }

  async unary<Request, Response>(
    method: Method<Request, Response>,
    request: Request,
    { timeoutMs = this.#timeoutMs, signal }: CallOptions = {},
  ): Promise<Response> {
    return new Promise((resolve, reject) => {
      const call = this.#client.makeUnaryRequest<Request, Response>(
        method.path,
        (value) => method.requestSerialize(value),
        (bytes) => method.responseDeserialize(bytes),
        request,
        new Metadata(),
        { deadline: now() + timeoutMs },
        (error, response) => {
          signal?.removeEventListener('abort', cancel);
          if (error !== null) reject(new CallError(error));
          else resolve(response as Response);
        },
      );
      const cancel = (): void => call.cancel();
      signal?.addEventListener('abort', cancel);
      if (signal?.aborted === true) cancel();
    });
  }

  async *stream<Request, Response>(
    method: Method<Request, Response>,
    request: Request,
    { timeoutMs, signal }: CallOptions = {},
  ): AsyncGenerator<Response, void, void> {
    const call = this.#client.makeServerStreamRequest<Request, Response>(
      method.path,
      (value) => method.requestSerialize(value),
      (bytes) => method.responseDeserialize(bytes),
      request,
      timeoutMs === undefined ? {} : { deadline: now() + timeoutMs },
    );
    const cancel = (): void => call.cancel();
    signal?.addEventListener('abort', cancel);
    if (signal?.aborted === true) cancel();
    try {
      for await (const message of call) yield message as Response;
    } catch (thrown) {
      if (signal?.aborted === true) return;
      throw isServiceError(thrown) ? new CallError(thrown) : thrown;
    } finally {
      signal?.removeEventListener('abort', cancel);
      cancel();
    }
  }

  lastingStream<Request, Response>(
    method: Method<Request, Response>,
    request: Request,
    options?: LastingOptions,
  ): AsyncGenerator<Response, void, void> {
    return lastingStream((bounds) => this.stream(method, request, bounds), options);
  }

  /** A call with streams both ways, as grpc-js has it; its errors are `ServiceError`s. */
  duplex<Request, Response>(
    method: Method<Request, Response>,
  ): ClientDuplexStream<Request, Response> {
    return this.#client.makeBidiStreamRequest(
      method.path,
      (value: Request) => method.requestSerialize(value),
      (bytes: Buffer) => method.responseDeserialize(bytes),
      new Metadata(),
    );
  }

  close(): void {
    this.#client.close();
  }
}

function isServiceError(thrown: unknown): thrown is ServiceError {
  return thrown instanceof Error && 'code' in thrown && 'metadata' in thrown;
}
