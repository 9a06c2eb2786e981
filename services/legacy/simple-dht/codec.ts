/**
 * The five messages of `simple-dht`, one in a datagram: a type byte, then big-endian fields
 * (wire/simple-dht.md, section 2).
 *
 * What stands behind a message is ignored, as the original ignores it. What would stop an original,
 * or can't be sent at all, is never written.
 */
import type { Decoded, Dialect } from '../core/dialect.js';

export type SimpleDhtMessage =
  | { readonly kind: 'get'; readonly hash: string }
  | { readonly kind: 'put'; readonly hash: string; readonly value: Uint8Array }
  | { readonly kind: 'keep-alive' }
  | { readonly kind: 'i-have'; readonly hash: string }
  /** The address as it was written: 4 bytes or 16, mapped ones included. */
  | { readonly kind: 'discover'; readonly address: Uint8Array; readonly port: number };

/** Why nothing may be sent to an address, or undefined. */
export { whyNoPeer } from './address.js';

type SimpleDhtDecoded = Decoded<SimpleDhtMessage>;

/** Longest value that fits a datagram over IPv4: 65,507 bytes without the head of a Put. */
export const VALUE_BYTES_MAX = 65_496;

const TYPES = { get: 0, put: 1, 'keep-alive': 2, 'i-have': 3, discover: 4 } as const;
const HASH = /^[\da-f]{16}$/;
const HASH_BYTES = 8;
const HASHED_BYTES = 1 + HASH_BYTES;
const PUT_HEAD_BYTES = HASHED_BYTES + 2;
const DISCOVER_HEAD_BYTES = 2;
const PORT_BYTES = 2;
const U16_MAX = 65_535;
/** Of an address, by its family tag. */
const ADDRESS_BYTES: ReadonlyMap<number, number> = new Map([
  [4, 4],
  [6, 16],
]);
/** Two digits for each byte. */
const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));
const INCOMPLETE = { kind: 'incomplete' } as const;

export const simpleDht: Dialect<SimpleDhtMessage> = {
  name: 'simple-dht',
  messageBytesMax: PUT_HEAD_BYTES + U16_MAX,
  decode,
  encode,
};

/** Whether the text is a hash: 16 hexadecimal digits in lower case. It is the key of its value. */
export function isHash(text: string): boolean {
  return HASH.test(text);
}

function decode(bytes: Uint8Array): SimpleDhtDecoded {
  const [type] = bytes;
  switch (type) {
    case undefined:
      return INCOMPLETE;
    case TYPES.get:
    case TYPES['i-have']:
      return decodeHashed(type === TYPES.get ? 'get' : 'i-have', bytes);
    case TYPES.put:
      return decodePut(bytes);
    case TYPES['keep-alive']:
      return { kind: 'message', message: { kind: 'keep-alive' }, bytesUsed: 1 };
    case TYPES.discover:
      return decodeDiscover(bytes);
    default:
      return { kind: 'malformed', why: `unknown type ${type}` };
  }
}

function decodeHashed(kind: 'get' | 'i-have', bytes: Uint8Array): SimpleDhtDecoded {
  if (bytes.length < HASHED_BYTES) return INCOMPLETE;
  return { kind: 'message', message: { kind, hash: hashIn(bytes) }, bytesUsed: HASHED_BYTES };
}

function decodePut(bytes: Uint8Array): SimpleDhtDecoded {
  if (bytes.length < PUT_HEAD_BYTES) return INCOMPLETE;
  const bytesUsed = PUT_HEAD_BYTES + u16At(bytes, HASHED_BYTES);
  if (bytes.length < bytesUsed) return INCOMPLETE;
  const value = new Uint8Array(bytes.subarray(PUT_HEAD_BYTES, bytesUsed));
  return { kind: 'message', message: { kind: 'put', hash: hashIn(bytes), value }, bytesUsed };
}

function decodeDiscover(bytes: Uint8Array): SimpleDhtDecoded {
  const family = bytes[1];
  if (family === undefined) return INCOMPLETE;
  const addressBytes = ADDRESS_BYTES.get(family);
  if (addressBytes === undefined) return { kind: 'malformed', why: `unknown family ${family}` };
  const portIndex = DISCOVER_HEAD_BYTES + addressBytes;
  const bytesUsed = portIndex + PORT_BYTES;
  if (bytes.length < bytesUsed) return INCOMPLETE;
  const address = new Uint8Array(bytes.subarray(DISCOVER_HEAD_BYTES, portIndex));
  const message = { kind: 'discover', address, port: u16At(bytes, portIndex) } as const;
  return { kind: 'message', message, bytesUsed };
}

function encode(message: SimpleDhtMessage): Uint8Array {
  switch (message.kind) {
    case 'keep-alive':
      return Uint8Array.of(TYPES['keep-alive']);
    case 'get':
    case 'i-have':
      return encodeHashed(TYPES[message.kind], message.hash, HASHED_BYTES);
    case 'put':
      return encodePut(message.hash, message.value);
    case 'discover':
      return encodeDiscover(message.address, message.port);
  }
}

function encodePut(hash: string, value: Uint8Array): Uint8Array {
  if (value.length > VALUE_BYTES_MAX) {
    throw new RangeError(`a value of ${value.length} bytes fits no datagram`);
  }
  const bytes = encodeHashed(TYPES.put, hash, PUT_HEAD_BYTES + value.length);
  bytes[HASHED_BYTES] = value.length >> 8;
  bytes[HASHED_BYTES + 1] = value.length & 0xff;
  bytes.set(value, PUT_HEAD_BYTES);
  return bytes;
}

/** A type and a hash, and room behind them. */
function encodeHashed(type: number, hash: string, length: number): Uint8Array {
  const bytes = Buffer.allocUnsafe(length);
  bytes[0] = type;
  writeHash(hash, bytes);
  return bytes;
}

function encodeDiscover(address: Uint8Array, port: number): Uint8Array {
  const family = [...ADDRESS_BYTES].find(([, length]) => length === address.length)?.[0];
  if (family === undefined) throw new RangeError(`an address of ${address.length} bytes`);
  if (!Number.isInteger(port) || port < 1 || port > U16_MAX) {
    throw new RangeError(`port ${port} stops an original`);
  }
  return Uint8Array.of(TYPES.discover, family, ...address, port >> 8, port & 0xff);
}

function hashIn(bytes: Uint8Array): string {
  let hash = '';
  for (let index = 1; index < HASHED_BYTES; index += 1) hash += HEX[bytes[index] ?? 0] ?? '';
  return hash;
}

function writeHash(hash: string, bytes: Uint8Array): void {
  if (!isHash(hash)) throw new RangeError(`'${hash}' is no hash`);
  for (let index = 0; index < HASH_BYTES; index += 1) {
    bytes[1 + index] = Number.parseInt(hash.slice(2 * index, 2 * index + 2), 16);
  }
}

/** The caller has made sure that both bytes are there. */
function u16At(bytes: Uint8Array, index: number): number {
  return 256 * (bytes[index] ?? 0) + (bytes[index + 1] ?? 0);
}
