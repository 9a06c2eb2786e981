/**
 * The framing of the original programs: an ASCII digit, the lengths of two texts, the texts
 * (wire/tlv.md, section 3). A length is stored minus 48, modulo 256. One message is one datagram, so
 * nothing is ever `incomplete`: what is declared and not there is read as the original reads it, as
 * nothing.
 */
import type { Decoded } from '../core/dialect.js';
import { ASCII_ZERO, signalOf, TLV_TYPES, type TlvMessage } from './messages.js';
import {
  assertAddress,
  assertPrintable,
  assertWord,
  isPrintable,
  textAt,
  writeText,
} from './text.js';

type OriginalMessage = TlvMessage & { readonly framing: 'original' };

/** Type, two lengths, 46 bytes of address, 1000 of hash: what an original has room for. */
export const ORIGINAL_BYTES_MAX = 1_049;
/** An original reads longer texts beyond its memory (wire/tlv.md, B13). */
const FIRST_BYTES_MAX = 45;
/** An original reads the length through a signed char (wire/tlv.md, section 3). */
export const SECOND_BYTES_MAX = 175;

const HEADER_BYTES = 3;
const BYTE_VALUES = 256;
/** Lengths are stored without as much, so that 48 is a zero byte, at which an original's text ends. */
const LENGTH_OFFSET = 48;
/** Lengths whose byte an original drops (wire/tlv.md, B4): of an answer, of a hash by its client. */
const LOST_ANSWER_LENGTHS: readonly number[] = [48, 304];
const LOST_HASH_LENGTHS: readonly number[] = [304];
const ADDRESS_CHARACTER = /^[0-9a-f:. ]/i;

const framing = 'original';

/** Bytes that are in the datagram, and where the two texts are in them. */
type Layout = { readonly firstAt: number; readonly secondAt: number; readonly end: number };

/** Reads one datagram whose first byte is an ASCII digit. */
export function decodeOriginal(bytes: Uint8Array): Decoded<OriginalMessage> {
  const type = (bytes[0] ?? 0) - ASCII_ZERO;
  const signal = signalOf(type);
  if (signal !== undefined && !(type === TLV_TYPES.EXIT_ANSWER && bytes.length > HEADER_BYTES)) {
    return { kind: 'message', message: { framing, kind: signal }, bytesUsed: 1 };
  }
  const layout = layoutOf(type, bytes);
  const first = textAt(bytes, layout.firstAt, layout.secondAt - layout.firstAt);
  const second = textAt(bytes, layout.secondAt, layout.end - layout.secondAt);
  const message = messageOf(type, first, second);
  if (message === undefined) return { kind: 'malformed', why: `type ${type} has no meaning` };
  return { kind: 'message', message, bytesUsed: layout.end };
}

/** Throws a `RangeError` for what would harm an original: see the limits above. */
export function encodeOriginal(message: TlvMessage): Uint8Array {
  const [first, second] = textsOf(message);
  if (message.kind === 'REFUSAL') throw new RangeError('a refusal is silence');
  const type = ASCII_ZERO + TLV_TYPES[message.kind];
  if (first === undefined || second === undefined) return Uint8Array.of(type);
  const text = first + second;
  const bytes = Buffer.allocUnsafe(HEADER_BYTES + text.length);
  bytes[0] = type;
  bytes[1] = first.length - LENGTH_OFFSET;
  bytes[2] = second.length - LENGTH_OFFSET;
  writeText(text, bytes, HEADER_BYTES);
  return bytes;
}

function messageOf(type: number, first: string, second: string): OriginalMessage | undefined {
  switch (type) {
    case TLV_TYPES.GET:
      return { framing, kind: 'GET', hash: second };
    case TLV_TYPES.PUT:
      return { framing, kind: 'PUT', ip: first, hash: second };
    case TLV_TYPES.HAVE:
      if (first === '') return { framing, kind: 'ANSWER', text: second };
      return { framing, kind: 'HAVE', ip: first, hash: second };
    case TLV_TYPES.EXIT:
      return { framing, kind: 'EXIT', password: second };
    case TLV_TYPES.EXIT_ANSWER:
      return { framing, kind: 'EXIT_ANSWER', text: second };
    case TLV_TYPES.NEW_SERV:
      return { framing, kind: 'NEW_SERV', ip: first };
    default:
      return undefined;
  }
}

/** Both texts of a message, checked; none of a signal. */
function textsOf(message: TlvMessage): readonly [first?: string, second?: string] {
  switch (message.kind) {
    case 'PUT':
    case 'HAVE':
      assertWord('the address', message.ip, FIRST_BYTES_MAX);
      assertWord('the hash', message.hash, SECOND_BYTES_MAX);
      return [message.ip, message.hash];
    case 'GET':
      assertWord('the hash', message.hash, SECOND_BYTES_MAX);
      return ['', message.hash];
    case 'NEW_SERV':
      assertAddress('the server', message.ip);
      return [message.ip, ''];
    case 'EXIT':
      assertPrintable('the password', message.password, SECOND_BYTES_MAX);
      return ['', message.password];
    case 'ANSWER':
    case 'EXIT_ANSWER':
      assertWord('the answer', message.text.replaceAll(' ', '_'), SECOND_BYTES_MAX);
      return ['', message.text];
    default:
      return [];
  }
}

/**
 * Where the texts are: lengths are cut to the datagram (wire/tlv.md, B3), missing bytes are zero. More
 * than 175 bytes of addresses wrap the length of an answer, so the datagram knows better (B5).
 */
function layoutOf(type: number, bytes: Uint8Array): Layout {
  const cut = (at: number): number => Math.min(at, bytes.length);
  const firstLength = lengthAt(bytes, 1);
  const isAnswer = type === TLV_TYPES.ANSWER && firstLength === 0;
  if (isAnswer ? hasLostAnswerLength(bytes) : hasLostHashLength(firstLength, bytes)) {
    return { firstAt: 2, secondAt: 2 + firstLength, end: bytes.length };
  }
  const firstAt = cut(HEADER_BYTES);
  const secondAt = cut(firstAt + firstLength);
  const declaredEnd = cut(secondAt + lengthAt(bytes, 2));
  return { firstAt, secondAt, end: isAnswer ? bytes.length : declaredEnd };
}

/** A whole datagram of as many bytes would declare FF where an address begins (wire/tlv.md, B4). */
function hasLostAnswerLength(bytes: Uint8Array): boolean {
  const isSoLong = LOST_ANSWER_LENGTHS.includes(bytes.length - 2);
  return isSoLong && ADDRESS_CHARACTER.test(textAt(bytes, 2, 1));
}

/** A whole datagram of as many bytes would declare FF, which is in no text (section 9, vector 19). */
function hasLostHashLength(firstLength: number, bytes: Uint8Array): boolean {
  const isSoLong = LOST_HASH_LENGTHS.includes(bytes.length - 2 - firstLength);
  return isSoLong && isPrintable(textAt(bytes, 2));
}

function lengthAt(bytes: Uint8Array, index: number): number {
  return ((bytes[index] ?? 0) + LENGTH_OFFSET) % BYTE_VALUES;
}
