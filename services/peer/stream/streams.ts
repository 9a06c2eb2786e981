/**
 * The streams of this peer: at most one of each name with each other peer.
 *
 * Of two peers the one with the smaller ring ID carries all streams between them, over one connection;
 * the other one asks it to. So it does not matter who opens a stream, how often, or whether both do at
 * once: there is one of it. A stream that the other peer opened waits for an application to accept it,
 * or to open it too.
 */
import { RingbinderError } from '../../errors.js';
import type { Cancel, Clock } from '../../system/clock.js';
import type { PeerRef } from '../core/ring-space.js';
import { brokenOff, PeerStream } from './peer-stream.js';

export type StreamsDeps = {
  readonly self: () => PeerRef;
  /** Whether streams with a peer are carried from here. */
  readonly carries: (peer: PeerRef) => boolean;
  /** Begins to carry a stream to the other peer; opens it when it stands, and breaks it when not. */
  readonly carry: (stream: PeerStream) => void;
  /** Asks the other peer to carry a stream here. Rejects when it does not answer. */
  readonly invite: (peer: PeerRef, name: string) => Promise<void>;
  readonly clock: Clock;
  readonly limits: StreamLimits;
};

export type StreamLimits = {
  /** Streams at once. */
  readonly streamsMax: number;
  /** Streams at once that no application has accepted. */
  readonly unclaimedMax: number;
  /** How long they wait. */
  readonly unclaimedMsMax: number;
  /** How long until a stream stands. */
  readonly openMsMax: number;
};

/** An invitation that came to nothing is repeated: the other peer may have been ending an older stream. */
const INVITE_EVERY_MS = 200;
const SWEEP_MS = 1_000;

type Acceptor = (stream: PeerStream) => void;

export class PeerStreams {
  readonly #deps: StreamsDeps;
  readonly #streams = new Map<string, PeerStream>();
  /** Who waits for a stream of a name, in the order of arrival. */
  readonly #acceptors = new Map<string, Set<Acceptor>>();

  /** Since when they wait for an application. */
  readonly #unclaimed = new Map<PeerStream, number>();
  readonly #stopSweeping: Cancel;

  constructor(deps: StreamsDeps) {
    this.#deps = deps;
    this.#stopSweeping = deps.clock.every(SWEEP_MS, () => this.#sweep());
  }

  /** Streams that stand or are being opened. */
  get count(): number {
    return this.#streams.size;
  }

  /**
   * Takes the near end of the stream with a peer, which is opened now when there is none. Throws
   * `STREAM_TAKEN` when another application has it, `STREAMS_FULL`, `PEER_UNREACHABLE`.
   */
  async open(peer: PeerRef, name: string, signal: AbortSignal): Promise<PeerStream> {
    const known = this.#find(peer, name);
    if (known?.isTaken === true) throw streamTaken(peer, name);
    const stream = known ?? this.#create(peer, name);
    stream.take();
    if (known === undefined && !stream.isOpen) this.#begin(stream);
    await this.#untilOpen(stream, signal);
    return stream;
  }

  /** Takes the near end of a stream that another peer opens, in the order in which they come. */
  async accept(name: string, signal: AbortSignal): Promise<PeerStream> {
    const waiting = [...this.#streams.values()].find(
      (stream) => stream.name === name && stream.isOpen && !stream.isTaken && !stream.isOver,
    );
    const stream = waiting ?? (await this.#nextOf(name, signal));
    stream.take();
    return stream;
  }

  /** Another peer carries a stream here, with its end there open. Throws `STREAMS_FULL`. */
  carried(peer: PeerRef, name: string): PeerStream {
    const known = this.#find(peer, name);
    // Who carries a stream anew has none any more: ours is an older one that may still be read.
    if (known?.isOpen === true) this.release(known);
    const stream = this.#find(peer, name) ?? this.#create(peer, name);
    stream.open();
    this.#offer(stream);
    return stream;
  }

  /** Another peer wants a stream carried to it. Throws `STREAMS_FULL`. */
  invited(peer: PeerRef, name: string): void {
    const known = this.#find(peer, name);
    const isSameLife = known?.peer.incarnation === peer.incarnation;
    if (known !== undefined && isSameLife) return;
    if (known !== undefined) this.release(known);
    const stream = this.#create(peer, name);
    this.#deps.carry(stream);
    stream.opened.then(
      () => this.#offer(stream),
      () => undefined,
    );
  }

  /** Breaks all. */
  close(): void {
    this.#stopSweeping();
    for (const stream of [...this.#streams.values()]) this.#drop(stream);
  }

  /** A stream that is over makes room for the next one of its name. */
  release(stream: PeerStream): void {
    const key = keyOf(stream.peer, stream.name);
    if (this.#streams.get(key) === stream) this.#streams.delete(key);
  }

  #find(peer: PeerRef, name: string): PeerStream | undefined {
    const known = this.#streams.get(keyOf(peer, name));
    if (known?.isOver !== true) return known;
    this.release(known);
    return undefined;
  }

  #create(peer: PeerRef, name: string): PeerStream {
    const { streamsMax } = this.#deps.limits;
    if (this.#streams.size >= streamsMax) throw streamsFull(streamsMax);
    const isToSelf = peer.address === this.#deps.self().address;
    const stream = new PeerStream(peer, name, isToSelf);
    this.#streams.set(keyOf(peer, name), stream);
    return stream;
  }

  #begin(stream: PeerStream): void {
    const { carries, carry, clock, limits } = this.#deps;
    const stopWaiting = clock.after(limits.openMsMax, () => this.#drop(stream));
    stream.opened.then(stopWaiting, stopWaiting);
    if (carries(stream.peer)) carry(stream);
    else void this.#keepInviting(stream);
  }

  async #keepInviting(stream: PeerStream): Promise<void> {
    const { invite, clock } = this.#deps;
    while (!stream.isOpen && !stream.isOver) {
      try {
        await invite(stream.peer, stream.name);
      } catch (thrown) {
        const isRefused = thrown instanceof RingbinderError;
        if (isRefused) stream.break(thrown);
      }
      await Promise.race([
        stream.opened.catch(() => undefined),
        new Promise<void>((wake) => clock.after(INVITE_EVERY_MS, wake)),
      ]);
    }
  }

  async #untilOpen(stream: PeerStream, signal: AbortSignal): Promise<void> {
    const giveUp = (): void => this.#drop(stream);
    signal.addEventListener('abort', giveUp);
    if (signal.aborted) giveUp();
    try {
      await stream.opened;
    } catch (thrown) {
      this.release(stream);
      throw thrown;
    } finally {
      signal.removeEventListener('abort', giveUp);
    }
  }

  /** Gives a stream that nobody has to whoever waits for it; else it waits itself, for a while. */
  #offer(stream: PeerStream): void {
    if (stream.isTaken) return;
    const [acceptor] = this.#acceptors.get(stream.name) ?? [];
    if (acceptor !== undefined) {
      acceptor(stream);
      return;
    }
    const { clock, limits } = this.#deps;
    this.#unclaimed.set(stream, clock.monotonicMs());
    if (this.#unclaimed.size > limits.unclaimedMax) this.#sweep();
    if (this.#unclaimed.size > limits.unclaimedMax) this.#giveUp(stream);
  }

  /** Forgets what is over, and gives up what nobody has accepted in time. */
  #sweep(): void {
    const { clock, limits } = this.#deps;
    const offeredMs = clock.monotonicMs() - limits.unclaimedMsMax;
    for (const stream of this.#streams.values()) if (stream.isOver) this.release(stream);
    for (const [stream, atMs] of this.#unclaimed) {
      if (stream.isTaken || stream.isOver) this.#unclaimed.delete(stream);
      else if (atMs <= offeredMs) this.#giveUp(stream);
    }
  }

  #giveUp(stream: PeerStream): void {
    this.#unclaimed.delete(stream);
    stream.break(notTaken(stream));
    this.release(stream);
  }

  async #nextOf(name: string, signal: AbortSignal): Promise<PeerStream> {
    const waiting = this.#acceptors.get(name) ?? new Set();
    this.#acceptors.set(name, waiting);
    return new Promise((resolve, reject) => {
      const end = (): void => {
        waiting.delete(accept);
        if (waiting.size === 0) this.#acceptors.delete(name);
        signal.removeEventListener('abort', giveUp);
      };
      const accept = (stream: PeerStream): void => {
        end();
        stream.take();
        resolve(stream);
      };
      const giveUp = (): void => {
        end();
        reject(signal.reason as Error);
      };
      waiting.add(accept);
      signal.addEventListener('abort', giveUp);
      if (signal.aborted) giveUp();
    });
  }

  #drop(stream: PeerStream): void {
    stream.break(brokenOff(stream));
    this.release(stream);
  }
}

function keyOf({ address }: PeerRef, name: string): string {
  return `${address}\n${name}`;
}

function streamTaken({ address }: PeerRef, name: string): RingbinderError {
  const text = `another caller has the stream '${name}' with ${address}`;
  return new RingbinderError('STREAM_TAKEN', text, { address, name });
}

function streamsFull(streamsMax: number): RingbinderError {
  const text = `this node has ${streamsMax} streams and takes no more`;
  return new RingbinderError('STREAMS_FULL', text, { streamsMax: String(streamsMax) });
}

function notTaken({ peer, name }: PeerStream): RingbinderError {
  const text = `nobody at the other peer took the stream '${name}'`;
  return new RingbinderError('PEER_UNREACHABLE', text, { address: peer.address, name });
}
