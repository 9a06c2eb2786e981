/**
 * One direction of a peer stream: bytes from one writer to one reader, with room for so many.
 *
 * Small chunks that wait are handed out together. When it breaks, the writer learns of it at once; the
 * reader still gets what was written before, and no error when that was all.
 */

/** What may wait; one chunk more is no harm. */
export const PIPE_BYTES_MAX = 256 * 2 ** 10;
/** Chunks that wait are joined up to this size. */
const JOINED_BYTES_MAX = 64 * 2 ** 10;

export class Pipe {
  #chunks: Uint8Array[] = [];
  #bytes = 0;
  #isFinished = false;
  #isSettled = false;
  #failure: Error | undefined;
  /** The writer may wait for room and for the end at once. */
  #writerWaits: (() => void)[] = [];
  #wakeReader: (() => void) | undefined;

  /** Whether the writer has written all. */
  get isFinished(): boolean {
    return this.#isFinished;
  }

  /** Whether the reader has all, or it broke. */
  get isDone(): boolean {
    return this.#isSettled || this.#failure !== undefined;
  }

  /** Takes a chunk; returns a promise when the next one must wait for it. Throws why it broke. */
  write(chunk: Uint8Array): Promise<void> | undefined {
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#isFinished) throw new Error('a stream that has finished takes no more');
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
    this.#wakeReader?.();
    return this.#bytes < PIPE_BYTES_MAX
      ? undefined
      : this.#until(() => this.#bytes < PIPE_BYTES_MAX);
  }

  /** No more will be written. */
  finish(): void {
    this.#isFinished = true;
    this.#wakeReader?.();
  }

  /** For the writer: resolves when the reader has all. Rejects with why it broke. */
  async settled(): Promise<void> {
    await this.#until(() => this.#isSettled);
  }

  /** Breaks it, unless it is done. */
  fail(reason: Error): void {
    if (this.isDone) return;
    this.#failure = reason;
    this.#wakeReader?.();
    this.#wakeWriter();
  }

  /** Resolves with what is next; with undefined at the end. Rejects with why it broke. */
  async read(): Promise<Uint8Array | undefined> {
    while (this.#chunks.length === 0) {
      if (this.#isFinished) return undefined;
      if (this.#failure !== undefined) throw this.#failure;
      await new Promise<void>((wake) => {
        this.#wakeReader = wake;
      });
      this.#wakeReader = undefined;
    }
    const chunk = this.#take();
    this.#bytes -= chunk.length;
    if (this.#bytes < PIPE_BYTES_MAX) this.#wakeWriter();
    return chunk;
  }

  /** The reader has all, and has passed it on. */
  settle(): void {
    this.#isSettled = true;
    this.#wakeWriter();
  }

  async #until(isTrue: () => boolean): Promise<void> {
    while (!isTrue()) {
      if (this.#failure !== undefined) throw this.#failure;
      await new Promise<void>((wake) => {
        this.#writerWaits.push(wake);
      });
    }
  }

  #wakeWriter(): void {
    for (const wake of this.#writerWaits.splice(0)) wake();
  }

  #take(): Uint8Array {
    let bytes = 0;
    let count = 0;
    for (const { length } of this.#chunks) {
      if (count > 0 && bytes + length > JOINED_BYTES_MAX) break;
      bytes += length;
      count += 1;
    }
    const taken = this.#chunks.splice(0, count);
    return taken.length === 1 && taken[0] !== undefined ? taken[0] : Buffer.concat(taken, bytes);
  }
}
