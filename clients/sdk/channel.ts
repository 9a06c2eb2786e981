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
import { DhtServiceService as Dht } from '../../proto/gen/ringbinder/v1/dht_service.js';
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

/** How a watch goes on when the connection or the node is lost. */
export type LastingOptions = CallOptions & {
  /** False ends the watch with the error instead. Default true. */
  readonly reconnect?: boolean;
  /** Told of each loss, before the wait for a new attempt. */
  readonly onLost?: (error: CallError) => void;
};

const TIMEOUT_MS = 10_000;
/** The wait before a lost stream is opened again; doubles with each attempt that brings nothing. */
const REOPEN_MS = { first: 100, max: 5_000 };

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
  Dht.put,
  Dht.get,
  Dht.delete,
  Dht.want,
  Dht.listKeys,
  Dht.announceHolder,
  Dht.withdrawHolder,
  Dht.listHolders,
  Dht.introduce,
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

  /**
   * Like `stream`, but opens another one after UNAVAILABLE, again and again, once a first message has
   * come: until then the node may never have been there.
   */
  async *lastingStream<Request, Response>(
    method: Method<Request, Response>,
    request: Request,
    { timeoutMs, signal, reconnect = true, onLost }: LastingOptions = {},
  ): AsyncGenerator<Response, void, void> {
    const end = Date.now() + (timeoutMs ?? Number.POSITIVE_INFINITY);
    let hasBegun = false;
    let waitMs = REOPEN_MS.first;
    for (;;) {
      const options = {
        ...(timeoutMs !== undefined && { timeoutMs: end - Date.now() }),
        ...(signal !== undefined && { signal }),
      };
      try {
        for await (const message of this.stream(method, request, options)) {
          hasBegun = true;
          waitMs = REOPEN_MS.first;
          yield message;
        }
        return;
      } catch (thrown) {
        const isLost = thrown instanceof CallError && thrown.status === 'UNAVAILABLE';
        if (!isLost || !hasBegun || !reconnect) throw thrown;
        onLost?.(thrown);
        const askedMs = Math.min(thrown.retryAfterMs ?? 0, REOPEN_MS.max);
        const spreadMs = waitMs * (0.5 + Math.random() / 2);
        await pause(Math.min(Math.max(spreadMs, askedMs), end - Date.now()), signal);
        waitMs = Math.min(2 * waitMs, REOPEN_MS.max);
      }
      if (signal?.aborted === true) return;
    }
  }

  close(): void {
    this.#client.close();
  }
}

/** Resolves after a time, or when the signal says so. */
async function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  if (signal?.aborted === true) return;
  await new Promise<void>((resolve) => {
    const wake = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', wake);
      resolve();
    };
    const timer = setTimeout(wake, ms);
    signal?.addEventListener('abort', wake);
  });
}

function isServiceError(thrown: unknown): thrown is ServiceError {
  return thrown instanceof Error && 'code' in thrown && 'metadata' in thrown;
}
