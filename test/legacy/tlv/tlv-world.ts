/** Sessions of dialect `tlv` on one made-up network, with a clock that a test moves. */
import type { SessionNote, Source } from '../../../services/legacy/core/session.js';
import { TLV } from '../../../services/legacy/tlv/codec.js';
import type { TlvKind, TlvMessage } from '../../../services/legacy/tlv/messages.js';
import {
  TLV_DEFAULTS,
  TLV_PORTS,
  type TlvCalls,
  type TlvOptions,
  type TlvSocket,
} from '../../../services/legacy/tlv/options.js';
import { TlvSession } from '../../../services/legacy/tlv/session.js';

export const MAIN_PORT = 7401;
export const HASH = '0123456789abcdef'.repeat(6);

const PORTS = { client: MAIN_PORT, ...TLV_PORTS };

export type Sent = {
  readonly socket: TlvSocket;
  readonly to: Source;
  readonly bytes: Uint8Array;
  readonly atMs: number;
};

type NodeOptions = {
  readonly options?: Partial<TlvOptions>;
  readonly password?: string;
};

/** Holders in memory: what a service would keep. */
export class FakeHolders {
  readonly held = new Map<string, string[]>();
  readonly announced: (readonly [key: string, address: string, ttlMs: number])[] = [];
  /** Answers of `list` wait here while it is set. */
  waiting: (() => void)[] | undefined;
  isFailing = false;

  /** Announcements that do not end are here while it is set. */
  announcing: (() => void)[] | undefined;

  announce(key: string, address: string, ttlMs: number, done: () => void): void {
    this.announced.push([key, address, ttlMs]);
    if (this.announcing) this.announcing.push(done);
    else done();
    const addresses = this.held.get(key) ?? [];
    if (!addresses.includes(address)) this.held.set(key, [...addresses, address]);
  }

  list(key: string, countMax: number, done: (addresses?: readonly string[]) => void): void {
    const answer = (): void =>
      this.isFailing ? done() : done((this.held.get(key) ?? []).slice(0, countMax));
    if (this.waiting) this.waiting.push(answer);
    else answer();
  }
}

export class TestNode {
  readonly host: string;
  readonly session: TlvSession;
  readonly holders = new FakeHolders();
  readonly sent: Sent[] = [];
  readonly notes: SessionNote[] = [];
  stops = 0;

  constructor(world: World, host: string, { options, password }: NodeOptions) {
    this.host = host;
    const stop = {
      stopServer: (given: string, done: (isAccepted: boolean) => void): void => {
        if (given === password) this.stops += 1;
        done(given === password);
      },
    };
    const calls: TlvCalls =
      password === undefined ? { holders: this.holders } : { holders: this.holders, stop };
    this.session = new TlvSession({
      clock: { steadyMs: () => world.nowMs },
      send: (socket, to, bytes) => {
        this.sent.push({ socket, to, bytes, atMs: world.nowMs });
        world.carry({ host, port: PORTS[socket] }, to, bytes);
      },
      calls,
      note: (note) => this.notes.push(note),
      options: { ...TLV_DEFAULTS, ownHosts: [host], ...options },
    });
  }

  /** Hexadecimal digits of what left a socket, or all of them, for a host, or all. */
  hex(socket?: TlvSocket, host?: string): readonly string[] {
    return this.sent
      .filter((it) => (socket ?? it.socket) === it.socket && (host ?? it.to.host) === it.to.host)
      .map(({ bytes }) => Buffer.from(bytes).toString('hex'));
  }

  /** What left for a host, as `socket>port message`. */
  log(host: string): readonly string[] {
    return this.sent
      .filter(({ to }) => to.host === host)
      .map(({ socket, to, bytes }) => `${socket}>${to.port} ${kindOf(bytes)}`);
  }

  count(kind: TlvKind, host?: string): number {
    return this.sent.filter(
      ({ to, bytes }) => kindOf(bytes) === kind && (host === undefined || to.host === host),
    ).length;
  }
}

export class World {
  nowMs = 1_000;
  readonly #nodes = new Map<string, TestNode>();
  /** Hosts that hear nothing. */
  readonly silent = new Set<string>();
  #onTheWay: (() => void)[] = [];

  node(host: string, options: NodeOptions = {}): TestNode {
    const node = new TestNode(this, host, options);
    this.#nodes.set(host, node);
    return node;
  }

  carry(from: Source, to: Source, bytes: Uint8Array): void {
    const node = this.#nodes.get(to.host);
    const socket = (Object.keys(PORTS) as TlvSocket[]).find((name) => PORTS[name] === to.port);
    if (node === undefined || socket === undefined) return;
    this.#onTheWay.push(() => {
      if (!this.silent.has(to.host) && !this.silent.has(from.host)) {
        node.session.received(socket, from, bytes);
      }
    });
  }

  /** Hands over what is on the way, and what is sent because of it. */
  settle(): void {
    for (let hand = this.#onTheWay.shift(); hand; hand = this.#onTheWay.shift()) hand();
  }

  pass(ms: number): void {
    this.settle();
    for (const endMs = this.nowMs + ms; this.nowMs < endMs;) {
      this.nowMs += Math.min(100, endMs - this.nowMs);
      for (const { session } of this.#nodes.values()) session.tick();
      this.settle();
    }
  }
}

export function kindOf(bytes: Uint8Array): TlvKind | 'none' {
  const decoded = TLV.decode(bytes);
  return decoded.kind === 'message' ? decoded.message.kind : 'none';
}

/** As a client or an original server writes it. */
export function original(
  message: TlvMessage extends infer M ? Omit<M & TlvMessage, 'framing'> : never,
): Uint8Array {
  return TLV.encode({ ...message, framing: 'original' } as TlvMessage);
}
