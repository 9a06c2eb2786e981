/**
 * Calls to an etcd cluster: to one of its members at a time, and to the next when that one does not
 * answer, has no leader, or is going down.
 *
 * Whatever only reads is asked of each member once. What changes something is sent once, over a
 * connection that stands: when no answer comes, nobody knows whether it happened, and repeating it
 * might undo what somebody else did since.
 */
import {
  Client,
  credentials,
  Metadata,
  status,
  type ClientDuplexStream,
  type ServiceError,
} from '@grpc/grpc-js';
import {
  KVService,
  LeaseService,
  WatchService,
  RangeRequest,
  type RangeResponse,
  type TxnRequest,
  type TxnResponse,
  type WatchCreateRequest,
  type WatchRequest,
  type WatchResponse,
} from '../../../proto/gen/etcdserverpb/rpc.js';
import { callUnary } from '../../rpc/channel.js';
import type { RequestCodec, ResponseCodec } from '../../rpc/handlers.js';
import { type Clock, systemClock } from '../../system/clock.js';
import { storeUnreachable } from '../refusals.js';

/** How long a question may take, over all members, and at one while there are others. */
const READ_MS = 1_200;
const READ_ONE_MS = 700;
/** How long a change may take, and how long one member may take to be connected. */
export const WRITE_MS = 2_500;
const CONNECT_ONE_MS = 500;

/** A cluster that is restarted must be found again at once; an answer has up to 10,000 entries. */
const CHANNEL_OPTIONS = {
  'grpc.max_receive_message_length': -1,
  'grpc.initial_reconnect_backoff_ms': 50,
  'grpc.min_reconnect_backoff_ms': 50,
  'grpc.max_reconnect_backoff_ms': 500,
  'grpc.keepalive_time_ms': 10_000,
  'grpc.keepalive_timeout_ms': 3_000,
  'grpc.enable_retries': 0,
  'grpc.service_config_disable_resolution': 1,
} as const;

/** A member cut off from the others refuses at once instead of letting everyone wait. */
const NEEDS_LEADER = new Metadata();
NEEDS_LEADER.set('hasleader', 'true');

type Endpoint = { readonly address: string; readonly client: Client };
type Method<Request, Response> = RequestCodec<Request> & ResponseCodec<Response>;

export type WatchHandlers = {
  readonly onResponse: (response: WatchResponse) => void;
  /** Called once. No response comes after it. */
  readonly onEnd: (cause: unknown) => void;
};

export type EtcdLinkDeps = {
  /** `host:port` of the members, at least one. */
  readonly endpoints: readonly string[];
  readonly clock: Clock;
};

export class EtcdLink {
  readonly #clock: Clock;
  readonly #endpoints: readonly Endpoint[];
  readonly #streams = new Set<ClientDuplexStream<WatchRequest, WatchResponse>>();
  #index = 0;

  constructor({ endpoints, clock }: EtcdLinkDeps) {
    this.#clock = clock;
    this.#endpoints = endpoints.map((address) => ({
      address,
      client: new Client(address, credentials.createInsecure(), CHANNEL_OPTIONS),
    }));
  }

  /** Linearizable. Rejects with `STORE_UNREACHABLE`, or with the `ServiceError` of a wrong question. */
  async range(request: Partial<RangeRequest>): Promise<RangeResponse> {
    const endMs = this.#clock.monotonicMs() + READ_MS;
    const oneMs = this.#endpoints.length > 1 ? READ_ONE_MS : READ_MS;
    const full = RangeRequest.fromPartial(request);
    let cause: unknown;
    for (let tries = 0; tries < this.#endpoints.length; tries += 1) {
      const timeoutMs = Math.min(oneMs, endMs - this.#clock.monotonicMs());
      if (timeoutMs <= 0) break;
      const endpoint = this.#current();
      try {
        return await call(endpoint, KVService.range, full, timeoutMs);
      } catch (thrown) {
        if (isOutOfRange(thrown)) throw thrown;
        this.#moveFrom(endpoint);
        cause = thrown;
      }
    }
    throw this.#unreachable(cause);
  }

  /** Sends it once. Rejects with `STORE_UNREACHABLE`: it may have been applied then. */
  async txn(request: TxnRequest, endMs: number): Promise<TxnResponse> {
    return this.#write(KVService.txn, request, endMs);
  }

  /** Returns the ID of a new lease. Rejects with `STORE_UNREACHABLE`. */
  async grant(ttlMs: number, endMs: number): Promise<bigint> {
    const request = { TTL: BigInt(Math.ceil(ttlMs / 1_000)), ID: 0n };
    return (await this.#write(LeaseService.leaseGrant, request, endMs)).ID;
  }

  /** Ends a lease soon; one that is not reached ends by itself. */
  revoke(leaseId: bigint): void {
    const { client } = this.#current();
    const options = { timeoutMs: WRITE_MS };
    void callUnary(client, LeaseService.leaseRevoke, { ID: leaseId }, options).catch(
      () => undefined,
    );
  }

  /** Prolongs a lease; false when it has ended. Rejects with `STORE_UNREACHABLE`. */
  async keepAlive(leaseId: bigint, endMs: number): Promise<boolean> {
    const endpoint = await this.#connected(endMs);
    try {
      const answer = await askOnce(
        endpoint,
        LeaseService.leaseKeepAlive,
        { ID: leaseId },
        this.#left(endMs),
      );
      return answer.TTL > 0n;
    } catch (thrown) {
      this.#moveFrom(endpoint);
      throw this.#unreachable(thrown);
    }
  }

  /** Opens a watch at the member that is called now; it breaks off when another one is. */
  watch(request: WatchCreateRequest, { onResponse, onEnd }: WatchHandlers): () => void {
    const { path, requestSerialize, responseDeserialize } = WatchService.watch;
    const stream = this.#current().client.makeBidiStreamRequest(
      path,
      requestSerialize,
      responseDeserialize,
      NEEDS_LEADER,
    );
    this.#streams.add(stream);
    let isOver = false;
    const end = (cause: unknown): void => {
      this.#streams.delete(stream);
      if (isOver) return;
      isOver = true;
      stream.cancel();
      onEnd(cause);
    };
    stream.on('data', (response: WatchResponse) => {
      if (!isOver) onResponse(response);
    });
    stream.on('error', end);
    stream.on('end', () => end(new Error('etcd ended the watch')));
    stream.write({ requestUnion: { $case: 'createRequest', value: request } });
    return () => end(new Error('the watch was given up'));
  }

  close(): void {
    for (const stream of this.#streams) stream.cancel();
    for (const { client } of this.#endpoints) client.close();
  }

  async #write<Request, Response>(
    method: Method<Request, Response>,
    request: Request,
    endMs: number,
  ): Promise<Response> {
    const endpoint = await this.#connected(endMs);
    try {
      return await call(endpoint, method, request, this.#left(endMs));
    } catch (thrown) {
      this.#moveFrom(endpoint);
      throw this.#unreachable(thrown);
    }
  }

  /** Returns a member that a connection stands to. */
  async #connected(endMs: number): Promise<Endpoint> {
    let cause: unknown;
    for (let tries = 0; tries < this.#endpoints.length; tries += 1) {
      const endpoint = this.#current();
      try {
        await untilConnected(endpoint, Math.min(CONNECT_ONE_MS, this.#left(endMs)));
        return endpoint;
      } catch (thrown) {
        this.#moveFrom(endpoint);
        cause = thrown;
      }
    }
    throw this.#unreachable(cause);
  }

  #current(): Endpoint {
    const endpoint = this.#endpoints[this.#index];
    if (endpoint === undefined) throw new Error('no etcd to call');
    return endpoint;
  }

  /** The next member from now on, unless another call has found that out already. */
  #moveFrom(endpoint: Endpoint): void {
    if (this.#endpoints.length < 2 || endpoint !== this.#current()) return;
    this.#index = (this.#index + 1) % this.#endpoints.length;
    for (const stream of this.#streams) stream.cancel();
  }

  #left(endMs: number): number {
    return Math.max(1, endMs - this.#clock.monotonicMs());
  }

  #unreachable(cause: unknown): Error {
    const addresses = this.#endpoints.map(({ address }) => address).join(', ');
    return storeUnreachable(`etcd at ${addresses}: ${whyOf(cause)}`, cause);
  }
}

/** Whether etcd says that it no longer has the revision that was asked for. */
export function isOutOfRange(thrown: unknown): boolean {
  return thrown instanceof Error && 'code' in thrown && thrown.code === status.OUT_OF_RANGE;
}

async function call<Request, Response>(
  { client }: Endpoint,
  method: Method<Request, Response>,
  request: Request,
  timeoutMs: number,
): Promise<Response> {
  return callUnary(client, method, request, { timeoutMs, metadata: NEEDS_LEADER });
}

/** One question and one answer over a stream of its own. */
async function askOnce<Request, Response>(
  { client }: Endpoint,
  method: Method<Request, Response>,
  request: Request,
  timeoutMs: number,
): Promise<Response> {
  return new Promise((resolve, reject) => {
    const stream = client.makeBidiStreamRequest<Request, Response>(
      method.path,
      (value) => method.requestSerialize(value),
      (bytes) => method.responseDeserialize(bytes),
      NEEDS_LEADER,
      { deadline: systemClock.now() + timeoutMs },
    );
    stream.once('data', (response: Response) => {
      resolve(response);
      stream.cancel();
    });
    stream.on('error', reject);
    stream.on('end', () => reject(new Error('etcd ended the stream')));
    stream.write(request);
    stream.end();
  });
}

async function untilConnected({ client, address }: Endpoint, withinMs: number): Promise<void> {
  return new Promise((resolve, reject) => {
    client.waitForReady(systemClock.now() + withinMs, (error) => {
      if (error === undefined) resolve();
      else reject(new Error(`no connection to ${address} within ${Math.ceil(withinMs)} ms`));
    });
  });
}

function whyOf(cause: unknown): string {
  if (cause instanceof Error && 'details' in cause) return (cause as ServiceError).details;
  return cause instanceof Error ? cause.message : String(cause);
}
