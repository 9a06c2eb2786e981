/** Hostile datagrams from several sockets, as fast as their reader takes them, all from one seed. */
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { pause } from '../../clients/sdk/timing.js';
import { below, oneOf, seededChance, type Chance } from '../../services/system/chance.js';
import { udpQueues } from './udp-queues.js';

/** What an IPv4 datagram holds at most. */
const LONGEST_BYTES = 65_507;
const RANDOM_BYTES_MAX = 300;
/** Fields that say how long something is stand in front. */
const HEAD_BYTES = 12;
/** A receive buffer of Linux has 208 KiB by default. */
const QUEUED_BYTES_MAX = 16 * 1_024;
const BATCH = 16;

export type FloodTarget = { readonly host: string; readonly ports: readonly number[] };

/** One socket of a hostile program, and what went over it. */
export type FloodSource = {
  readonly socket: Socket;
  sentBytes: number;
  sentDatagrams: number;
  receivedBytes: number;
  /** The most that the answers to what was sent may have, by the rule of the dialect. */
  allowedBytes: number;
  /** By the first byte. */
  readonly receivedByType: Map<number, number>;
};

export type FloodDeps = {
  readonly target: FloodTarget;
  /** Where the sources are bound, one for each. */
  readonly hosts: readonly string[];
  /** Datagrams that mean something, which are mutated. */
  readonly vectors: readonly Buffer[];
  /** Most bytes that may answer a datagram. */
  readonly allowed: (datagram: Buffer) => number;
  readonly seed: number;
};

export class Flood implements AsyncDisposable {
  readonly sources: readonly FloodSource[];
  readonly #deps: FloodDeps;
  readonly #chance: Chance;
  /** Of every kind how many were made. */
  readonly made = new Map<string, number>();

  private constructor(deps: FloodDeps, sources: readonly FloodSource[]) {
    this.#deps = deps;
    this.sources = sources;
    this.#chance = seededChance(deps.seed);
  }

  static async open(deps: FloodDeps): Promise<Flood> {
    return new Flood(deps, await Promise.all(deps.hosts.map(opened)));
  }

  /** Resolves when all have been read, with how many were sent and found no room. */
  async send(count: number): Promise<{ readonly sent: number; readonly dropped: number }> {
    const { ports } = this.#deps.target;
    const before = udpQueues(ports).dropped;
    for (let sent = 0; sent < count; sent += BATCH) {
      await this.#untilRoom(QUEUED_BYTES_MAX);
      const batch = Array.from({ length: Math.min(BATCH, count - sent) }, async () => this.#one());
      await Promise.all(batch);
    }
    await this.#untilRoom(0);
    return { sent: count, dropped: udpQueues(ports).dropped - before };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(
      this.sources.map(async ({ socket }) => {
        const closed = once(socket, 'close');
        socket.close();
        await closed;
      }),
    );
  }

  async #untilRoom(bytesMax: number): Promise<void> {
    while (udpQueues(this.#deps.target.ports).queuedBytes > bytesMax) await pause(1, undefined);
  }

  async #one(): Promise<void> {
    const { target, allowed } = this.#deps;
    const datagram = this.#draw();
    const source = oneOf(this.#chance, this.sources)!;
    const port = oneOf(this.#chance, target.ports)!;
    source.sentBytes += datagram.length;
    source.sentDatagrams += 1;
    source.allowedBytes += allowed(datagram);
    await new Promise<void>((resolve, reject) => {
      source.socket.send(datagram, port, target.host, (error) =>
        error === null ? resolve() : reject(error),
      );
    });
  }

  #draw(): Buffer {
    const kind = this.#kind();
    this.made.set(kind, (this.made.get(kind) ?? 0) + 1);
    const vector = Buffer.from(oneOf(this.#chance, this.#deps.vectors)!);
    switch (kind) {
      case 'empty':
        return Buffer.alloc(0);
      case 'longest':
        return this.#longest(vector);
      case 'random':
        return this.#random(below(this.#chance, RANDOM_BYTES_MAX));
      case 'random behind a type':
        return Buffer.concat([vector.subarray(0, 1), this.#random(below(this.#chance, 40))]);
      case 'truncated':
        return vector.subarray(0, below(this.#chance, vector.length));
      case 'bits flipped':
        return this.#flipped(vector);
      case 'another length':
        return this.#changed(vector);
      case 'bytes behind':
        return Buffer.concat([vector, this.#random(below(this.#chance, 40))]);
      default:
        return vector;
    }
  }

  #kind(): string {
    const share = this.#chance.unit();
    if (share < 0.02) return 'empty';
    if (share < 0.025) return 'longest';
    if (share < 0.2) return 'random';
    if (share < 0.35) return 'random behind a type';
    if (share < 0.5) return 'truncated';
    if (share < 0.7) return 'bits flipped';
    if (share < 0.85) return 'another length';
    return share < 0.9 ? 'bytes behind' : 'whole';
  }

  #random(length: number): Buffer {
    return Buffer.from(Array.from({ length }, () => below(this.#chance, 256)));
  }

  #longest(vector: Buffer): Buffer {
    const bytes = Buffer.alloc(LONGEST_BYTES, this.#random(RANDOM_BYTES_MAX));
    bytes.set(vector);
    return bytes;
  }

  #flipped(vector: Buffer): Buffer {
    for (let flips = 1 + below(this.#chance, 3); flips > 0; flips -= 1) {
      const index = below(this.#chance, vector.length);
      vector[index] = vector[index]! ^ (1 << below(this.#chance, 8));
    }
    return vector;
  }

  #changed(vector: Buffer): Buffer {
    vector[below(this.#chance, Math.min(HEAD_BYTES, vector.length))] = below(this.#chance, 256);
    return vector;
  }
}

async function opened(host: string): Promise<FloodSource> {
  const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4');
  const listening = once(socket, 'listening');
  socket.bind(0, host);
  await listening;
  const source: FloodSource = {
    socket,
    sentBytes: 0,
    sentDatagrams: 0,
    receivedBytes: 0,
    allowedBytes: 0,
    receivedByType: new Map(),
  };
  socket.on('message', (bytes) => {
    const type = bytes[0] ?? -1;
    source.receivedBytes += bytes.length;
    source.receivedByType.set(type, (source.receivedByType.get(type) ?? 0) + bytes.length);
  });
  return source;
}
