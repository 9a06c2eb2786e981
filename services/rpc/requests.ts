/**
 * The requests of a stream, read when asked for: when nobody asks, what `READ_AHEAD_BYTES_MAX` allows
 * waits here and the 16 requests that grpc-js reads ahead wait there; the rest stays with the caller.
 */
import type { ServerReadableStream } from '@grpc/grpc-js';
import { READ_AHEAD_BYTES_MAX } from './limits.js';
import type { RunningCall } from './running-call.js';
import type { ReadRequest } from './validate.js';

type Waiting<Request> = {
  resolve(result: IteratorResult<Request, undefined>): void;
  reject(reason: Error): void;
};

/** For one reader, which asks for one request at a time, as `for await` does. */
export class Requests<Request> implements AsyncIterableIterator<Request, undefined> {
  readonly #call: ServerReadableStream<Buffer, unknown>;
  readonly #running: RunningCall;
  readonly #read: ReadRequest<Request>;
  #waiting: Waiting<Request> | undefined;
  #arrived: Buffer[] = [];
  #arrivedBytes = 0;
  #state: 'unread' | 'flowing' | 'paused' | 'ended' = 'unread';

  constructor(
    call: ServerReadableStream<Buffer, unknown>,
    running: RunningCall,
    read: ReadRequest<Request>,
  ) {
    this.#call = call;
    this.#running = running;
    this.#read = read;
    call.once('cancelled', () => running.cut());
    running.atEnd(() => this.#stop());
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<Request, undefined>> {
    if (this.#running.isOver) return Promise.reject(this.#whyOver());
    if (this.#waiting) return Promise.reject(new Error('a request is asked for already'));
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
      const bytes = this.#arrived.shift();
      if (bytes) this.#give(bytes);
      else this.#flow();
    });
  }

  #flow(): void {
    if (this.#state === 'ended') this.#giveEnd();
    if (this.#state === 'unread') {
      this.#call.on('data', (bytes: Buffer) => this.#arrive(bytes));
      this.#call.once('end', () => this.#end());
    }
    if (this.#state === 'paused') {
      this.#arrivedBytes = 0;
      this.#call.resume();
    }
    if (this.#state !== 'ended') this.#state = 'flowing';
  }

  #arrive(bytes: Buffer): void {
    if (this.#waiting) {
      this.#give(bytes);
      return;
    }
    this.#arrived.push(bytes);
    this.#arrivedBytes += bytes.length + BUFFER_BYTES;
    if (this.#arrivedBytes < READ_AHEAD_BYTES_MAX) return;
    this.#state = 'paused';
    this.#call.pause();
  }
