/**
 * The TCP side of dialect `tlv`: clients of the plain framing, on the main port.
 *
 * A stream that brings no message, that is idle, or that does not read its answers is closed; of too many
 * streams the newest is.
 */
import { createServer, type Server, type Socket } from 'node:net';
import { once } from 'node:events';
import type { Logger } from 'pino';
import type { HostPort } from '../../host-port.js';
import type { TlvSession } from './session.js';

const STREAMS_MAX = 1_024;
const IDLE_MS = 5 * 60 * 1_000;
/** Answers that a client has not read. */
const UNREAD_BYTES_MAX = 2 ** 18;

export class TlvStreams {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(server: Server) {
    this.#server = server;
  }

  /** Rejects when the port can't be had. */
  static async open(where: HostPort, session: TlvSession, log: Logger): Promise<TlvStreams> {
    const server = createServer();
    const streams = new TlvStreams(server);
    server.on('connection', (socket) => streams.#serve(socket, session));
    server.listen({ host: where.host, port: where.port });
    await once(server, 'listening');
    server.on('error', (err) => log.warn({ err }, 'the streams had an error'));
    return streams;
  }

  async close(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  #serve(socket: Socket, session: TlvSession): void {
    const { remoteAddress: host, remotePort: port } = socket;
    if (host === undefined || port === undefined || this.#sockets.size >= STREAMS_MAX) {
      socket.destroy();
      return;
    }
    this.#sockets.add(socket);
    const stream = session.openStream({ host, port }, (bytes) => {
      socket.write(bytes);
      if (socket.writableLength > UNREAD_BYTES_MAX) socket.destroy();
    });
    socket.setTimeout(IDLE_MS, () => socket.destroy());
    socket.on('error', () => socket.destroy());
    socket.on('close', () => this.#sockets.delete(socket));
    socket.on('data', (bytes) => {
      if (!stream.received(bytes)) socket.end();
    });
  }
}
