/** Dialect `lieur` on real sockets: the session, its time, and its log. */
import type { Logger } from 'pino';
import type { HostPort } from '../../host-port.js';
import type { Cancel, Clock } from '../../system/clock.js';
import type { BinderCalls, EndpointChange, SessionNote, Source } from '../core/session.js';
import { Datagrams } from '../datagrams.js';
import { LieurSession, type LieurOptions, type LieurSocket } from './session.js';

const TICK_MS = 50;

export type LieurAdapterDeps = {
  /** Where to listen. */
  readonly addresses: Readonly<Record<LieurSocket, HostPort>>;
  readonly calls: BinderCalls;
  readonly options: LieurOptions;
  readonly clock: Clock;
  readonly log: Logger;
};

export class LieurAdapter {
  readonly #sockets: Datagrams<LieurSocket>;
  readonly #session: LieurSession;
  readonly #stopTicking: Cancel;

  private constructor(
    deps: LieurAdapterDeps,
    sockets: Datagrams<LieurSocket>,
    session: LieurSession,
  ) {
    this.#sockets = sockets;
    this.#session = session;
    this.#stopTicking = deps.clock.every(TICK_MS, () => session.tick());
  }

  /** Rejects when it can't listen. */
  static async open(deps: LieurAdapterDeps): Promise<LieurAdapter> {
    const { addresses, calls, options, clock, log } = deps;
    const session: LieurSession = new LieurSession({
      clock: { steadyMs: () => clock.monotonicMs() },
      send: (socket, to, bytes) => sockets.send(socket, to, bytes),
      calls,
      note: (note) => logNote(log, note),
      options,
    });
    const sockets: Datagrams<LieurSocket> = await Datagrams.bind(addresses, {
      log,
      received: (socket, from, bytes) => session.received(socket, from, bytes),
    });
    return new LieurAdapter(deps, sockets, session);
  }

  get addresses(): Readonly<Record<LieurSocket, string>> {
    return this.#sockets.addresses;
  }

  /** To be told of every change of BinderService. */
  changed(change: EndpointChange): void {
    this.#session.changed(change);
  }

  /** Asks a service from the verification port whether it lives. */
  async verify(to: Source): Promise<boolean> {
    return new Promise((resolve) => this.#session.verify(to, resolve));
  }

  async close(): Promise<void> {
    this.#stopTicking();
    await this.#sockets.close();
  }
}

function logNote(log: Logger, { direction, socket, peer, what, fields }: SessionNote): void {
  if (!log.isLevelEnabled('debug')) return;
  log.debug({ direction, socket, peer: `${peer.host}:${peer.port}`, ...fields }, what);
}
