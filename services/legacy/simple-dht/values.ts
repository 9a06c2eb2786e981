/**
 * What is done about values: asked for, put, told to the peers and fetched from them
 * (wire/simple-dht.md, section 3). The services keep them, under the 16 digits of the hash.
 *
 * A Put is stored and then told to all, the sender first, to whom it is the acknowledgement; when the
 * services refuse, nobody is told. A Get is answered at once, or when there is a value. An IHave of
 * what we lack is answered by a Get.
 */
import type { SessionClock, SessionNote, Source, ValueCalls } from '../core/session.js';
import { peerKey } from './address.js';
import { Asks } from './asks.js';
import { BoundedCalls } from './bounded-calls.js';
import { isHash, VALUE_BYTES_MAX } from './codec.js';
import { Copies } from './copies.js';
import { VALUE_MS, type SimpleDhtLimits } from './limits.js';
import type { Outbox } from './outbox.js';
import type { Destination } from './peers.js';
import { PendingGets } from './pending-gets.js';

export type ValuesDeps<SocketName extends string> = {
  readonly clock: SessionClock;
  readonly calls: ValueCalls;
  readonly outbox: Outbox<SocketName>;
  /** The peers that are told what we have. */
  readonly told: () => readonly Destination<SocketName>[];
  readonly note: (
    from: Destination<SocketName>,
    what: string,
    fields: SessionNote['fields'],
  ) => void;
};

export class Values<SocketName extends string> {
  readonly #deps: ValuesDeps<SocketName>;
  readonly #calls: BoundedCalls;
  readonly #pending: PendingGets<SocketName>;
  readonly #copies: Copies;
  readonly #asks: Asks;

  constructor(deps: ValuesDeps<SocketName>, limits: SimpleDhtLimits) {
    this.#deps = deps;
    this.#calls = new BoundedCalls(deps.calls, limits.callsMax);
    this.#pending = new PendingGets(limits, (hash) =>
      this.#calls.want(hash, (value) => {
        this.#answerPending(hash, value);
      }),
    );
    this.#copies = new Copies(limits);
    this.#asks = new Asks(limits.asksMax);
  }

  get sizes(): Readonly<Record<'pending' | 'copies' | 'asks' | 'calls', number>> {
    return {
      pending: this.#pending.count,
      copies: this.#copies.count,
      asks: this.#asks.count,
      calls: this.#calls.underWay,
    };
  }

  /** Nobody asks twice: what the services fail to say is awaited like what they don't have. */
  handleGet(from: Destination<SocketName>, hash: string): void {
    if (!this.#calls.hasRoomToGet) return this.#noteBusy(from, hash);
    this.#calls.get(hash, (value) => {
      if (value === undefined || value === null) this.#pending.add(hash, from, this.#nowMs);
      else this.#deps.outbox.put(from, hash, value);
    });
  }

  handlePut(from: Destination<SocketName>, hash: string, value: Uint8Array): void {
    const nowMs = this.#nowMs;
    const isAnswer = this.#asks.take(hash, from.source, nowMs);
    if (isAnswer && !this.#copies.isNews(hash, value, nowMs)) {
      this.#deps.outbox.have(from, hash);
      return;
    }
    if (!this.#calls.hasRoomToPut) return this.#noteBusy(from, hash);
    const origin = isAnswer ? 'peer' : 'client';
    this.#copies.changed(hash, { origin, value, lifeMs: VALUE_MS }, nowMs);
    this.#calls.put(hash, value, VALUE_MS, (isDone) => {
      if (isDone) this.#arrived(hash, value, from);
      else this.#refused(from, hash);
    });
  }

  handleIHave(from: Destination<SocketName>, hash: string): void {
    if (this.#deps.outbox.acknowledged(from.source, hash)) return;
    if (this.#copies.isFresh(hash, this.#nowMs)) return;
    if (!this.#calls.hasRoomToGet) return this.#noteBusy(from, hash);
    this.#calls.get(hash, (value) => {
      if (value === null) this.#copies.forget(hash);
      const isWanted = value === null || this.#copies.mayFetchAgain(hash);
      if (value === undefined || !isWanted) return;
      this.#asks.add(hash, from.source, this.#nowMs);
      this.#deps.outbox.get(from, hash);
    });
  }

  /** Tells all of a value that came over gRPC, unless it is one that was stored here. */
  changed(key: string, value: Uint8Array, lifeMs: number): void {
    const nowMs = this.#nowMs;
    if (!isHash(key) || this.#copies.isEcho(key, value, nowMs)) return;
    this.#copies.changed(key, { origin: 'services', value, lifeMs }, nowMs);
    this.#arrived(key, value);
  }

  beat(): void {
    const nowMs = this.#nowMs;
    this.#pending.dropOld(nowMs);
    this.#asks.dropOld(nowMs);
    this.#copies.dropEnded(nowMs);
    for (const hash of this.#copies.takeDue(nowMs)) this.#announceAgain(hash);
  }

  close(): void {
    this.#calls.close();
    this.#pending.clear();
    this.#copies.clear();
    this.#asks.clear();
  }

  get #nowMs(): number {
    return this.#deps.clock.steadyMs();
  }

  #noteBusy(from: Destination<SocketName>, hash: string): void {
    this.#deps.note(from, 'limited', { hash, why: 'too many calls' });
  }

  #refused(from: Destination<SocketName>, hash: string): void {
    this.#copies.forget(hash);
    this.#deps.note(from, 'unexpected', { hash, why: 'the services refused it' });
  }

  /** The order of the original: who waits has the value before anybody hears that it is there. */
  #arrived(hash: string, value: Uint8Array, from?: Destination<SocketName>): void {
    this.#answerPending(hash, value);
    if (from !== undefined) this.#deps.outbox.have(from, hash);
    this.#tell(hash, value, from?.source);
  }

  /** Nobody is told of what could not be sent when asked for. */
  #tell(hash: string, value: Uint8Array, except?: Source): void {
    if (value.length > VALUE_BYTES_MAX) return;
    const exceptKey = except && peerKey(except);
    for (const peer of this.#deps.told()) {
      if (peerKey(peer.source) !== exceptKey) this.#deps.outbox.have(peer, hash);
    }
  }

  #answerPending(hash: string, value: Uint8Array): void {
    if (value.length > VALUE_BYTES_MAX) return;
    for (const to of this.#pending.take(hash)) this.#deps.outbox.put(to, hash, value);
  }

  /** Only what the services still have (R6). */
  #announceAgain(hash: string): void {
    if (!this.#calls.hasRoomToGet) return;
    this.#calls.get(hash, (value) => {
      if (value === null) this.#copies.forget(hash);
      else if (value !== undefined) this.#tell(hash, value);
    });
  }
}
