/** The ports of dialect `ring` on real sockets: of its four, those that are on. */
import type { Logger } from 'pino';
import type { HostPort } from '../../host-port.js';
import type { Clock } from '../../system/clock.js';
import type { LineSession, RingCalls, SessionNote } from '../core/session.js';
import { LineServer, type LineServerLimits } from '../line-server.js';
import { BoundedRingCalls } from './bounded-calls.js';
import { LINE_BYTES_MAX } from './codec.js';
import { monitorPort, peerPort } from './peer-ports.js';
import { hashPort, welcomePort } from './server-ports.js';
import { RingSession } from './session.js';

export type RingPortName = 'hash' | 'welcome' | 'monitor' | 'peer';

export type RingPortsDeps = {
  /** A port without an address is off; port 0 picks one. */
  readonly addresses: Readonly<Record<RingPortName, HostPort | undefined>>;
  readonly calls: RingCalls;
  readonly clock: Clock;
  readonly log: Logger;
  /** Told of every request and reply. */
  readonly note: (note: SessionNote) => void;
  readonly limits?: Partial<LineServerLimits>;
};

/** How long a client waits for what the services do; originals themselves wait without an end. */
const CALL_MS = 10_000;

export class RingPorts {
  readonly #calls: BoundedRingCalls;
  readonly #servers: ReadonlyMap<RingPortName, LineServer>;

  private constructor(calls: BoundedRingCalls, servers: ReadonlyMap<RingPortName, LineServer>) {
    this.#calls = calls;
    this.#servers = servers;
  }

  /** Opens all that have an address, or none: rejects with the error of the first that can't be had. */
  static async open({
    addresses,
    clock,
    log,
    note,
    limits,
    ...deps
  }: RingPortsDeps): Promise<RingPorts> {
    const after = clock.after.bind(clock);
    const calls = new BoundedRingCalls(deps.calls, { after, withinMs: CALL_MS });
    const sessions = sessionsOf(calls, note);
    const servers = new Map<RingPortName, LineServer>();
    const ports = new RingPorts(calls, servers);
    try {
      for (const [name, session] of Object.entries(sessions) as [RingPortName, LineSession][]) {
        const where = addresses[name];
        if (where === undefined) continue;
        const bounds = { lineBytesMax: LINE_BYTES_MAX, ...limits };
        servers.set(name, await LineServer.open({ where, session, clock, log, limits: bounds }));
      }
    } catch (thrown) {
      await ports.close();
      throw thrown;
    }
    return ports;
  }

  /** Where those that are on are bound, as `host:port`. */
  get addresses(): Readonly<Partial<Record<RingPortName, string>>> {
    return Object.fromEntries([...this.#servers].map(([name, { address }]) => [name, address]));
  }

  /** Cuts off who is connected. */
  async close(): Promise<void> {
    this.#calls.close();
    await Promise.all([...this.#servers.values()].map(async (server) => server.close()));
  }
}

function sessionsOf(
  calls: RingCalls,
  note: (note: SessionNote) => void,
): Readonly<Record<RingPortName, LineSession>> {
  return {
    hash: new RingSession({ socket: 'hash', port: hashPort(calls), note }),
    welcome: new RingSession({ socket: 'welcome', port: welcomePort(calls), note }),
    monitor: new RingSession({ socket: 'monitor', port: monitorPort(calls), note }),
    peer: new RingSession({ socket: 'peer', port: peerPort(calls), note }),
  };
}
