/**
 * Messages in the plain framing, one after the other, out of a stream. The original framing is for
 * datagrams only: in a stream nobody could tell where its messages end.
 */
import { TLV } from './codec.js';
import type { TlvMessage } from './messages.js';

export class PlainStream {
  readonly #act: (message: TlvMessage) => void;
  /** Less than a message, and a copy: what comes may be written over. */
  #rest: Uint8Array = new Uint8Array(0);
  #isBroken = false;

  constructor(act: (message: TlvMessage) => void) {
    this.#act = act;
  }

  /** False when what came is no message: nothing behind it can be read, and the stream is to be closed. */
  received(bytes: Uint8Array): boolean {
    if (this.#isBroken) return false;
    let rest = joined(this.#rest, bytes);
    while (rest.length > 0) {
      const decoded = TLV.decode(rest);
      if (decoded.kind === 'incomplete') break;
      if (decoded.kind === 'malformed' || decoded.message.framing === 'original')
        return this.#break();
      rest = rest.subarray(decoded.bytesUsed);
      this.#act(decoded.message);
    }
    this.#rest = new Uint8Array(rest);
    return true;
  }

  #break(): false {
    this.#isBroken = true;
    this.#rest = new Uint8Array(0);
    return false;
  }
}

function joined(head: Uint8Array, tail: Uint8Array): Uint8Array {
  if (head.length === 0) return tail;
  const both = new Uint8Array(head.length + tail.length);
  both.set(head);
  both.set(tail, head.length);
  return both;
}
