import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  isHash,
  simpleDht,
  VALUE_BYTES_MAX,
  type SimpleDhtMessage,
} from '../../../services/legacy/simple-dht/codec.js';
import { describeDialect } from '../dialect-contract.js';
import { A, hexOf } from './rig.js';

const bytesOf = (hex: string): Uint8Array => new Uint8Array(Buffer.from(hex, 'hex'));
const text = (value: string): Uint8Array => new Uint8Array(Buffer.from(value));
const decodeHex = (hex: string) => simpleDht.decode(bytesOf(hex));

// wire/simple-dht.md, section 8; the numbers are those of the vectors.
describeDialect(simpleDht, [
  { title: '1, Get A', hex: `00${A}`, message: { kind: 'get', hash: A } },
  {
    title: '2, Get "abc"',
    hex: '000000000000000abc',
    message: { kind: 'get', hash: '0000000000000abc' },
  },
  {
    title: '3, Put A "Hello, world!"',
    hex: '010123456789abcdef000d48656c6c6f2c20776f726c6421',
    message: { kind: 'put', hash: A, value: text('Hello, world!') },
  },
  {
    title: '4, Put "1", empty content',
    hex: '0100000000000000010000',
    message: { kind: 'put', hash: '0000000000000001', value: text('') },
  },
  { title: '5, KeepAlive', hex: '02', message: { kind: 'keep-alive' } },
  { title: '6, IHave A', hex: `03${A}`, message: { kind: 'i-have', hash: A } },
  {
    title: '7, Discover 127.0.0.1:7001',
    hex: '04047f0000011b59',
    message: { kind: 'discover', address: bytesOf('7f000001'), port: 7_001 },
  },
  {
    title: '8, Discover [2001:db8::1]:9000',
    hex: '040620010db80000000000000000000000012328',
    message: {
      kind: 'discover',
      address: bytesOf('20010db8000000000000000000000001'),
      port: 9_000,
    },
  },
  {
    title: '9, Put A "hello"',
    hex: '010123456789abcdef000568656c6c6f',
    message: { kind: 'put', hash: A, value: text('hello') },
  },
  {
    title: '10, Get of hash 0',
    hex: '000000000000000000',
    message: { kind: 'get', hash: '0000000000000000' },
  },
  {
    title: '10, IHave of hash 0',
    hex: '030000000000000000',
    message: { kind: 'i-have', hash: '0000000000000000' },
  },
  {
    title: '11, Put that answers a pending Get',
    hex: '0100000000000000aa00056c61746572',
    message: { kind: 'put', hash: '00000000000000aa', value: text('later') },
  },
  {
    title: '12, Put "abc" "val"',
    hex: '010000000000000abc000376616c',
    message: { kind: 'put', hash: '0000000000000abc', value: text('val') },
  },
  {
    title: '15, Discover of a mapped address',
    hex: '040600000000000000000000ffff7f0000011b59',
    message: {
      kind: 'discover',
      address: bytesOf('00000000000000000000ffff7f000001'),
      port: 7_001,
    },
  },
]);

describe('simpleDht', () => {
  it.each([
    ['13, KeepAlive and junk', '026a756e6b', { kind: 'keep-alive' }, 1],
    [
      '14, Put "v" and junk',
      '010123456789abcdef000176545241494c',
      { kind: 'put', hash: A, value: text('v') },
      12,
    ],
  ])('reads no further than the message ends: %s', (_, hex, message, bytesUsed) => {
    expect(decodeHex(hex)).toEqual({ kind: 'message', message, bytesUsed });
  });

  // Vector 16: each stops an original.
  it.each([
    '',
    '000123456789abcd',
    '010123456789abcdef',
    '010123456789abcdef00',
    '010123456789abcdef0009616263',
    '04',
    '04047f0000',
    '040620010db8000000000000000000000001',
  ])('awaits more of "%s"', (hex) => {
    expect(decodeHex(hex)).toEqual({ kind: 'incomplete' });
  });

  it.each([
    ['05', 'unknown type 5'],
    ['ff0123456789abcdef', 'unknown type 255'],
    ['04057f0000011b59', 'unknown family 5'],
    ['0434', 'unknown family 52'],
  ])('refuses "%s": %s', (hex, why) => {
    expect(decodeHex(hex)).toEqual({ kind: 'malformed', why });
  });

  it('reads and writes the largest Put over IPv4 (vector 17)', () => {
    const value = new Uint8Array(VALUE_BYTES_MAX).fill(0x61);
    const bytes = simpleDht.encode({ kind: 'put', hash: A, value });
    expect(bytes).toHaveLength(65_507);
    expect(hexOf(bytes.subarray(0, 12))).toBe(`01${A}ffd861`);
    expect(simpleDht.decode(bytes)).toEqual({
      kind: 'message',
      message: { kind: 'put', hash: A, value },
      bytesUsed: 65_507,
    });
  });

  it('reads the largest length that a Put can state', () => {
    const bytes = new Uint8Array(simpleDht.messageBytesMax);
    bytes.set(bytesOf(`01${A}ffff`));
    expect(simpleDht.decode(bytes)).toMatchObject({ kind: 'message', bytesUsed: bytes.length });
    expect(simpleDht.decode(bytes.subarray(0, -1))).toEqual({ kind: 'incomplete' });
  });

  it('keeps a value of its own, whatever becomes of the datagram', () => {
    const bytes = Buffer.from(`01${A}000161`, 'hex');
    const decoded = simpleDht.decode(bytes);
    bytes.fill(0);
    expect(decoded).toMatchObject({ message: { hash: A, value: text('a') } });
  });

  it.each<[string, SimpleDhtMessage]>([
    ['a value that fits no datagram', put(new Uint8Array(VALUE_BYTES_MAX + 1))],
    ['a hash in upper case', { kind: 'get', hash: A.toUpperCase() }],
    ['a short hash', { kind: 'i-have', hash: 'abc' }],
    ['a long hash', { kind: 'put', hash: `${A}0`, value: text('') }],
    ['port 0', { kind: 'discover', address: bytesOf('7f000001'), port: 0 }],
    ['a port that is none', { kind: 'discover', address: bytesOf('7f000001'), port: 65_536 }],
    ['half a port', { kind: 'discover', address: bytesOf('7f000001'), port: 1.5 }],
    ['an address of no family', { kind: 'discover', address: bytesOf('7f0000'), port: 1 }],
  ])('refuses to write %s', (_, message) => {
    expect(() => simpleDht.encode(message)).toThrow(RangeError);
  });

  it('reads every message that it writes', () => {
    fc.assert(
      fc.property(anyMessage, (message) => {
        const bytes = simpleDht.encode(message);
        const decoded = { kind: 'message', message, bytesUsed: bytes.length };
        expect(simpleDht.decode(bytes)).toEqual(decoded);
      }),
    );
  });

  it('never throws, and never uses more than there is', () => {
    fc.assert(
      fc.property(anyDatagram, (bytes) => {
        const decoded = simpleDht.decode(bytes);
        if (decoded.kind === 'message') expect(decoded.bytesUsed).toBeLessThanOrEqual(bytes.length);
      }),
      { numRuns: 5_000 },
    );
  });
});

describe('isHash', () => {
  it.each([
    [A, true],
    ['', false],
    [A.toUpperCase(), false],
    [A.slice(1), false],
    [`${A}\n`, false],
  ])('of "%s" is %s', (hash, expected) => {
    expect(isHash(hash)).toBe(expected);
  });
});

function put(value: Uint8Array): SimpleDhtMessage {
  return { kind: 'put', hash: A, value };
}

const anyHash = fc.uint8Array({ minLength: 8, maxLength: 8 }).map(hexOf);
const anyMessage: fc.Arbitrary<SimpleDhtMessage> = fc.oneof(
  fc.constant({ kind: 'keep-alive' } as const),
  fc.record({ kind: fc.constantFrom('get' as const, 'i-have' as const), hash: anyHash }),
  fc.record({
    kind: fc.constant('put' as const),
    hash: anyHash,
    value: fc.uint8Array({ maxLength: 2_000 }),
  }),
  fc.record({
    kind: fc.constant('discover' as const),
    address: fc.oneof(
      fc.uint8Array({ minLength: 4, maxLength: 4 }),
      fc.uint8Array({ minLength: 16, maxLength: 16 }),
    ),
    port: fc.integer({ min: 1, max: 65_535 }),
  }),
);

/** At random, or a message that was cut off or in which one byte was changed. */
const anyDatagram: fc.Arbitrary<Uint8Array> = fc.oneof(
  fc.uint8Array({ maxLength: 64 }),
  fc.tuple(anyMessage, fc.nat(), fc.nat(255), fc.nat()).map(([message, index, byte, length]) => {
    const bytes = simpleDht.encode(message);
    bytes[index % bytes.length] = byte;
    return bytes.subarray(0, length % (bytes.length + 1));
  }),
);
