/**
 * The codec of dialect `tlv`. The first byte tells the framing: an ASCII digit is the original's, 0 to 9
 * the plain one; nothing at all is a refusal. Source: wire/tlv.md, sections 3, 4 and 7.
 */
import type { Decoded, Dialect } from '../core/dialect.js';
import { ASCII_ZERO, type Framing, type TlvMessage } from './messages.js';
import { decodeOriginal, encodeOriginal, ORIGINAL_BYTES_MAX } from './original-codec.js';
import { decodePlain, encodePlain } from './plain-codec.js';

/** What else a client needs to make sense of messages. */
export { addressesIn } from './answer-text.js';
export { canonicalIpv6 } from './ipv6.js';
export { EXIT_ACCEPTED, type Framing, type TlvMessage } from './messages.js';

const TYPES = 10;

/**
 * The original framing is one datagram a message and never `incomplete`. An answer to a GET takes the
 * whole datagram, whatever it declares (wire/tlv.md, B5).
 */
export const TLV: Dialect<TlvMessage> = {
  name: 'tlv',
  messageBytesMax: ORIGINAL_BYTES_MAX,
  decode,
  encode: (message) =>
    message.framing === 'original' ? encodeOriginal(message) : encodePlain(message),
};

/** The framing that begins with this byte; undefined when none does. */
function framingOf(firstByte: number): Framing | undefined {
  if (firstByte < TYPES) return 'plain';
  const digit = firstByte - ASCII_ZERO;
  return digit >= 0 && digit < TYPES ? 'original' : undefined;
}

function decode(bytes: Uint8Array): Decoded<TlvMessage> {
  const [firstByte] = bytes;
  if (firstByte === undefined) {
    return { kind: 'message', message: { framing: 'original', kind: 'REFUSAL' }, bytesUsed: 0 };
  }
  const framing = framingOf(firstByte);
  if (framing === 'plain') return decodePlain(bytes);
  if (framing === undefined) return { kind: 'malformed', why: `type byte ${firstByte} is none` };
  return decodeOriginal(bytes.subarray(0, ORIGINAL_BYTES_MAX));
}
