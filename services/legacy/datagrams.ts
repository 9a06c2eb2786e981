/**
 * The UDP sockets of one dialect: bound together or not at all, each known by a name.
 *
 * What can't be sent is dropped, as the network might have done. An error of a socket is logged, and ends
 * nothing: a port that nobody listens on is not ours to complain about.
 */
import { createSocket, type Socket, type SocketOptions } from 'node:dgram';
import { lookup } from 'node:dns';
import { once } from 'node:events';
import { isIP } from 'node:net';
import type { Logger } from 'pino';
import { formatHostPort, type HostPort } from '../host-port.js';
import type { Source } from './core/session.js';

export type DatagramsDeps<Name extends string> = {
  readonly log: Logger;
  readonly received: (socket: Name, from: Source, bytes: Uint8Array) => void;
};

/** Datagrams of one socket that the system has not taken yet. Beyond that they are dropped. */
const UNSENT_MAX = 1_024;

export class Datagrams<Name extends string> {
  readonly #log: Logger;
  readonly #sockets: ReadonlyMap<Name, Socket>;
  /** One for all datagrams: there are many. */
  readonly #sent = (err: Error | null): void => {
    if (err !== null) this.#log.debug({ err }, 'a datagram could not be sent');
  };

  private constructor(log: Logger, sockets: ReadonlyMap<Name, Socket>) {
    this.#log = log;
    this.#sockets = sockets;
  }

  /** Binds them; port 0 picks one. Rejects with the error of the first that can't be bound. */
  static async bind<Name extends string>(
    addresses: Readonly<Record<Name, HostPort>>,
    { log, received }: DatagramsDeps<Name>,
  ): Promise<Datagrams<Name>> {
    const sockets = new Map<Name, Socket>();
    try {
      for (const [name, address] of Object.entries(addresses) as [Name, HostPort][]) {
        const socket = await bound(address);
        sockets.set(name, socket);
        socket.on('error', (err) => log.warn({ err, socket: name }, 'a socket had an error'));
        socket.on('message', (bytes, { address: host, port }) =>
          received(name, { host, port }, bytes),
        );
      }
    } catch (thrown) {
      for (const socket of sockets.values()) socket.close();
      throw thrown;
    }
    return new Datagrams(log, sockets);
  }

  /** Where each is bound, as `host:port`. */
  get addresses(): Readonly<Record<Name, string>> {
    const all = [...this.#sockets].map(([name, socket]) => {
      const { address: host, port } = socket.address();
      return [name, formatHostPort({ host, port })] as const;
    });
    return Object.fromEntries(all) as Record<Name, string>;
  }

  send(name: Name, { host, port }: Source, bytes: Uint8Array): void {
    const socket = this.#sockets.get(name);
    if (socket === undefined || socket.getSendQueueCount() >= UNSENT_MAX) return;
    socket.send(bytes, port, host, this.#sent);
  }

  async close(): Promise<void> {
    const closing = [...this.#sockets.values()].map(async (socket) => {
      const closed = once(socket, 'close');
      socket.close();
      await closed;
    });
    await Promise.all(closing);
  }
}

async function bound({ host, port }: HostPort): Promise<Socket> {
  const socket = createSocket({ type: host.includes(':') ? 'udp6' : 'udp4', lookup: addressFor });
  try {
    const listening = once(socket, 'listening');
    socket.bind(port, host);
    await listening;
    return socket;
  } catch (thrown) {
    socket.close();
    throw thrown;
  }
}

/** An address is its own; only a name is looked up, which costs a turn of the event loop. */
const addressFor: NonNullable<SocketOptions['lookup']> = (host, options, done) => {
  const family = isIP(host);
  if (family === 0) lookup(host, options, done);
  else done(null, host, family);
};
