/**
 * What is still to be sent to one server: a few messages each tick, for an original reads them one by one
 * from a small buffer. A host that never showed that it is there gets little, for anybody may write its
 * address on a NEW.
 */
import type { Source } from '../core/session.js';
import { PAIRS_MAX } from './holdings.js';
import type { TlvMessage } from './messages.js';
import type { TlvSocket } from './options.js';
import type { Post } from './post.js';

const LETTERS_PER_TICK = 4;
/** A whole table. What comes when it is full is dropped. */
const LETTERS_MAX = PAIRS_MAX;
/** Some 6 kB. */
const UNPROVEN_LETTERS_MAX = 32;

export type Letter = {
  readonly socket: TlvSocket;
  readonly message: TlvMessage;
  /** Not worth sending from then on. */
  readonly endMs: number;
};

export class Outbox {
  readonly #post: Post;
  readonly #to: Source;
  #letters: Letter[] = [];
  #leftInTick = LETTERS_PER_TICK;
  #leftUnproven = UNPROVEN_LETTERS_MAX;

  constructor(post: Post, to: Source) {
    this.#post = post;
    this.#to = to;
  }

  /** Sends at once when nothing waits and the tick has room. */
  put(letter: Letter): void {
    if (this.#letters.length >= LETTERS_MAX) return;
    this.#letters.push(letter);
    this.#flush(-Infinity);
  }

  /** The host has shown that it is there. */
  prove(): void {
    this.#leftUnproven = Infinity;
  }

  tick(nowMs: number): void {
    this.#leftInTick = LETTERS_PER_TICK;
    this.#flush(nowMs);
  }

  get size(): number {
    return this.#letters.length;
  }

  #flush(nowMs: number): void {
    let takenCount = 0;
    for (const { socket, message, endMs } of this.#letters) {
      if (this.#leftInTick <= 0 || this.#leftUnproven <= 0) break;
      takenCount += 1;
      if (endMs <= nowMs) continue;
      this.#leftInTick -= 1;
      this.#leftUnproven -= 1;
      this.#post.send(socket, this.#to, message);
    }
    if (takenCount > 0) this.#letters = this.#letters.slice(takenCount);
  }
}
