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
import type { Cancel, Clock } from '../../system/clock.js';
import type { TlvSession } from './session.js';

const STREAMS_MAX = 1_024;
const IDLE_MS = 5 * 60 * 1_000;
const SWEEP_MS = 30_000;
/** Answers that a client has not read. */
const UNREAD_BYTES_MAX = 2 ** 18;

export type TlvStreamsDeps = {
  readonly where: HostPort;
  readonly session: TlvSession;
  readonly clock: Clock;
  readonly log: Logger;
};

export class TlvStreams {
  readonly #server: Server;
  readonly #clock: Clock;
  /** When each was last heard. */
  readonly #sockets = new Map<Socket, number>();
  readonly #stopSweeping: Cancel;

  private constructor(server: Server, clock: Clock) {
    this.#server = server;
    this.#clock = clock;
    this.#stopSweeping = clock.every(SWEEP_MS, () => this.#closeIdle());
  }

  /** Rejects when the port can't be had. */
  static async open({ where, session, clock, log }: TlvStreamsDeps): Promise<TlvStreams> {
    const server = createServer();
    server.listen({ host: where.host, port: where.port });
    await once(server, 'listening');
    const streams = new TlvStreams(server, clock);
    server.on('connection', (socket) => streams.#serve(socket, session));
    server.on('error', (err) => log.warn({ err }, 'the streams had an error'));
    return streams;
  }

  async close(): Promise<void> {
    this.#stopSweeping();
    const closed = once(this.#server, 'close');
    this.#server.close();
    for (const socket of this.#sockets.keys()) socket.destroy();
    await closed;
  }

  #serve(socket: Socket, session: TlvSession): void {
    const { remoteAddress: host, remotePort: port } = socket;
    if (host === undefined || port === undefined || this.#sockets.size >= STREAMS_MAX) {
      socket.destroy();
      return;
    }
    this.#hear(socket);
    const stream = session.openStream({ host, port }, (bytes) => {
      socket.write(bytes);
      if (socket.writableLength > UNREAD_BYTES_MAX) socket.destroy();
    });
    socket.on('error', () => socket.destroy());
    socket.on('close', () => this.#sockets.delete(socket));
    socket.on('data', (bytes) => {
      this.#hear(socket);
      if (!stream.received(bytes)) socket.end();
    });
  }

  #hear(socket: Socket): void {
    this.#sockets.set(socket, this.#clock.monotonicMs());
  }

  #closeIdle(): void {
    const idleSinceMs = this.#clock.monotonicMs() - IDLE_MS;
    for (const [socket, heardAtMs] of this.#sockets) {
      if (heardAtMs <= idleSinceMs) socket.destroy();
    }
  }
}
