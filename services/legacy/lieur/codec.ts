/**
 * The datagrams of dialect `lieur` (wire/lieur.md, section 2): a type, and for most of them a service type of
 * one byte and an IPv4 address with its port, **little-endian**.
 *
 * Surplus bytes are ignored. Missing bytes make no message here, though originals read them as zero
 * (L8). A list says how long it is in one byte, and is believed only as far as it goes (L3).
 */
import type { Decoded, Dialect } from '../core/dialect.js';

/** An endpoint of a service type. */
export type LieurEntry = {
  /** 0 to 255. */
  readonly type: number;
  /** Dotted, without leading zeros. */
  readonly host: string;
  /** 0 to 65535. */
  readonly port: number;
};

export type LieurMessage =
  /** A client to a service. */
  | { readonly kind: 'contact'; readonly payload: Uint8Array }
  | { readonly kind: 'echo'; readonly payload: Uint8Array }
  /** A client to a binder. */
  | { readonly kind: 'request'; readonly type: number }
  | { readonly kind: 'answer'; readonly entry: LieurEntry }
  | { readonly kind: 'none' }
  /** A client to a binder: this endpoint does not answer. */
  | { readonly kind: 'complaint'; readonly entry: LieurEntry }
  /** A service to a binder; its address is where the datagram comes from. */
  | { readonly kind: 'subscription'; readonly type: number }
  | { readonly kind: 'confirmation' }
  /** Binders among themselves. */
  | { readonly kind: 'list-request' }
  | { readonly kind: 'list'; readonly entries: readonly LieurEntry[] }
  | { readonly kind: 'addition'; readonly entry: LieurEntry }
  | { readonly kind: 'removal'; readonly entry: LieurEntry }
  /** A binder to a service, and its answer. */
  | { readonly kind: 'verification' }
  | { readonly kind: 'existence' };

/** More records than this kill an original binder that is starting (L3). */
export const LIST_MAX = 100;
const PAYLOAD_MAX = 255;
const ENTRY_BYTES = 7;

type WithEntry = 'answer' | 'complaint' | 'addition' | 'removal';

const TYPES = {
  contact: 0x00,
  echo: 0x01,
  request: 0x02,
  answer: 0x03,
  none: 0x04,
  complaint: 0x04,
  subscription: 0x05,
  confirmation: 0x06,
  'list-request': 0x07,
  list: 0x08,
  addition: 0x09,
  removal: 0x0a,
  verification: 0x0b,
  existence: 0x0c,
} as const satisfies Record<LieurMessage['kind'], number>;

export const LIEUR: Dialect<LieurMessage> = {
  name: 'lieur',
  /** What an original service answers. */
  messageBytesMax: 1_000,
  decode,
  encode,
};

function decode(bytes: Uint8Array): Decoded<LieurMessage> {
  switch (bytes[0]) {
    case undefined:
      return { kind: 'incomplete' };
    case TYPES.contact:
      return withPayload('contact', bytes);
    case TYPES.echo:
      return withPayload('echo', bytes);
    case TYPES.request:
      return withType('request', bytes);
    case TYPES.answer:
      return withEntry('answer', bytes);
    case TYPES.complaint:
      return bytes.length === 1 ? whole({ kind: 'none' }, 1) : withEntry('complaint', bytes);
    case TYPES.subscription:
      return withType('subscription', bytes);
    case TYPES.confirmation:
      return whole({ kind: 'confirmation' }, 1);
    case TYPES['list-request']:
      return whole({ kind: 'list-request' }, 1);
    case TYPES.list:
      return list(bytes);
    case TYPES.addition:
      return withEntry('addition', bytes);
    case TYPES.removal:
      return withEntry('removal', bytes);
    case TYPES.verification:
      return whole({ kind: 'verification' }, 1);
    case TYPES.existence:
      return whole({ kind: 'existence' }, 1);
    default:
      return { kind: 'malformed', why: `no message has the type ${bytes[0]}` };
  }
}

function whole(message: LieurMessage, bytesUsed: number): Decoded<LieurMessage> {
  return { kind: 'message', message, bytesUsed };
}

function withType(kind: 'request' | 'subscription', bytes: Uint8Array): Decoded<LieurMessage> {
  const type = bytes[1];
  return type === undefined ? { kind: 'incomplete' } : whole({ kind, type }, 2);
}

function withEntry(kind: WithEntry, bytes: Uint8Array): Decoded<LieurMessage> {
  const entry = entryAt(bytes, 1);
  if (entry === undefined) return { kind: 'incomplete' };
  return whole({ kind, entry }, 1 + ENTRY_BYTES);
}

function withPayload(kind: 'contact' | 'echo', bytes: Uint8Array): Decoded<LieurMessage> {
  const declared = bytes[1];
  if (declared === undefined || bytes.length < 2 + declared) return { kind: 'incomplete' };
  return whole({ kind, payload: Uint8Array.from(bytes.subarray(2, 2 + declared)) }, 2 + declared);
}

function list(bytes: Uint8Array): Decoded<LieurMessage> {
  const declared = bytes[1];
  if (declared === undefined) return { kind: 'incomplete' };
  const entries: LieurEntry[] = [];
  for (let index = 0; index < declared; index += 1) {
    const entry = entryAt(bytes, 2 + index * ENTRY_BYTES);
    if (entry === undefined) break;
    entries.push(entry);
  }
  return whole({ kind: 'list', entries }, 2 + entries.length * ENTRY_BYTES);
}

function entryAt(bytes: Uint8Array, offset: number): LieurEntry | undefined {
  if (bytes.length < offset + ENTRY_BYTES) return undefined;
  const [type = 0, a = 0, b = 0, c = 0, d = 0, low = 0, high = 0] = bytes.subarray(offset);
  return { type, host: `${a}.${b}.${c}.${d}`, port: low + 256 * high };
}

function encode(message: LieurMessage): Uint8Array {
  const type = TYPES[message.kind];
  switch (message.kind) {
    case 'contact':
    case 'echo': {
      const { payload } = message;
      if (payload.length > PAYLOAD_MAX)
        throw new RangeError(`a payload of ${payload.length} bytes`);
      return Uint8Array.of(type, payload.length, ...payload);
    }
    case 'request':
    case 'subscription':
      return Uint8Array.of(type, message.type);
    case 'answer':
    case 'complaint':
    case 'addition':
    case 'removal':
      return Uint8Array.of(type, ...bytesOf(message.entry));
    case 'list': {
      const { entries } = message;
      if (entries.length > LIST_MAX) throw new RangeError(`a list of ${entries.length} entries`);
      return Uint8Array.of(type, entries.length, ...entries.flatMap(bytesOf));
    }
    case 'none':
    case 'confirmation':
    case 'list-request':
    case 'verification':
    case 'existence':
      return Uint8Array.of(type);
  }
}

/** Throws a `RangeError` for an address that no original can use (L1, L7, L13). */
function bytesOf(entry: LieurEntry): readonly number[] {
  const numbers = entry.host.split('.').map(Number);
  if (!isForOriginals(entry))
    throw new RangeError(`no address for originals: ${entry.host}:${entry.port}`);
  return [entry.type, ...numbers, entry.port & 0xff, entry.port >> 8];
}

/**
 * Whether an original can be told of an endpoint: an IPv4 address of one host, and a port that is
 * positive as a signed number too. Port 32768 and above kill an original client (L1), zero a binder (L7).
 */
export function isForOriginals({ type, host, port }: LieurEntry): boolean {
  const numbers = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(host)?.slice(1).map(Number);
  if (numbers === undefined || numbers.some((each) => each > 255)) return false;
  const [first = 0] = numbers;
  const isOneHost = first > 0 && first < 224;
  return (
    isOneHost && port > 0 && port < 32_768 && Number.isInteger(type) && type >= 0 && type < 256
  );
}
