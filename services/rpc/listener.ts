/**
 * Sockets for a gRPC server. It listens instead of grpc-js, which writes to stderr when a port is
 * taken, hides why, and does not let go of connections when it is forced to stop.
 */
import { createServer, type Server, type Socket } from 'node:net';
import type { ConnectionInjector } from '@grpc/grpc-js';
import type { Logger } from 'pino';
import { formatHostPort, type HostPort, parseHostPort } from '../host-port.js';

export class Listener {
  readonly #injector: ConnectionInjector;
  readonly #connectionsMax: number;
  readonly #log: Logger;
  readonly #servers: Server[] = [];
  readonly #sockets = new Set<Socket>();
  #whenEmpty: (() => void) | undefined;

  constructor(injector: ConnectionInjector, connectionsMax: number, log: Logger) {
    this.#injector = injector;
    this.#connectionsMax = connectionsMax;
    this.#log = log;
  }

  /**
   * Listens at `host:port` or `[IPv6]:port` and resolves with the address, which has the port that
   * the system chose for 0. Rejects with an error whose `code` says why, `EADDRINUSE` and the like.
   */
  async listen(address: string): Promise<string> {
    const asked = parseHostPort(address);
    if (asked === undefined) throw failure(address, { code: 'EINVAL', message: 'no host:port' });
    const server = createServer({ noDelay: true }, (socket) => this.#accept(socket));
    server.maxConnections = this.#connectionsMax;
    await bind(server, asked).catch((error: unknown) => {
      throw failure(address, error as NodeJS.ErrnoException);
    });
    // Too many open files, for instance: without a listener the process would end.
    server.on('error', (err) => this.#log.warn({ err, address }, 'a connection was not accepted'));
    this.#servers.push(server);
    return formatHostPort({ host: asked.host, port: portOf(server) });
  }

  /** Takes no more connections; those that are there stay. */
  close(): void {
    for (const server of this.#servers) server.close();
  }

  /** Resolves when the last connection is gone. */
  empty(): Promise<void> {
    if (this.#sockets.size === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#whenEmpty = resolve;
    });
  }

  /** Cuts all connections. */
  destroy(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  #accept(socket: Socket): void {
    this.#sockets.add(socket);
    socket.once('close', () => {
      this.#sockets.delete(socket);
      if (this.#sockets.size === 0) this.#whenEmpty?.();
    });
    this.#injector.injectConnection(socket);
  }
}

function bind(server: Server, { host, port }: HostPort): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port }, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

function portOf(server: Server): number {
  const bound = server.address();
  return bound === null || typeof bound === 'string' ? 0 : bound.port;
}

type Cause = { readonly code?: string | undefined; readonly message: string };

function failure(address: string, cause: Cause): Error {
  const why = cause.code === 'EADDRINUSE' ? 'the port is taken' : cause.message;
  const error = new Error(`can't listen at ${address}: ${why}`, { cause });
  return Object.assign(error, { code: cause.code });
}
