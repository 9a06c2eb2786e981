/**
 * The gRPC face of a node: services with validated requests, typed errors and back-pressure, with
 * `grpc.health.v1` and server reflection beside them, and an orderly end.
 */
import { Server, ServerCredentials, type ServiceDefinition } from '@grpc/grpc-js';
import type { Logger } from 'pino';
import { HealthService } from '../../proto/gen/grpc/health/v1/health.js';
import { ServerReflectionService } from '../../proto/gen/grpc/reflection/v1/reflection.js';
import { ServerReflectionService as ServerReflectionServiceV1Alpha } from '../../proto/gen/grpc/reflection/v1alpha/reflection.js';
import { RingbinderError } from '../errors.js';
import { type Clock, within } from '../system/clock.js';
import { CallsUnderWay } from './calls-under-way.js';
import { notImplemented, refuseUnknownCalls, refuseWith, typeStatuses } from './grpc-statuses.js';
import type {
  BidiHandler,
  ClientStreamHandler,
  HandlersFor,
  RpcMethod,
  ServerStreamHandler,
  UnaryHandler,
} from './handlers.js';
import { createHealthHandlers, HealthState } from './health.js';
import { FLUSH_MS, RECEIVE_BYTES_MAX, RPC_LIMITS, type RpcLimits } from './limits.js';
import { Listener } from './listener.js';
import { createReflectionHandlers } from './reflection.js';
import type { CallScope } from './running-call.js';
import { bidiStreaming, clientStreaming, serverStreaming } from './streaming.js';
import { unary } from './unary.js';

export type RpcServerOptions = {
  readonly log: Logger;
  readonly clock: Clock;
  readonly limits?: Partial<RpcLimits>;
  readonly ended?: CallScope['ended'];
  /** Plain text when absent. */
  readonly credentials?: ServerCredentials;
};

/** Of which kind, the method says. */
type AnyHandler =
  | UnaryHandler<unknown, unknown>
  | ServerStreamHandler<unknown, unknown>
  | ClientStreamHandler<unknown, unknown>
  | BidiHandler<unknown, unknown>;

export class RpcServer {
  /** What the node says of itself. A service that is added serves until this is told otherwise. */
  readonly health = new HealthState();
  readonly #calls = new CallsUnderWay();
  readonly #scope: CallScope;
  readonly #server: Server;
  readonly #listener: Listener;
  readonly #closeConnections: () => void;
  readonly #services: string[] = [];
  #drained: Promise<void> | undefined;
  #receivedBytes = 0;
  #sentBytes = 0;

  constructor({ log, clock, limits, credentials, ended }: RpcServerOptions) {
    const bounds = { ...RPC_LIMITS, ...limits };
    this.#scope = { log, clock, calls: this.#calls, ended };
    this.#server = new Server(serverOptions(bounds));
    refuseUnknownCalls(this.#server);
    const injector = this.#server.createConnectionInjector(
      credentials ?? ServerCredentials.createInsecure(),
    );
    this.#closeConnections = () => injector.destroy();
    this.#listener = new Listener(injector, bounds.connectionsMax, log);
    const reflection = createReflectionHandlers(() => this.#services);
    this.add(ServerReflectionService, reflection);
    this.add(ServerReflectionServiceV1Alpha, reflection);
    this.add(HealthService, createHealthHandlers(this.health));
  }

  /** Bytes of messages since the beginning, reflection and health included. */
  get traffic(): { readonly receivedBytes: number; readonly sentBytes: number } {
    return { receivedBytes: this.#receivedBytes, sentBytes: this.#sentBytes };
  }

  /** Serves a service. Methods without a handler answer `RPC_NOT_IMPLEMENTED`. */
  add<Definition extends ServiceDefinition>(
    definition: Definition,
    handlers: Partial<HandlersFor<Definition>>,
  ): void {
    const service = serviceNameOf(definition);
    for (const [name, method] of Object.entries<RpcMethod>(definition)) {
      const handler = (handlers as Readonly<Record<string, AnyHandler | undefined>>)[name];
      if (handler) this.#serve(method, handler);
      else this.#refuse(method.path, notImplemented(method.path));
    }
    this.#services.push(service);
    this.health.set(service, 'SERVING');
  }

  /** Answers all calls of a service with `ROLE_NOT_SERVED`. */
  addNotServed(definition: ServiceDefinition): void {
    const service = serviceNameOf(definition);
    const text = `this node does not serve ${service}; ask another node`;
    const error = new RingbinderError('ROLE_NOT_SERVED', text, { service });
    for (const { path } of Object.values(definition)) this.#refuse(path, error);
  }

  /**
   * Listens at `host:port` and resolves with the address, which has the port chosen for 0. Rejects
   * with a plain `Error` that has a `code` and names the address: `EADDRINUSE` when it is taken.
   */
  listen(address: string): Promise<string> {
    return this.#listener.listen(address);
  }

  /**
   * Ends the server, for good. The health service says so; then no call is taken any more, streams
   * end with `NODE_STOPPING`, and other calls have `ms` to finish before they do. Resolves when
   * all connections are closed, half a second after that at the latest.
   */
  drain(ms: number): Promise<void> {
    this.#drained ??= this.#drain(ms);
    return this.#drained;
  }

  async #drain(ms: number): Promise<void> {
    this.health.stop();
    await settled();
    this.#listener.close();
    this.#calls.stop();
    const { clock } = this.#scope;
    await within(clock, ms, this.#calls.idle());
    this.#calls.abandon();
    this.#closeConnections();
    await within(clock, FLUSH_MS, this.#listener.empty());
    this.#listener.destroy();
    await this.#listener.empty();
  }

  /** Bytes go in and out: decoding and encoding are ours, where their failures can be typed. */
  #serve(method: RpcMethod, handler: AnyHandler): void {
    const scope = this.#scope;
    const out = (bytes: Buffer): Buffer => {
      this.#sentBytes += bytes.length;
      return bytes;
    };
    const into = (bytes: Buffer): Buffer => {
      this.#receivedBytes += bytes.length;
      return bytes;
    };
    const { path, requestStream, responseStream } = method;
    if (requestStream && responseStream) {
      const handle = handler as BidiHandler<unknown, unknown>;
      this.#server.register(path, bidiStreaming(method, handle, scope), out, into, 'bidi');
    } else if (requestStream) {
      const handle = handler as ClientStreamHandler<unknown, unknown>;
      const answer = clientStreaming(method, handle, scope);
      this.#server.register(path, answer, out, into, 'clientStream');
    } else if (responseStream) {
      const handle = handler as ServerStreamHandler<unknown, unknown>;
      const answer = serverStreaming(method, handle, scope);
      this.#server.register(path, answer, out, into, 'serverStream');
    } else {
      const handle = handler as UnaryHandler<unknown, unknown>;
      this.#server.register(path, unary(method, handle, scope), out, into, 'unary');
    }
  }

  #refuse(path: string, error: RingbinderError): void {
    this.#server.register(path, refuseWith(error), asIs, asIs, 'bidi');
  }
}

function serverOptions(limits: RpcLimits) {
  return {
    'grpc.max_receive_message_length': RECEIVE_BYTES_MAX,
    'grpc.max_concurrent_streams': limits.streamsMax,
    'grpc.keepalive_time_ms': limits.keepaliveMs,
    'grpc.keepalive_timeout_ms': limits.keepaliveTimeoutMs,
    // Bookkeeping for a debugging service that we don't have; it costs some percent of each call.
    'grpc.enable_channelz': 0,
    interceptors: [typeStatuses],
  };
}

const asIs = (bytes: Buffer): Buffer => bytes;

function serviceNameOf(definition: ServiceDefinition): string {
  const [path = ''] = Object.values(definition).map((method) => method.path);
  return path.split('/')[1] ?? '';
}

/** Resolves when everything that waits for neither timers nor the network has gone on. */
async function settled(): Promise<void> {
  await Promise.resolve();
  // From here, a tick comes after all promises, and those that they resolve.
  await new Promise<void>((resolve) => process.nextTick(resolve));
}
