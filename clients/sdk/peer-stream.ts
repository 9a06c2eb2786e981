/** A stream to another peer, as a Node `Duplex`. */
import { once } from 'node:events';
import { Duplex } from 'node:stream';
import type { ClientDuplexStream, ServiceError } from '@grpc/grpc-js';
import {
  PeerServiceService,
  type OpenStreamRequest,
  type OpenStreamResponse,
  type OpenStreamTarget,
} from '../../proto/gen/ringbinder/v1/peer_service.js';
import type { NodeChannel } from './channel.js';
import { CallError } from './errors.js';
import { peerFrom, type Peer } from './messages.js';

/** One request carries at most so much; a node takes up to 1 MiB. */
const CHUNK_BYTES_MAX = 256 * 2 ** 10;

type Call = ClientDuplexStream<OpenStreamRequest, OpenStreamResponse>;
type Done = (error?: Error | null) => void;

/**
 * Connects when it is first written to or read from, or by `connect`. Ending it ends this direction only;
 * it closes when both directions have ended and the node has passed on all that was written. Destroying it
 * before breaks the stream. Errors are `CallError`s.
 *
 * `for await` over any Node stream destroys it when the loop ends, also when the other end has only finished
 * its direction: to go on writing then, loop over `iterator({ destroyOnReturn: false })`.
 */
export class PeerStream extends Duplex {
  readonly #channel: NodeChannel;
  readonly #target: OpenStreamTarget;
  #call: Call | undefined;
  #peer: Peer | undefined;
  #isOver = false;

  constructor(channel: NodeChannel, target: OpenStreamTarget) {
    super({ allowHalfOpen: true });
    this.#channel = channel;
    this.#target = target;
  }

  /** The other end, once the stream stands; then `open` is emitted with it. */
  get peer(): Peer | undefined {
    return this.#peer;
  }

  /** Connects now, and resolves with the other end when the stream stands. */
  async connect(): Promise<Peer> {
    if (this.#peer !== undefined) return this.#peer;
    if (this.destroyed) throw this.errored ?? new Error('the stream is closed');
    const closing = new AbortController();
    const giveUp = (): void => closing.abort();
    this.once('close', giveUp);
    try {
      const opened = once(this, 'open', { signal: closing.signal });
      this.#open();
      const [peer] = (await opened) as [Peer];
      return peer;
    } finally {
      this.off('close', giveUp);
    }
  }

  override _read(): void {
    this.#open().resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: Done): void {
    const call = this.#open();
    let hasRoom = true;
    for (let start = 0; start < chunk.length; start += CHUNK_BYTES_MAX) {
      const value = chunk.subarray(start, start + CHUNK_BYTES_MAX);
      hasRoom = call.write({ action: { $case: 'chunk', value } });
    }
    if (hasRoom) done();
    else call.once('drain', done);
  }

  /** What was written meanwhile goes together. */
  override _writev(chunks: readonly { readonly chunk: Buffer }[], done: Done): void {
    this._write(Buffer.concat(chunks.map(({ chunk }) => chunk)), 'binary', done);
  }

  override _final(done: Done): void {
    const call = this.#open();
    call.write({ action: { $case: 'finish', value: {} } });
    call.end();
    done();
  }

  /** After both ends the call is still to end: only then has all been passed on. */
  override _destroy(error: Error | null, done: Done): void {
    const call = this.#call;
    const isEnding = error === null && this.readableEnded && this.writableFinished;
    if (call === undefined || this.#isOver || !isEnding) {
      call?.cancel();
      done(error);
      return;
    }
    call.once('end', () => done(null));
    call.once('error', (failure: ServiceError) => done(new CallError(failure)));
    call.resume();
  }

  #open(): Call {
    if (this.#call !== undefined) return this.#call;
    const call = this.#channel.duplex(PeerServiceService.openStream);
    this.#call = call;
    call.on('data', ({ event }: OpenStreamResponse) => this.#take(event));
    call.on('error', (error: ServiceError) => {
      this.#isOver = true;
      this.destroy(new CallError(error));
    });
    call.on('end', () => {
      this.#isOver = true;
    });
    call.write({ action: { $case: 'open', value: this.#target } });
    return call;
  }

  #take(event: OpenStreamResponse['event']): void {
    if (event?.$case === 'opened') {
      this.#peer = peerFrom(event.value);
      this.emit('open', this.#peer);
    } else if (event?.$case === 'chunk') {
      if (!this.push(event.value)) this.#call?.pause();
    } else if (event?.$case === 'finish') {
      this.push(null);
    }
  }
}
