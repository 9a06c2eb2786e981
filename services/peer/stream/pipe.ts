/**
 * One direction of a peer stream: bytes from one writer to one reader, with room for so many.
 *
 * Small chunks that wait are handed out together. When it breaks, the reader still gets what was
 * written before; the writer learns of it at once.
 */

/** What may wait; one chunk more is no harm. */
export const PIPE_BYTES_MAX = 256 * 2 ** 10;
/** Chunks that wait are joined up to this size. */
const JOINED_BYTES_MAX = 64 * 2 ** 10;

export class Pipe {
  #chunks: Uint8Array[] = [];
  #bytes = 0;
  #isFinished = false;
  #failure: Error | undefined;
  #wakeWriter: (() => void) | undefined;
  #wakeReader: (() => void) | undefined;

  /** Whether all has been read, or nothing more will come. */
  get isDone(): boolean {
    return this.#failure !== undefined || (this.#isFinished && this.#chunks.length === 0);
  }

  /** Whether it broke. */
  get failure(): Error | undefined {
    return this.#failure;
  }

  /** Takes a chunk; returns a promise when the next one must wait for it. Throws why it broke. */
  write(chunk: Uint8Array): Promise<void> | undefined {
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#isFinished) throw new Error('a stream that has finished takes no more');
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
    this.#wakeReader?.();
    if (this.#bytes < PIPE_BYTES_MAX) return undefined;
    return new Promise((resolve, reject) => {
      this.#wakeWriter = () => {
        this.#wakeWriter = undefined;
        if (this.#failure === undefined) resolve();
        else reject(this.#failure);
      };
    });
  }

  /** No more will be written. */
  finish(): void {
    this.#isFinished = true;
    this.#wakeReader?.();
  }

  /** Breaks it, unless it is done. */
  fail(reason: Error): void {
    if (this.isDone) return;
    this.#failure = reason;
    this.#wakeReader?.();
    this.#wakeWriter?.();
  }

  /** Resolves with what is next; with undefined at the end. Rejects with why it broke. */
  async read(): Promise<Uint8Array | undefined> {
    while (this.#chunks.length === 0) {
      if (this.#failure !== undefined) throw this.#failure;
      if (this.#isFinished) return undefined;
      await new Promise<void>((resolve) => {
        this.#wakeReader = resolve;
      });
      this.#wakeReader = undefined;
    }
    const chunk = this.#take();
    this.#bytes -= chunk.length;
    if (this.#bytes < PIPE_BYTES_MAX) this.#wakeWriter?.();
    return chunk;
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
