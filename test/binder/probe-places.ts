/** Places to look at: servers that answer well, badly, slowly or never. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer as createHttp, type RequestListener } from 'node:http';
import { createServer as createHttps } from 'node:https';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { Server as GrpcServer, ServerCredentials } from '@grpc/grpc-js';
import { HealthService } from '../../proto/gen/grpc/health/v1/health.js';
import { LOCAL_CERTIFICATE, PRIVATE_KEY } from '../support/certificates.js';

export type Place = AsyncDisposable & {
  readonly address: string;
  /** Connections that are open. */
  readonly open: () => number;
};

/** A server on the sockets that come; `act` is told of each. */
export async function tcpPlace(
  act: (socket: Socket) => void = (socket) => void socket.resume(),
  host = '127.0.0.1',
): Promise<Place> {
  return placeOf(createServer(act), host);
}

export async function httpPlace(listener: RequestListener): Promise<Place> {
  return placeOf(createHttp(listener));
}

export async function httpsPlace(
  listener: RequestListener,
  cert = LOCAL_CERTIFICATE,
): Promise<Place> {
  return placeOf(createHttps({ cert, key: PRIVATE_KEY }, listener));
}

async function placeOf(server: Server, host = '127.0.0.1'): Promise<Place> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.once('close', () => sockets.delete(socket));
  });
  server.listen(0, host);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    address: host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`,
    open: () => sockets.size,
    [Symbol.asyncDispose]: async () => {
      const closed = once(server, 'close');
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

type Check = (
  call: { readonly request: { readonly service: string } },
  done: (error: object | null, response?: { readonly status: number }) => void,
) => void;

/** A gRPC server with this answer to health checks; without one, with no health service. */
export async function grpcPlace(check?: Check, cert?: string): Promise<Place> {
  const server = new GrpcServer();
  if (check !== undefined) {
    server.addService(HealthService, { check });
  }
  const pair = { cert_chain: Buffer.from(cert ?? ''), private_key: Buffer.from(PRIVATE_KEY) };
  const injector = server.createConnectionInjector(
    cert === undefined
      ? ServerCredentials.createInsecure()
      : ServerCredentials.createSsl(null, [pair]),
  );
  const place = await tcpPlace((socket) => injector.injectConnection(socket));
  return {
    ...place,
    [Symbol.asyncDispose]: async () => {
      server.forceShutdown();
      await place[Symbol.asyncDispose]();
    },
  };
}

/** Listens in a process that is stuck, with no room left for connections: nobody gets an answer. */
export async function stuckPlace(): Promise<Place> {
  const code = `
    const { createServer } = require('node:net');
    const server = createServer().listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => {
      require('node:fs').writeSync(1, String(server.address().port));
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
    });`;
  const child = spawn(process.execPath, ['-e', code], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [port] = (await once(child.stdout, 'data')) as [Buffer];
  const fillers = Array.from({ length: 8 }, () => {
    return connect(Number(port), '127.0.0.1').on('error', () => undefined);
  });
  await new Promise((wake) => setTimeout(wake, 200));
  return {
    address: `127.0.0.1:${String(port)}`,
    open: () => 0,
    [Symbol.asyncDispose]: async () => {
      for (const filler of fillers) filler.destroy();
      const ended = once(child, 'exit');
      child.kill('SIGKILL');
      await ended;
    },
  };
}
