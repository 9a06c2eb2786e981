/**
 * Puts one after the other: three that an original server reads in one go stop it (wire/simple-dht.md,
 * R2).
 *
 * To one server they go 5 ms apart, and at most two that it has not acknowledged: it says IHave for each
 * Put, and one that it says nothing of counts as arrived after 200 ms. A client has one answer for each
 * of its Gets, at once. What must wait, waits in the lane of its peer; number, bytes and age of what
 * waits have a bound.
 */
import type { Source } from '../core/session.js';
import { peerKey } from './address.js';
import { PUT_FLIGHT_MS, PUT_GAP_MS, PUTS_IN_FLIGHT_MAX, type SimpleDhtLimits } from './limits.js';
import type { Destination } from './peers.js';

type PacingLimits = Pick<
  SimpleDhtLimits,
  'lanesMax' | 'queuedPerLaneMax' | 'queuedBytesMax' | 'queuedMs'
>;

export type PacedPut = { readonly hash: string; readonly value: Uint8Array };

export type PacingDeps<SocketName extends string> = {
  /** Whether no server is there, so that nothing stops of many Puts. */
  readonly isClient: (to: Source) => boolean;
  /** Whether a Put of so many bytes of value may go there now. */
  readonly maySend: (to: Source, valueBytes: number, nowMs: number) => boolean;
  readonly send: (to: Destination<SocketName>, put: PacedPut) => void;
  /** Waited for too long. */
  readonly dropped: (to: Destination<SocketName>, hash: string) => void;
};

type Lane<SocketName extends string> = {
  readonly to: Destination<SocketName>;
  /** By hash, the next one first: a newer value takes the place of the older one. */
  readonly queue: Map<string, { readonly value: Uint8Array; readonly sinceMs: number }>;
  flights: readonly { readonly hash: string; readonly sentMs: number }[];
  lastSentMs: number;
};

export class Pacing<SocketName extends string> {
  readonly #limits: PacingLimits;
  readonly #deps: PacingDeps<SocketName>;
  readonly #lanes = new Map<string, Lane<SocketName>>();
  #queuedBytes = 0;

  constructor(limits: PacingLimits, deps: PacingDeps<SocketName>) {
    this.#limits = limits;
    this.#deps = deps;
  }

  get laneCount(): number {
    return this.#lanes.size;
  }

  get queuedBytes(): number {
    return this.#queuedBytes;
  }

  /** Sends now or later. Returns false when there is no room to wait. */
  offer(to: Destination<SocketName>, put: PacedPut, nowMs: number): boolean {
    if (this.#sendFree(to, put, nowMs)) return true;
    const lane = this.#laneOf(to);
    if (lane === undefined) return false;
    if (lane.queue.size === 0 && this.#sendNow(lane, put, nowMs)) return true;
    if (!this.#hasRoom(lane, put)) return false;
    const older = lane.queue.get(put.hash);
    this.#queuedBytes += put.value.length - (older?.value.length ?? 0);
    lane.queue.set(put.hash, { value: put.value, sinceMs: older?.sinceMs ?? nowMs });
    return true;
  }

  /** Takes an IHave as the acknowledgement of a Put; returns whether it is one. */
  acknowledged(source: Source, hash: string, nowMs: number): boolean {
    const lane = this.#lanes.get(peerKey(source));
    const index = lane?.flights.findIndex((flight) => flight.hash === hash) ?? -1;
    if (lane === undefined || index === -1) return false;
    lane.flights = lane.flights.filter((_, other) => other !== index);
    this.#advance(lane, nowMs);
    return true;
  }

  /** Sends what may go by now. */
  tick(nowMs: number): void {
    for (const [key, lane] of this.#lanes) {
      this.#endFlights(lane, nowMs);
      this.#advance(lane, nowMs);
      const isIdle = lane.queue.size === 0 && lane.flights.length === 0;
      if (isIdle && nowMs - lane.lastSentMs >= PUT_GAP_MS) this.#lanes.delete(key);
    }
  }

  clear(): void {
    this.#lanes.clear();
    this.#queuedBytes = 0;
  }

  /** To a client that waits for nothing; returns whether it may go, and has gone. */
  #sendFree(to: Destination<SocketName>, put: PacedPut, nowMs: number): boolean {
    const { source } = to;
    if (!this.#deps.isClient(source) || this.#lanes.has(peerKey(source))) return false;
    if (!this.#deps.maySend(source, put.value.length, nowMs)) return false;
    this.#deps.send(to, put);
    return true;
  }

  #laneOf(to: Destination<SocketName>): Lane<SocketName> | undefined {
    const key = peerKey(to.source);
    const known = this.#lanes.get(key);
    if (known !== undefined || this.#lanes.size >= this.#limits.lanesMax) return known;
    const lane: Lane<SocketName> = {
      to,
      queue: new Map(),
      flights: [],
      lastSentMs: Number.NEGATIVE_INFINITY,
    };
    this.#lanes.set(key, lane);
    return lane;
  }

  #hasRoom({ queue }: Lane<SocketName>, { hash, value }: PacedPut): boolean {
    const { queuedPerLaneMax, queuedBytesMax } = this.#limits;
    const isLaneFull = !queue.has(hash) && queue.size >= queuedPerLaneMax;
    return !isLaneFull && this.#queuedBytes + value.length <= queuedBytesMax;
  }

  #advance(lane: Lane<SocketName>, nowMs: number): void {
    this.#dropOld(lane, nowMs);
    const [next] = lane.queue;
    if (next === undefined) return;
    const [hash, { value }] = next;
    if (this.#sendNow(lane, { hash, value }, nowMs)) this.#unqueue(lane, hash);
  }

  /** Returns whether it may go, and has gone. */
  #sendNow(lane: Lane<SocketName>, put: PacedPut, nowMs: number): boolean {
    this.#endFlights(lane, nowMs);
    if (nowMs - lane.lastSentMs < PUT_GAP_MS) return false;
    if (lane.flights.length >= PUTS_IN_FLIGHT_MAX) return false;
    if (!this.#deps.maySend(lane.to.source, put.value.length, nowMs)) return false;
    lane.flights = [...lane.flights, { hash: put.hash, sentMs: nowMs }];
    lane.lastSentMs = nowMs;
    this.#deps.send(lane.to, put);
    return true;
  }

  #endFlights(lane: Lane<SocketName>, nowMs: number): void {
    lane.flights = lane.flights.filter(({ sentMs }) => nowMs - sentMs < PUT_FLIGHT_MS);
  }

  #dropOld(lane: Lane<SocketName>, nowMs: number): void {
    for (const [hash, { sinceMs }] of lane.queue) {
      if (nowMs - sinceMs <= this.#limits.queuedMs) return;
      this.#unqueue(lane, hash);
      this.#deps.dropped(lane.to, hash);
    }
  }

  #unqueue(lane: Lane<SocketName>, hash: string): void {
    this.#queuedBytes -= lane.queue.get(hash)?.value.length ?? 0;
    lane.queue.delete(hash);
  }
}
