/**
 * The inbox of a peer: letters that wait for a reader, each taken once.
 *
 * Bounded in letters and bytes; a letter that finds no room is refused, never dropped. A letter that
 * came before, by its message ID, is acknowledged again and not kept twice.
 */
import type { Letter } from './messages.js';

export type InboxLimits = {
  /** Most letters waiting. */
  readonly lettersMax: number;
  /** Most payload bytes waiting. */
  readonly bytesMax: number;
  /** How many message IDs are remembered, the latest ones. */
  readonly rememberedMax: number;
};

export type Offered = 'new' | 'repeated' | 'full';

export class Inbox {
  readonly #limits: InboxLimits;
  readonly #seen = new Set<string>();
  #waiting: Letter[] = [];
  #waitingBytes = 0;

  constructor(limits: InboxLimits) {
    this.#limits = limits;
  }

  /** Takes note of a letter that a reader gets at once. */
  passOn(letter: Letter): Exclude<Offered, 'full'> {
    if (this.#seen.has(letter.messageId)) return 'repeated';
    this.#remember(letter.messageId);
    return 'new';
  }

  /** Keeps a letter until a reader comes. */
  keep(letter: Letter): Offered {
    if (this.#seen.has(letter.messageId)) return 'repeated';
    const bytes = this.#waitingBytes + letter.payload.length;
    const { lettersMax, bytesMax } = this.#limits;
    if (this.#waiting.length >= lettersMax || bytes > bytesMax) return 'full';
    this.#remember(letter.messageId);
    this.#waiting.push(letter);
    this.#waitingBytes = bytes;
    return 'new';
  }

  /** Hands out everything that waits. */
  takeAll(): readonly Letter[] {
    const taken = this.#waiting;
    this.#waiting = [];
    this.#waitingBytes = 0;
    return taken;
  }

  /** Takes back letters that were handed out and not read; they go before those that wait. */
  giveBack(letters: readonly Letter[]): void {
    this.#waiting = [...letters, ...this.#waiting];
    this.#waitingBytes += letters.reduce((bytes, { payload }) => bytes + payload.length, 0);
  }

  /** Whether so many letters are as many as may wait. */
  isFullWith(letters: readonly Letter[]): boolean {
    const bytes = letters.reduce((sum, { payload }) => sum + payload.length, 0);
    return letters.length >= this.#limits.lettersMax || bytes >= this.#limits.bytesMax;
  }

  #remember(messageId: string): void {
    this.#seen.add(messageId);
    const [oldest] = this.#seen;
    if (this.#seen.size > this.#limits.rememberedMax && oldest !== undefined) {
      this.#seen.delete(oldest);
    }
  }
}
