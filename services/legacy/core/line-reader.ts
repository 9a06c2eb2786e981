/**
 * Bytes of a stream into lines of UTF-8 (wire/ring.md, section 2): LF, CR LF or a lone CR ends one, at
 * once; each invalid byte becomes U+FFFD. No more is held than the longest line allowed.
 */
const LF = 0x0a;
const CR = 0x0d;
const HELD_BYTES_FIRST = 128;

const UTF8 = new TextDecoder('utf-8', { ignoreBOM: true });

export class LineReader {
  readonly #lineBytesMax: number;
  #held = new Uint8Array(HELD_BYTES_FIRST);
  #heldBytes = 0;
  #endedByCr = false;
  #isTooLong = false;

  constructor(lineBytesMax: number) {
    this.#lineBytesMax = lineBytesMax;
  }

  /** Whether a line was longer than allowed: it is lost, and there are no more behind it. */
  get isTooLong(): boolean {
    return this.#isTooLong;
  }

  /** Yields the lines that these bytes end. Whoever stops early must not call it again. */
  *read(bytes: Uint8Array): Generator<string, void> {
    let start = 0;
    for (let at = 0; at < bytes.length; at += 1) {
      const byte = bytes[at];
      const isSecondOfTwo = byte === LF && this.#endedByCr;
      this.#endedByCr = byte === CR;
      if (byte !== LF && byte !== CR) continue;
      if (!isSecondOfTwo) {
        this.#hold(bytes.subarray(start, at));
        if (this.#isTooLong) return;
        yield this.#take();
      }
      start = at + 1;
    }
    this.#hold(bytes.subarray(start));
  }

  /** The stream has ended: what it brought behind its last terminator, if anything. */
  end(): string | undefined {
    return this.#heldBytes > 0 ? this.#take() : undefined;
  }

  #hold(bytes: Uint8Array): void {
    const length = this.#heldBytes + bytes.length;
    if (this.#isTooLong || length > this.#lineBytesMax) {
      this.#isTooLong = true;
      this.#heldBytes = 0;
      return;
    }
    if (length > this.#held.length) {
      const grown = new Uint8Array(Math.min(2 * length, this.#lineBytesMax));
      grown.set(this.#held.subarray(0, this.#heldBytes));
      this.#held = grown;
    }
    this.#held.set(bytes, this.#heldBytes);
    this.#heldBytes = length;
  }

  #take(): string {
    const text = UTF8.decode(this.#held.subarray(0, this.#heldBytes));
    this.#heldBytes = 0;
    return text;
  }
}
