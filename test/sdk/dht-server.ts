/** A server that answers DhtService calls as a test says, with nothing behind it. */
import {
  Metadata,
  Server,
  status,
  type ServiceError,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js';
import { ErrorInfo, RetryInfo } from '../../proto/gen/google/rpc/error_details.js';
import { Status } from '../../proto/gen/google/rpc/status.js';
import {
  DhtServiceService,
  type DhtServiceServer,
  type WantResponse,
} from '../../proto/gen/ringbinder/v1/dht_service.js';
import { Ringbinder } from '../../clients/sdk/index.js';
import { KillableServer } from '../support/killable-server.js';

type Methods = {
  readonly [Name in keyof DhtServiceServer as string extends Name ? never : Name]?:
    DhtServiceServer[Name] | undefined;
};

export class DhtServer implements AsyncDisposable {
  readonly #server: KillableServer;
  #sdk: Ringbinder | undefined;

  private constructor(server: KillableServer) {
    this.#server = server;
  }

  static async start(methods: Methods, port = 0): Promise<DhtServer> {
    const server = new Server();
    server.addService(DhtServiceService, methods as UntypedServiceImplementation);
    return new DhtServer(await KillableServer.listen(server, port));
  }

  get address(): string {
    return this.#server.address;
  }

  get port(): number {
    return this.#server.port;
  }

  /** A client of this server. */
  get sdk(): Ringbinder {
    this.#sdk ??= new Ringbinder(this.address, { timeoutMs: 5_000 });
    return this.#sdk;
  }

  /** Ends as when the process is killed: the connections break off. */
  async kill(): Promise<void> {
    await this.#server.kill();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#sdk?.close();
    await this.#server[Symbol.asyncDispose]();
  }
}

/** A refusal as nodes send it. */
export function refusal(
  code: keyof typeof status,
  reason: string,
  facts: Readonly<Record<string, string>> = {},
  retryAfterMs?: number,
): ServiceError {
  const message = `[${reason}] refused by the test`;
  const metadata = new Metadata();
  const any = (name: string, value: Uint8Array) => ({
    typeUrl: `type.googleapis.com/google.rpc.${name}`,
    value: Buffer.from(value),
  });
  const info = ErrorInfo.encode({ reason, domain: 'ringbinder', metadata: facts }).finish();
  const details = [any('ErrorInfo', info)];
  if (retryAfterMs !== undefined) {
    const retryDelay = { seconds: 0n, nanos: retryAfterMs * 1e6 };
    details.push(any('RetryInfo', RetryInfo.encode({ retryDelay }).finish()));
  }
  const bytes = Status.encode({ code: status[code], message, details }).finish();
  metadata.set('grpc-status-details-bin', Buffer.from(bytes));
  return Object.assign(new Error(message), { code: status[code], details: message, metadata });
}

export const unavailable = refusal('UNAVAILABLE', 'LOOKUP_FAILED');

/** One event of a stream; without a version, a heartbeat. */
export function wantEvent(
  sequence: number,
  version = '',
  event: WantResponse['event'] = { $case: 'value', value: Buffer.from(version) },
): WantResponse {
  return {
    sequence: BigInt(sequence),
    observeTime: undefined,
    version,
    expireTime: undefined,
    event: version === '' ? { $case: 'heartbeat', value: {} } : event,
  };
}
