/**
 * The requests of a stream, read when asked for. When nobody asks, `UNREAD_BYTES_MAX` and one
 * request wait here, and the 16 that grpc-js reads ahead wait there; the rest stays with the caller.
 */
import type { ServerReadableStream } from '@grpc/grpc-js';
import { MESSAGE_OVERHEAD_BYTES, UNREAD_BYTES_MAX } from './limits.js';
import type { RunningCall } from './running-call.js';
import type { ReadRequest } from './validate.js';

type Waiting<Request> = {
  resolve(result: IteratorResult<Request, undefined>): void;
  reject(reason: Error): void;
};

/**
 * For one reader, which asks for one request at a time, as `for await` does.
 *
 * That the caller cancels may look like its last request: HTTP/2 of Node ends a stream before it
 * resets it. So nothing that matters may hang on the end of the requests; a message must say so.
 */
export class Requests<Request> implements AsyncIterableIterator<Request, undefined> {
  readonly #call: ServerReadableStream<Buffer, unknown>;
  readonly #running: RunningCall;
  readonly #read: ReadRequest<Request>;
  #flow: 'unopened' | 'open' | 'paused' | 'ended' = 'unopened';
  #waiting: Waiting<Request> | undefined;
  #unread: Buffer[] = [];
  #unreadBytes = 0;

  constructor(
    call: ServerReadableStream<Buffer, unknown>,
    running: RunningCall,
    read: ReadRequest<Request>,
  ) {
    this.#call = call;
    this.#running = running;
    this.#read = read;
    call.once('cancelled', () => running.cut());
    running.atEnd(() => this.#drop());
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<Request, undefined>> {
    if (this.#running.isOver) return Promise.reject(this.#whyOver());
    if (this.#waiting) return Promise.reject(new Error('a request is asked for already'));
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
      const bytes = this.#unread.shift();
      if (bytes === undefined) {
        this.#openFlow();
        return;
      }
      this.#unreadBytes -= bytes.length + MESSAGE_OVERHEAD_BYTES;
      this.#give(bytes);
    });
  }

  #openFlow(): void {
    if (this.#flow === 'ended') this.#settle({ value: undefined, done: true });
    else if (this.#flow === 'paused') this.#call.resume();
    else if (this.#flow === 'unopened') {
      this.#call.on('data', (bytes: Buffer) => this.#arrive(bytes));
      this.#call.once('end', () => this.#end());
    }
    if (this.#flow !== 'ended') this.#flow = 'open';
  }

  #arrive(bytes: Buffer): void {
    if (this.#running.isOver) return;
    if (this.#waiting) {
      this.#give(bytes);
      return;
    }
    this.#unread.push(bytes);
    this.#unreadBytes += bytes.length + MESSAGE_OVERHEAD_BYTES;
    if (this.#unreadBytes <= UNREAD_BYTES_MAX) return;
    this.#flow = 'paused';
    this.#call.pause();
  }

  #end(): void {
    this.#flow = 'ended';
    this.#settle({ value: undefined, done: true });
  }

  /** A request that is refused ends the call, and by that the waiting for it. */
  #give(bytes: Buffer): void {
    try {
      this.#settle({ value: this.#read(bytes), done: false });
    } catch (caught) {
      this.#running.fail(caught);
    }
  }

  #settle(result: IteratorResult<Request, undefined>): void {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    waiting?.resolve(result);
  }

  /** The call is over; grpc-js throws away what still comes. */
  #drop(): void {
    this.#unread = [];
    this.#waiting?.reject(this.#whyOver());
    this.#waiting = undefined;
  }

  #whyOver(): Error {
    return this.#running.overReason ?? new DOMException('the call is over', 'AbortError');
  }
}
