/**
 * What every legacy dialect is made of: a codec of pure functions between bytes and messages.
 *
 * A decoder never throws. What a peer got wrong is `malformed`, which is dropped and counted; a
 * message that can't be encoded is our own mistake, and does throw (a `RangeError`).
 */

export type Decoded<Message> =
  | { readonly kind: 'message'; readonly message: Message; readonly bytesUsed: number }
  /** More bytes may make a message of it. In a datagram, where no more come, it is cut off. */
  | { readonly kind: 'incomplete' }
  | { readonly kind: 'malformed'; readonly why: string };

export interface Dialect<Message> {
  readonly name: string;
  /** No message is longer. */
  readonly messageBytesMax: number;
  decode(bytes: Uint8Array): Decoded<Message>;
  /** Throws a `RangeError` for what the dialect can't say, or what would harm an original program. */
  encode(message: Message): Uint8Array;
}
