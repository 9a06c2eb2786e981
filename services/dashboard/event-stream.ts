/** One reader of Server-Sent Events: what is written to it, and how long it may take to read. */
import type { ServerResponse } from 'node:http';
import type { Clock } from '../system/clock.js';
import type { PageEvent } from './wire.js';

/** When the page should try again after the stream has ended. */
const RETRY_MS = 1_000;

export class EventStream {
  readonly #response: ServerResponse;
  readonly #clock: Clock;
  readonly #slowReaderMs: number;
  readonly #ending = new AbortController();
  #drained: Promise<void> | undefined;

  constructor(response: ServerResponse, clock: Clock, slowReaderMs: number) {
    this.#response = response;
    this.#clock = clock;
    this.#slowReaderMs = slowReaderMs;
    response.on('close', () => this.#ending.abort());
    response.write(`retry: ${RETRY_MS}\n\n`);
  }

  /** Aborted when the reader is gone, or was cut off. */
  get signal(): AbortSignal {
    return this.#ending.signal;
  }

  /** Resolves when more may be sent, or nobody reads any more. */
  async send({ name, data }: PageEvent): Promise<void> {
    await this.#drained;
    if (this.signal.aborted || this.#response.writableEnded) return;
    if (this.#response.write(`event: ${name}\ndata: ${JSON.stringify(data)}\n\n`)) return;
    this.#drained ??= this.#drain();
    await this.#drained;
  }

  end(): void {
    this.#response.end();
  }

  /** Cuts off who reads nothing for too long. */
  async #drain(): Promise<void> {
    await new Promise<void>((resolve) => {
      const cancel = this.#clock.after(this.#slowReaderMs, () => this.#response.destroy());
      const finish = (): void => {
        cancel();
        this.signal.removeEventListener('abort', finish);
        this.#response.off('drain', finish);
        resolve();
      };
      this.signal.addEventListener('abort', finish);
      this.#response.on('drain', finish);
    });
    this.#drained = undefined;
  }
}
