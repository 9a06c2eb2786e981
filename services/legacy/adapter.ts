/** A dialect on real sockets: its session, its time, and one log line for each message. */
import type { Logger } from 'pino';
import type { HostPort } from '../host-port.js';
import type { Cancel, Clock } from '../system/clock.js';
import type { Send, SessionClock, SessionNote, Source } from './core/session.js';
import { Datagrams } from './datagrams.js';

/** What every session of a dialect is to its sockets. */
export interface DatagramSession<Name extends string> {
  received(socket: Name, from: Source, bytes: Uint8Array): void;
  /** To be called many times a second. */
  tick(): void;
}

/** What a session is given by its sockets. */
export type SessionEnd<Name extends string> = {
  readonly clock: SessionClock;
  readonly send: Send<Name>;
  readonly note: (note: SessionNote) => void;
};

export type AdapterDeps<Name extends string, Session> = {
  readonly addresses: Readonly<Record<Name, HostPort>>;
  readonly clock: Clock;
  readonly log: Logger;
  /** Told of every message. */
  readonly note: (note: SessionNote) => void;
  readonly create: (end: SessionEnd<Name>) => Session;
};

const TICK_MS = 20;

export class DatagramAdapter<Name extends string, Session extends DatagramSession<Name>> {
  readonly session: Session;
  readonly #sockets: Datagrams<Name>;
  readonly #stopTicking: Cancel;

  private constructor(session: Session, sockets: Datagrams<Name>, stopTicking: Cancel) {
    this.session = session;
    this.#sockets = sockets;
    this.#stopTicking = stopTicking;
  }

  /** Rejects when it can't listen. */
  static async open<Name extends string, Session extends DatagramSession<Name>>({
    addresses,
    clock,
    log,
    note,
    create,
  }: AdapterDeps<Name, Session>): Promise<DatagramAdapter<Name, Session>> {
    const session: Session = create({
      clock: { steadyMs: () => clock.monotonicMs() },
      send: (socket, to, bytes) => sockets.send(socket, to, bytes),
      note,
    });
    const sockets: Datagrams<Name> = await Datagrams.bind(addresses, {
      log,
      received: (socket, from, bytes) => session.received(socket, from, bytes),
    });
    const stopTicking = clock.every(TICK_MS, () => session.tick());
    return new DatagramAdapter(session, sockets, stopTicking);
  }

  /** Where each socket is bound, as `host:port`. */
  get addresses(): Readonly<Record<Name, string>> {
    return this.#sockets.addresses;
  }

  /** What the session has sent is given to the network first. */
  async close(): Promise<void> {
    this.#stopTicking();
    await this.#sockets.close();
  }
}

/** One line, at level debug. */
export function logNote(log: Logger, { direction, socket, peer, what, fields }: SessionNote): void {
  if (!log.isLevelEnabled('debug')) return;
  log.debug({ direction, socket, peer: `${peer.host}:${peer.port}`, ...fields }, what);
}
