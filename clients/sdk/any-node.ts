/** Calls to any of several nodes that answer alike: one at random, and the next when that one fails. */
import { NodeChannel, type Calls, type ConnectOptions, type Method } from './channel.js';
import { CallError, isNodeLost, silence } from './errors.js';
import {
  lastingStream,
  REOPEN_MS,
  type CallOptions,
  type LastingOptions,
} from './lasting-stream.js';
import { after, chanceBelow, now, pause, spread } from './timing.js';

const TIMEOUT_MS = 10_000;
/** What an attempt may take, so that a slow answer is not taken for none; at most half of all time. */
const SHARE_MS_MIN = 3_000;
/** How often all nodes are asked before a call fails. */
const ROUNDS = 2;
/** A watch says something at once, and then at least every 10 s; a node that does not is frozen. */
const SILENCE_MS = { first: 3_000, later: 15_000 };

/**
 * Stays with the node that answered last. Only for calls that are the same when they are repeated:
 * the node that has failed may have done its part.
 */
export class AnyNode implements Calls {
  readonly #channels: readonly NodeChannel[];
  readonly #timeoutMs: number;
  readonly #silenceMs: typeof SILENCE_MS;
  #index: number;

  /** Connects at the first call. */
  constructor(
    addresses: readonly string[],
    options: ConnectOptions = {},
    silenceMs: typeof SILENCE_MS = SILENCE_MS,
  ) {
    if (addresses.length === 0) throw new RangeError('no address of a node');
    const retries = addresses.length === 1;
    this.#channels = addresses.map((address) => new NodeChannel(address, { ...options, retries }));
    this.#timeoutMs = options.timeoutMs ?? TIMEOUT_MS;
    this.#silenceMs = silenceMs;
    this.#index = chanceBelow(addresses.length);
  }

  /** The node that is asked next. */
  get address(): string {
    return this.#current().address;
  }

  /** Each attempt may take its share of the time that is left: a node that is frozen must not eat all. */
  async unary<Request, Response>(
    method: Method<Request, Response>,
    request: Request,
    options: CallOptions = {},
  ): Promise<Response> {
    const count = this.#channels.length;
    const wholeMs = options.timeoutMs ?? this.#timeoutMs;
    const end = now() + wholeMs;
    for (let attempt = 0; ; attempt += 1) {
      const channel = this.#current();
      const leftInRound = count - (attempt % count);
      const leftMs = end - now();
      const shareMs = Math.max(leftMs / leftInRound, Math.min(SHARE_MS_MIN, wholeMs / 2));
      const timeoutMs = Math.max(1, Math.min(shareMs, leftMs));
      try {
        return await channel.unary(method, request, { ...options, timeoutMs });
      } catch (thrown) {
        const isOver = attempt + 1 === this.#attemptsMax() || now() >= end;
        if (isOver || options.signal?.aborted === true || !mayElsewhere(thrown)) throw thrown;
        this.#leave(channel);
      }
      if (leftInRound === 1) await pause(spread(REOPEN_MS.first), options.signal);
    }
  }

  /** Fails with UNAVAILABLE also when nothing comes for too long. */
  async *stream<Request, Response>(
    method: Method<Request, Response>,
    request: Request,
    options: CallOptions = {},
  ): AsyncGenerator<Response, void, void> {
    const channel = this.#current();
    const impatience = new AbortController();
    const signals = options.signal === undefined ? [] : [options.signal];
    const signal = AbortSignal.any([impatience.signal, ...signals]);
    let patienceMs = this.#silenceMs.first;
    const wait = () => after(patienceMs, () => impatience.abort());
    let stopWaiting = wait();
    try {
      for await (const message of channel.stream(method, request, { ...options, signal })) {
        stopWaiting();
        yield message;
        patienceMs = this.#silenceMs.later;
        stopWaiting = wait();
      }
      if (impatience.signal.aborted) throw silence(channel.address, patienceMs);
    } catch (thrown) {
      this.#leave(channel);
      throw thrown;
    } finally {
      stopWaiting();
    }
  }

  lastingStream<Request, Response>(
    method: Method<Request, Response>,
    request: Request,
    options?: LastingOptions,
  ): AsyncGenerator<Response, void, void> {
    const open = (bounds: CallOptions) => this.stream(method, request, bounds);
    return lastingStream(open, options, this.#channels.length);
  }

  close(): void {
    for (const channel of this.#channels) channel.close();
  }

  /** The channel to a lone node tries again by itself. */
  #attemptsMax(): number {
    return this.#channels.length === 1 ? 1 : ROUNDS * this.#channels.length;
  }

  #current(): NodeChannel {
    return this.#channels[this.#index] as NodeChannel;
  }

  /** Goes on to the next node, unless another call has done so already. */
  #leave(channel: NodeChannel): void {
    if (this.#current() === channel) this.#index = (this.#index + 1) % this.#channels.length;
  }
}

function mayElsewhere(thrown: unknown): boolean {
  if (!(thrown instanceof CallError)) return false;
  return isNodeLost(thrown) || thrown.status === 'DEADLINE_EXCEEDED';
}
