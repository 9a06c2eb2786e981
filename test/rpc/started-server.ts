import { once } from 'node:events';
import { type Client, credentials, type Metadata, type ServiceError } from '@grpc/grpc-js';
import { pino } from 'pino';
import {
  HashServiceClient,
  type HashServiceServer,
  HashServiceService,
} from '../../proto/gen/ringbinder/v1/hash_service.js';
import {
  PeerServiceClient,
  type PeerServiceServer,
  PeerServiceService,
} from '../../proto/gen/ringbinder/v1/peer_service.js';
import type { Handlers } from '../../services/rpc/handlers.js';
import { FLUSH_MS } from '../../services/rpc/limits.js';
import { RpcServer, type RpcServerOptions } from '../../services/rpc/server.js';
import { type Refusal, reasonOf } from '../../services/rpc/status.js';
import { systemClock } from '../../services/system/clock.js';
import { FakeClock } from '../support/fake-clock.js';

export type LogLine = { readonly level: number; readonly msg: string } & Record<string, unknown>;

/** A logger that tests read as objects. */
export function captureLog() {
  const lines: LogLine[] = [];
  const write = (line: string) => void lines.push(JSON.parse(line) as LogLine);
  return { log: pino({ level: 'debug' }, { write }), lines };
}

export type Services = {
  readonly hash?: Partial<Handlers<HashServiceServer>>;
  readonly peer?: Partial<Handlers<PeerServiceServer>>;
};

/** A server on a port of its own, with clients, gone after the test. */
export async function startServer(
  { hash = {}, peer = {} }: Services,
  options: Partial<RpcServerOptions> = {},
) {
  const { log, lines } = captureLog();
  const server = new RpcServer({ log, clock: systemClock, ...options });
  server.add(HashServiceService, hash);
  server.add(PeerServiceService, peer);
  const address = await server.listen('127.0.0.1:0');
  const clients = {
    hash: new HashServiceClient(address, credentials.createInsecure(), LOCAL_CHANNEL),
    peer: new PeerServiceClient(address, credentials.createInsecure(), LOCAL_CHANNEL),
  };
  return {
    server,
    address,
    lines,
    ...clients,
    [Symbol.asyncDispose]: async () => {
      for (const client of Object.values(clients)) client.close();
      const drained = server.drain(0);
      if (options.clock instanceof FakeClock) await options.clock.advanceInSteps(FLUSH_MS, 10);
      await drained;
    },
  };
}

/** A connection for each client, and none that outlives its test. */
const LOCAL_CHANNEL = { 'grpc.use_local_subchannel_pool': 1 };

/** Sends bytes as they are, so that they can be no request. */
export function sendBytes(client: Client, path: string, bytes: Buffer, metadata: Metadata) {
  const asIs = (value: Buffer) => value;
  return new Promise<Buffer>((resolve, reject) => {
    client.makeUnaryRequest(path, asIs, asIs, bytes, metadata, {}, (error, response) => {
      if (error) reject(error);
      else resolve(response!);
    });
  });
}

/** Makes a call that is to fail, and returns its error. */
export async function failureOf(call: (done: (error: ServiceError | null) => void) => unknown) {
  const error = await new Promise<ServiceError | null>((resolve) => {
    call(resolve);
  });
  if (error === null) throw new Error('the call succeeded');
  return refused(error);
}

/** The error of a stream that is to fail; what it gives before is left to others. */
export async function streamFailure(stream: NodeJS.EventEmitter & { resume(): unknown }) {
  const failed = once(stream, 'error') as Promise<[ServiceError]>;
  stream.resume();
  const [error] = await failed;
  return refused(error);
}

/** An error beside what its details say. */
export function refused(error: ServiceError): ServiceError & { readonly refusal?: Refusal } {
  const refusal = reasonOf(error);
  return Object.assign(error, refusal && { refusal });
}

/** Resolves when the condition holds; fails after 5 seconds. */
export async function until(holds: () => boolean, what: string): Promise<void> {
  const deadline = performance.now() + 5_000;
  while (!holds()) {
    if (performance.now() > deadline) throw new Error(`never came true: ${what}`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}
