/** A TCP port where each connection is a peer stream, from a stranger, that an application may accept. */
import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import type { Logger } from 'pino';
import { formatHostPort, type HostPort } from '../../host-port.js';
import type { PeerStreams } from '../../peer/stream/streams.js';
import { pairPeer } from './address.js';
import { carryBySocket } from './socket.js';

/** Of more, the newest is refused; the streams have a bound of their own. */
const CONNECTIONS_MAX = 1_024;

export type PairListenerDeps = {
  readonly where: HostPort;
  readonly streams: Pick<PeerStreams, 'carried'>;
  readonly log: Logger;
};

export class PairListener {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #deps: PairListenerDeps;

  private constructor(server: Server, deps: PairListenerDeps) {
    this.#server = server;
    this.#deps = deps;
  }

  /** Rejects when the port can't be had. */
  static async open(deps: PairListenerDeps): Promise<PairListener> {
    const server = createServer({ allowHalfOpen: true, noDelay: true });
    server.maxConnections = CONNECTIONS_MAX;
    server.listen({ host: deps.where.host, port: deps.where.port });
    await once(server, 'listening');
    const listener = new PairListener(server, deps);
    server.on('connection', (socket) => listener.#serve(socket));
    server.on('error', (err) => deps.log.warn({ err }, 'a connection was not accepted'));
    return listener;
  }

  /** Where it is bound, as `host:port`. */
  get address(): string {
    const address = this.#server.address();
    if (address === null || typeof address === 'string') return '';
    return formatHostPort({ host: address.address, port: address.port });
  }

  /** Cuts off who is connected. */
  async close(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    for (const socket of this.#sockets) socket.resetAndDestroy();
    await closed;
  }

  #serve(socket: Socket): void {
    const { remoteAddress: host, remotePort: port } = socket;
    socket.on('error', () => socket.destroy());
    if (host === undefined || port === undefined) {
      socket.destroy();
      return;
    }
    this.#sockets.add(socket);
    socket.once('close', () => this.#sockets.delete(socket));
    const peer = pairPeer({ host, port });
    try {
      carryBySocket(socket, this.#deps.streams.carried(peer, ''));
    } catch (err) {
      this.#deps.log.warn({ err, peer: peer.address }, 'a stranger was refused');
      socket.resetAndDestroy();
    }
  }
}
