/**
 * A call with a stream of responses.
 *
 * Responses are taken from the handler one at a time, and no more of them than the reader takes:
 * at most `UNSENT_BYTES_MAX` and one message wait in this process. A reader that takes nothing for
 * `SLOW_READER_MS` loses the stream, unless the handler waits for it; then `PATIENT_BYTES_MAX` may wait.
 */
import type { ServiceError } from '@grpc/grpc-js';
import { RingbinderError } from '../errors.js';
import type { ResponseCodec } from './handlers.js';
import {
  MESSAGE_OVERHEAD_BYTES,
  PATIENT_BYTES_MAX,
  SLOW_READER_MS,
  UNSENT_BYTES_MAX,
} from './limits.js';
import { type CallScope, RunningCall, type SurfaceCall } from './running-call.js';

/** What is the same in a stream of responses and one both ways. */
type ResponseStream = SurfaceCall & {
  write(bytes: Buffer, left?: () => void): boolean;
  end(): unknown;
  emit(event: 'error', error: ServiceError): boolean;
};

export class StreamingCall<Response> extends RunningCall {
  readonly isStream = true;
  readonly #call: ResponseStream;
  readonly #method: ResponseCodec<Response>;
  /** Written, and not given to the network yet. */
  #unsentBytes = 0;
  /** Goes on with what `run` waits for. */
  #wake: (() => void) | undefined;
  /** Waits for the reader, not for the handler. */
  #isStuck = false;
  #waitsForReader = false;
  #unsentBytesMax = UNSENT_BYTES_MAX;

  constructor(call: ResponseStream, scope: CallScope, method: ResponseCodec<Response>) {
    super(call, scope);
    this.#call = call;
    this.#method = method;
    call.once('cancelled', () => this.cut());
    this.atEnd(() => this.#wake?.());
  }

  override waitForReader(): void {
    this.#waitsForReader = true;
    this.#unsentBytesMax = PATIENT_BYTES_MAX;
  }

  /** Sends what the handler responds, until that ends or the call is over. Never rejects. */
  async run(handle: () => AsyncIterable<Response>): Promise<void> {
    try {
      this.scope.calls.begin(this);
      await this.#pump(handle()[Symbol.asyncIterator]());
    } catch (caught) {
      this.fail(caught);
    }
  }

  async #pump(responses: AsyncIterator<Response>): Promise<void> {
    try {
      for (;;) {
        const next = await this.#next(responses);
        if (this.isOver || next === undefined) return;
        if (next.done === true) {
          this.#finish();
          return;
        }
        const leaving = this.#write(this.#method.responseSerialize(next.value));
        if (leaving) await leaving;
      }
    } finally {
      this.#close(responses);
    }
  }

  /** Resolves with undefined when the call is over before the handler has anything. */
  #next(responses: AsyncIterator<Response>): Promise<IteratorResult<Response> | undefined> {
    if (this.isOver) return Promise.resolve(undefined);
    return new Promise((resolve, reject) => {
      this.#wake = () => resolve(undefined);
      responses.next().then(resolve, reject);
    });
  }

  /** Answers with a promise when no more may be written before some of it has left. */
  #write(message: Buffer): Promise<void> | undefined {
    const bytes = message.length + MESSAGE_OVERHEAD_BYTES;
    this.#unsentBytes += bytes;
    this.#call.write(message, () => {
      this.#unsentBytes -= bytes;
      if (this.#isStuck && this.#unsentBytes <= this.#unsentBytesMax / 2) this.#wake?.();
    });
    return this.#unsentBytes > this.#unsentBytesMax ? this.#leaving() : undefined;
  }

  /** Resolves when half of what may wait has left, or the call is over. */
  #leaving(): Promise<void> {
    return new Promise((resolve) => {
      const stopTimer = this.#waitsForReader
        ? undefined
        : this.scope.clock.after(SLOW_READER_MS, () => this.fail(tooSlow()));
      this.#isStuck = true;
      this.#wake = () => {
        this.#isStuck = false;
        stopTimer?.();
        resolve();
      };
    });
  }

  #finish(): void {
    if (this.isOver) return;
    this.over();
    this.#call.end();
  }

  protected override refuse(error: ServiceError): void {
    this.#call.emit('error', error);
  }

  /** Lets the handler clean up, without waiting for it: it may be in the middle of something. */
  #close(responses: AsyncIterator<Response>): void {
    Promise.resolve(responses.return?.()).catch((caught: unknown) => this.fail(caught));
  }
}

function tooSlow(): RingbinderError {
  const waitedMs = String(SLOW_READER_MS);
  return new RingbinderError(
    'WATCHER_TOO_SLOW',
    `nothing of the stream was read for ${waitedMs} ms; open it again and read faster`,
    { waitedMs },
  );
}
