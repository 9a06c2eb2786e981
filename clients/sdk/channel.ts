/**
 * One connection to a node, shared by the classes of all services: promises, deadlines, cancellation,
 * async iteration, and retries of calls that are safe to repeat.
 */
import {
  Client,
  credentials,
  Metadata,
  type ChannelCredentials,
  type ServiceError,
} from '@grpc/grpc-js';
import { HashServiceService as Hash } from '../../proto/gen/ringbinder/v1/hash_service.js';
import { PeerServiceService as Peer } from '../../proto/gen/ringbinder/v1/peer_service.js';
import { WelcomeServiceService as Welcome } from '../../proto/gen/ringbinder/v1/welcome_service.js';
import { CallError } from './errors.js';

export type ConnectOptions = {
  /** How long a call may take unless it says otherwise. Default 10 s. */
  readonly timeoutMs?: number;
  /** Channel credentials; default plaintext. */
  readonly credentials?: ChannelCredentials;
};

export type CallOptions = {
  /** How long this call may take; for a watch, no bound unless given. */
  readonly timeoutMs?: number;
  /** Ends the call. */
  readonly signal?: AbortSignal;
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
type Method<Request, Response> = {
  readonly path: string;
  requestSerialize(request: Request): Buffer;
  responseDeserialize(bytes: Buffer): Response;
};

export class NodeChannel {
  readonly address: string;
  readonly #timeoutMs: number;
  readonly #client: Client;

  constructor(address: string, options: ConnectOptions = {}) {
    this.address = address;
    this.#timeoutMs = options.timeoutMs ?? TIMEOUT_MS;
    this.#client = new Client(address, options.credentials ?? credentials.createInsecure(), {
      'grpc.service_config': JSON.stringify(SERVICE_CONFIG),
      'grpc.keepalive_time_ms': 20_000,
      'grpc.keepalive_timeout_ms': 5_000,
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
        { deadline: Date.now() + timeoutMs },
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

  /** Every message of a stream; leaving the loop ends the call. */
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
      timeoutMs === undefined ? {} : { deadline: Date.now() + timeoutMs },
    );
    const cancel = (): void => call.cancel();
    signal?.addEventListener('abort', cancel);
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

  close(): void {
    this.#client.close();
  }
}

function isServiceError(thrown: unknown): thrown is ServiceError {
  return thrown instanceof Error && 'code' in thrown && 'metadata' in thrown;
}
