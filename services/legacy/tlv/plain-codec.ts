/**
 * The framing that the document of the dialect describes: TYPE one byte 0 to 9, LENGTH two bytes, high
 * byte first, DATA text, in which an address and a hash, or addresses, have one space between them. It
 * runs in datagrams and in streams, so a part of a message is `incomplete`.
 */
import type { Decoded } from '../core/dialect.js';
import { canonicalIpv6 } from './ipv6.js';
import { signalOf, TLV_TYPES, type TlvMessage } from './messages.js';
import {
  assertAddress,
  assertPrintable,
  assertWord,
  isPrintable,
  isWord,
  textAt,
  writeText,
} from './text.js';

type PlainMessage = TlvMessage & { readonly framing: 'plain' };

/** A stream must not hold memory for as much as a LENGTH may say: an address, a space, 1000 of hash. */
export const PLAIN_DATA_BYTES_MAX = 1_046;
export const PLAIN_HEADER_BYTES = 3;
/** So much hash is left beside the longest address. */
const HASH_BYTES_MAX = 1_000;
const TYPE_MAX = 9;

const framing = 'plain';

/** Reads the message that begins with the first byte. */
export function decodePlain(bytes: Uint8Array): Decoded<PlainMessage> {
  const [type = 0, high, low] = bytes;
  if (type > TYPE_MAX) return { kind: 'malformed', why: `type ${type} is none` };
  if (high === undefined || low === undefined) return { kind: 'incomplete' };
  const length = high * 256 + low;
  if (length > PLAIN_DATA_BYTES_MAX) return { kind: 'malformed', why: `declares ${length} bytes` };
  const bytesUsed = PLAIN_HEADER_BYTES + length;
  if (bytes.length < bytesUsed) return { kind: 'incomplete' };
  const text = textAt(bytes, PLAIN_HEADER_BYTES, length);
  const message = isPrintable(text) ? messageOf(type, text) : undefined;
  if (message === undefined) return { kind: 'malformed', why: `type ${type} with other data` };
  return { kind: 'message', message, bytesUsed };
}

/** Throws a `RangeError` for what the framing can't say. */
export function encodePlain(message: TlvMessage): Uint8Array {
  if (message.kind === 'REFUSAL') throw new RangeError('a refusal is silence');
  const text = textOf(message);
  assertPrintable('the data', text, PLAIN_DATA_BYTES_MAX);
  const bytes = Buffer.allocUnsafe(PLAIN_HEADER_BYTES + text.length);
  bytes[0] = TLV_TYPES[message.kind];
  bytes[1] = text.length >> 8;
  bytes[2] = text.length & 255;
  writeText(text, bytes, PLAIN_HEADER_BYTES);
  return bytes;
}

function messageOf(type: number, text: string): PlainMessage | undefined {
  switch (type) {
    case TLV_TYPES.GET:
      return isWord(text) ? { framing, kind: 'GET', hash: text } : undefined;
    case TLV_TYPES.PUT:
      return putOf(text);
    case TLV_TYPES.HAVE:
      return haveOf(text) ?? { framing, kind: 'ANSWER', text };
    case TLV_TYPES.EXIT:
      return { framing, kind: 'EXIT', password: text };
    case TLV_TYPES.NEW_SERV:
      return isWord(text) ? { framing, kind: 'NEW_SERV', ip: text } : undefined;
    default:
      return signalMessage(type, text);
  }
}

/** The answer to an EXIT has the type of DECO, and a text. Other signals may come with an address. */
function signalMessage(type: number, text: string): PlainMessage | undefined {
  if (type === TLV_TYPES.EXIT_ANSWER && text !== '') return { framing, kind: 'EXIT_ANSWER', text };
  const kind = signalOf(type);
  return kind && { framing, kind };
}

function putOf(text: string): PlainMessage | undefined {
  const [ip = '', hash = '', ...more] = text.split(' ');
  if (!isWord(ip) || !isWord(hash) || more.length > 0) return undefined;
  return { framing, kind: 'PUT', ip, hash };
}

/** An address and what is none; with anything else it answers a GET. */
function haveOf(text: string): PlainMessage | undefined {
  const [ip = '', hash = '', ...more] = text.split(' ');
  if (canonicalIpv6(ip) === undefined || canonicalIpv6(hash) !== undefined) return undefined;
  return isWord(hash) && more.length === 0 ? { framing, kind: 'HAVE', ip, hash } : undefined;
}

function textOf(message: TlvMessage): string {
  switch (message.kind) {
    case 'PUT':
    case 'HAVE':
      return holderText(message);
    case 'GET':
      assertWord('the hash', message.hash, HASH_BYTES_MAX);
      return message.hash;
    case 'NEW_SERV':
      assertAddress('the server', message.ip);
      return message.ip;
    case 'EXIT':
      return message.password;
    case 'ANSWER':
      if (haveOf(message.text)) throw new RangeError('the answer reads as a holder');
      return message.text;
    case 'EXIT_ANSWER':
      if (message.text === '') throw new RangeError('the answer reads as a DECO');
      return message.text;
    default:
      return '';
  }
}

function holderText({ kind, ip, hash }: TlvMessage & { readonly kind: 'PUT' | 'HAVE' }): string {
  assertAddress('the address', ip);
  assertWord('the hash', hash, HASH_BYTES_MAX);
  const text = `${ip} ${hash}`;
  if (kind === 'HAVE' && haveOf(text) === undefined) throw new RangeError('the hash is an address');
  return text;
}
