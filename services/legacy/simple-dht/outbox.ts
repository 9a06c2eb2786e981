/**
 * What leaves a session: encoded, noted, and Puts paced and within the budget of their host.
 *
 * The dialect has no handshake: a Get of 9 bytes from a forged address would send a value of up to
 * 65,496 bytes to somebody else (R8), and an original `get` must have its value for its first and only
 * datagram. The compromise is a budget of bytes for each host and second: what a host that has proven
 * nothing may be sent holds one largest value, more of it waits for the next second and is not lost;
 * a host whose peer has been heard for longer than a beat has a larger budget; this machine and the
 * peers that we joined have none.
 */
import type { Send, SessionClock, SessionNote, Source } from '../core/session.js';
import { hostOfBytes } from './address.js';
import { ByteBudget } from './byte-budget.js';
import { simpleDht, VALUE_BYTES_MAX, type SimpleDhtMessage } from './codec.js';
import type { SimpleDhtLimits } from './limits.js';
import { Pacing } from './pacing.js';
import type { Destination, Trust } from './peers.js';

export type OutboxDeps<SocketName extends string> = {
  readonly clock: SessionClock;
  readonly send: Send<SocketName>;
  readonly note: (note: SessionNote) => void;
  readonly trustIn: (source: Source) => Trust;
  readonly isClient: (source: Source) => boolean;
};

export class Outbox<SocketName extends string> {
  readonly #deps: OutboxDeps<SocketName>;
  readonly #pacing: Pacing<SocketName>;
  readonly #budgets: Readonly<Record<Exclude<Trust, 'trusted'>, ByteBudget>>;

  constructor(deps: OutboxDeps<SocketName>, limits: SimpleDhtLimits) {
    this.#deps = deps;
    const hostsMax = limits.budgetHostsMax;
    this.#budgets = {
      unproven: new ByteBudget({ bytesPerSecond: limits.unprovenBytesPerSecond, hostsMax }),
      proven: new ByteBudget({ bytesPerSecond: limits.provenBytesPerSecond, hostsMax }),
    };
    this.#pacing = new Pacing(limits, {
      isClient: deps.isClient,
      maySend: (to, valueBytes, nowMs) => this.#maySend(to, valueBytes, nowMs),
      send: (to, { hash, value }) => {
        this.#send(to, { kind: 'put', hash, value });
      },
      dropped: (to, hash) => {
        this.#note(to, 'limited', { hash, why: 'waited for too long' });
      },
    });
  }

  get laneCount(): number {
    return this.#pacing.laneCount;
  }

  get queuedBytes(): number {
    return this.#pacing.queuedBytes;
  }

  keepAlive(to: Destination<SocketName>): void {
    this.#send(to, { kind: 'keep-alive' });
  }

  have(to: Destination<SocketName>, hash: string): void {
    this.#send(to, { kind: 'i-have', hash });
  }

  get(to: Destination<SocketName>, hash: string): void {
    this.#send(to, { kind: 'get', hash });
  }

  /** Sends a value as soon as its turn has come; one that fits no datagram is never sent. */
  put(to: Destination<SocketName>, hash: string, value: Uint8Array): void {
    const bytes = value.length;
    if (bytes > VALUE_BYTES_MAX) {
      this.#note(to, 'unexpected', { hash, bytes, why: 'fits no datagram' });
    } else if (!this.#pacing.offer(to, { hash, value }, this.#deps.clock.steadyMs())) {
      this.#note(to, 'limited', { hash, bytes, why: 'too many wait' });
    }
  }

  /** Takes an IHave as the acknowledgement of a Put; returns whether it is one. */
  acknowledged(source: Source, hash: string): boolean {
    return this.#pacing.acknowledged(source, hash, this.#deps.clock.steadyMs());
  }

  tick(): void {
    this.#pacing.tick(this.#deps.clock.steadyMs());
  }

  clear(): void {
    this.#pacing.clear();
  }

  #maySend(to: Source, valueBytes: number, nowMs: number): boolean {
    const trust = this.#deps.trustIn(to);
    return trust === 'trusted' || this.#budgets[trust].spend(to.host, valueBytes, nowMs);
  }

  #send(to: Destination<SocketName>, message: SimpleDhtMessage): void {
    this.#deps.send(to.socket, to.source, simpleDht.encode(message));
    this.#note(to, message.kind, fieldsOf(message));
  }

  #note(
    { socket, source }: Destination<SocketName>,
    what: string,
    fields: SessionNote['fields'],
  ): void {
    this.#deps.note({ direction: 'out', socket, peer: source, what, fields });
  }
}

/** What a note says of a message. */
export function fieldsOf(message: SimpleDhtMessage): SessionNote['fields'] {
  switch (message.kind) {
    case 'keep-alive':
      return {};
    case 'get':
    case 'i-have':
      return { hash: message.hash };
    case 'put':
      return { hash: message.hash, bytes: message.value.length };
    case 'discover':
      return { host: hostOfBytes(message.address), port: message.port };
  }
}
