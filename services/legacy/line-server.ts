/**
 * A TCP port where each connection brings one line and gets one reply (wire/ring.md, sections 2 and 8).
 *
 * The reply is given to the network at once, each line together with its terminator. Then writing ends,
 * what the client still sends is read and dropped, so that the close is no reset that would take the
 * reply away, and the connection is closed: the server never waits without an end, for the request, for
 * the client to read, or for its close.
 */
import { createServer, type Server, type Socket } from 'node:net';
import { once } from 'node:events';
import type { Logger } from 'pino';
import { formatHostPort, type HostPort } from '../host-port.js';
import type { Cancel, Clock } from '../system/clock.js';
import { LineReader } from './core/line-reader.js';
import type { LineSession, Source } from './core/session.js';

export type LineServerLimits = {
  /** Of more, the newest is refused. */
  readonly connectionsMax: number;
  /** Of a request; a longer one gets an answer of its own. */
  readonly lineBytesMax: number;
  /** For a request to begin, and again for it to end: people type some of them. */
  readonly requestMs: number;
  /** For the client to read its reply. */
  readonly replyMs: number;
  /** For the client to close behind its reply. */
  readonly drainMs: number;
  /** Sent by a client behind its line. */
  readonly drainBytesMax: number;
  /** Of replies that have not been read, all connections together; beyond it the newest are cut off. */
  readonly unreadBytesMax: number;
};

const LINE_SERVER_LIMITS: LineServerLimits = {
  connectionsMax: 1_024,
  lineBytesMax: 64 * 1_024,
  requestMs: 5 * 60 * 1_000,
  replyMs: 30_000,
  drainMs: 2_000,
  drainBytesMax: 4 * 1_024 * 1_024,
  unreadBytesMax: 64 * 1_024 * 1_024,
};

export type LineServerDeps = {
  readonly where: HostPort;
  readonly session: LineSession;
  readonly clock: Clock;
  readonly log: Logger;
  readonly limits?: Partial<LineServerLimits>;
};

export class LineServer {
  readonly #server: Server;
  readonly #connections = new Set<LineConnection>();

  private constructor(server: Server) {
    this.#server = server;
  }

  /** Rejects when the port can't be had. */
  static async open({ where, session, clock, log, limits }: LineServerDeps): Promise<LineServer> {
    const allLimits = { ...LINE_SERVER_LIMITS, ...limits };
    const server = createServer({ allowHalfOpen: true, noDelay: true });
    server.maxConnections = allLimits.connectionsMax;
    server.listen({ host: where.host, port: where.port });
    await once(server, 'listening');
    const lines = new LineServer(server);
    const deps = { session, clock, limits: allLimits, unreadBytes: () => lines.#unreadBytes };
    server.on('connection', (socket) => lines.#serve(new LineConnection(socket, deps)));
    server.on('error', (err) => log.warn({ err }, 'a port had an error'));
    return lines;
  }

  /** Where it is bound, as `host:port`. */
  get address(): string {
    const address = this.#server.address();
    if (address === null || typeof address === 'string') return '';
    return formatHostPort({ host: address.address, port: address.port });
  }

  get connectionCount(): number {
    return this.#connections.size;
  }

  /** Cuts off who is connected. */
  async close(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    for (const connection of this.#connections) connection.close();
    await closed;
  }

  get #unreadBytes(): number {
    let bytes = 0;
    for (const connection of this.#connections) bytes += connection.unreadBytes;
    return bytes;
  }

  #serve(connection: LineConnection): void {
    this.#connections.add(connection);
    connection.onClose(() => this.#connections.delete(connection));
  }
}

type ConnectionDeps = {
  readonly session: LineSession;
  readonly clock: Clock;
  readonly limits: LineServerLimits;
  /** Of all connections. */
  readonly unreadBytes: () => number;
};

/** One connection: it reads a line, answers, drains, and is closed. */
class LineConnection {
  readonly #socket: Socket;
  readonly #deps: ConnectionDeps;
  readonly #reader: LineReader;
  readonly #source: Source;
  #hasBegun = false;
  #hasRequest = false;
  #drainedBytes = 0;
  #cancelDeadline: Cancel = () => undefined;

  constructor(socket: Socket, deps: ConnectionDeps) {
    this.#socket = socket;
    this.#deps = deps;
    this.#reader = new LineReader(deps.limits.lineBytesMax);
    this.#source = { host: socket.remoteAddress ?? '', port: socket.remotePort ?? 0 };
    this.#closeAfter(deps.limits.requestMs);
    socket.on('error', () => this.close());
    socket.on('data', (bytes) => this.#hear(bytes));
    socket.on('end', () => this.#onEnd());
    socket.on('finish', () => this.#closeAfter(deps.limits.drainMs));
    this.onClose(() => this.#cancelDeadline());
  }

  get unreadBytes(): number {
    return this.#socket.writableLength;
  }

  onClose(act: () => void): void {
    this.#socket.on('close', act);
  }

  close(): void {
    this.#socket.destroy();
  }

  #hear(bytes: Uint8Array): void {
    if (this.#hasRequest) this.#drain(bytes);
    else this.#read(bytes);
  }

  /** A line that begins has as long again to end, however slowly it comes. */
  #read(bytes: Uint8Array): void {
    if (!this.#hasBegun) this.#closeAfter(this.#deps.limits.requestMs);
    this.#hasBegun = true;
    const [line] = this.#reader.read(bytes);
    if (line !== undefined) return this.#answer(line);
    if (this.#reader.isTooLong) this.#refuse();
  }

  /** The end of the stream ends a line; a stream without one gets no answer. */
  #onEnd(): void {
    if (this.#hasRequest) return;
    const line = this.#reader.end();
    if (line === undefined) this.#socket.end();
    else this.#answer(line);
  }

  #answer(line: string): void {
    this.#hasRequest = true;
    this.#closeAfter(this.#deps.limits.requestMs);
    this.#deps.session.answer(line, this.#source, (lines) => this.#reply(lines));
  }

  #refuse(): void {
    this.#hasRequest = true;
    this.#reply(this.#deps.session.tooLong);
  }

  #reply(lines: readonly string[]): void {
    if (this.#socket.destroyed) return;
    const { limits, unreadBytes } = this.#deps;
    this.#closeAfter(limits.replyMs);
    this.#socket.end(lines.map((line) => `${line}\n`).join(''));
    if (unreadBytes() > limits.unreadBytesMax) this.close();
  }

  #drain(bytes: Uint8Array): void {
    this.#drainedBytes += bytes.length;
    if (this.#drainedBytes > this.#deps.limits.drainBytesMax) this.close();
  }

  #closeAfter(ms: number): void {
    this.#cancelDeadline();
    this.#cancelDeadline = this.#deps.clock.after(ms, () => this.close());
  }
}
