/** How a session sends a message and says what it sent and heard: each datagram is noted once. */
import type { Send, SessionNote, Source } from '../core/session.js';
import { TLV } from './codec.js';
import type { TlvMessage } from './messages.js';
import type { TlvSocket } from './options.js';

export class Post {
  readonly #send: Send<TlvSocket>;
  readonly #note: (note: SessionNote) => void;
  /** What was heard and is not noted yet: it may still be dropped. */
  #heard: SessionNote | undefined;

  constructor(send: Send<TlvSocket>, note: (note: SessionNote) => void) {
    this.#send = send;
    this.#note = note;
  }

  /** One datagram. The message must be one that the codec writes. */
  send(socket: TlvSocket, to: Source, message: TlvMessage): void {
    this.sendBy((bytes) => this.#send(socket, to, bytes), { socket, peer: to }, message);
  }

  /** The same by another way, such as a stream. */
  sendBy(
    way: (bytes: Uint8Array) => void,
    { socket, peer }: Pick<SessionNote, 'socket' | 'peer'>,
    message: TlvMessage,
  ): void {
    this.settle();
    way(TLV.encode(message));
    this.#note({ direction: 'out', socket, peer, what: message.kind, fields: fieldsOf(message) });
  }

  /** A message came. To be followed by `settle`, when it has been acted on. */
  heard(socket: string, peer: Source, message: TlvMessage): void {
    const fields = fieldsOf(message);
    this.#heard = { direction: 'in', socket, peer, what: message.kind, fields };
  }

  /** Notes what was heard, if it was not dropped. */
  settle(): void {
    const heard = this.#heard;
    this.#heard = undefined;
    if (heard !== undefined) this.#note(heard);
  }

  /** Something came that is not acted on. */
  dropped(
    { socket, peer }: Pick<SessionNote, 'socket' | 'peer'>,
    what: 'malformed' | 'limited' | 'unexpected',
    why: string,
  ): void {
    this.#heard = undefined;
    this.#note({ direction: 'in', socket, peer, what, fields: { why } });
  }
}

/** For a log line: no password is in it. */
function fieldsOf(message: TlvMessage): SessionNote['fields'] {
  const { framing } = message;
  switch (message.kind) {
    case 'GET':
      return { framing, hash: message.hash };
    case 'PUT':
    case 'HAVE':
      return { framing, ip: message.ip, hash: message.hash };
    case 'ANSWER':
    case 'EXIT_ANSWER':
      return { framing, text: message.text };
    case 'NEW_SERV':
      return { framing, ip: message.ip };
    default:
      return { framing };
  }
}
