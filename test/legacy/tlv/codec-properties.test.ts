import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TLV } from '../../../services/legacy/tlv/codec.js';
import { canonicalIpv6 } from '../../../services/legacy/tlv/ipv6.js';
import type { Framing, TlvMessage } from '../../../services/legacy/tlv/messages.js';

const runs = { numRuns: 2_000 };

const ip = fc.ipV6().map((text) => canonicalIpv6(text)!);
const word = (maxLength: number): fc.Arbitrary<string> =>
  fc.string({
    unit: fc.integer({ min: 0x21, max: 0x7e }).map((it) => String.fromCharCode(it)),
    minLength: 1,
    maxLength,
  });

/** All that may be written; an answer of an original is what servers answer. */
function messages(framing: Framing): fc.Arbitrary<TlvMessage> {
  const hash = word(175).filter((text) => canonicalIpv6(text) === undefined);
  const ips = fc.array(ip, { minLength: 1, maxLength: 4 });
  const separator = framing === 'original' ? ' ' : '';
  return fc.oneof(
    fc.record({ framing: fc.constant(framing), kind: fc.constant('GET' as const), hash }),
    fc.record({
      framing: fc.constant(framing),
      kind: fc.constantFrom('PUT' as const, 'HAVE' as const),
      ip,
      hash,
    }),
    fc.record({ framing: fc.constant(framing), kind: fc.constant('NEW_SERV' as const), ip }),
    fc.record({
      framing: fc.constant(framing),
      kind: fc.constant('EXIT' as const),
      password: word(175),
    }),
    fc.record({
      framing: fc.constant(framing),
      kind: fc.constant('ANSWER' as const),
      text: ips.map((all) => all.join(' ') + separator).filter((text) => text.length <= 175),
    }),
    fc.record({
      framing: fc.constant(framing),
      kind: fc.constant('EXIT_ANSWER' as const),
      text: word(175),
    }),
    fc.record({
      framing: fc.constant(framing),
      kind: fc.constantFrom('NEW' as const, 'DECO' as const, 'KEEP_ALIVE' as const, 'YES' as const),
    }),
  );
}

describe('TLV', () => {
  it.each<Framing>(['original', 'plain'])('reads what it writes in the %s framing', (framing) => {
    const written = messages(framing);
    fc.assert(
      fc.property(written, (message) => {
        const bytes = TLV.encode(message);
        expect(TLV.decode(bytes)).toEqual({ kind: 'message', message, bytesUsed: bytes.length });
        expect(bytes.length).toBeLessThanOrEqual(TLV.messageBytesMax);
      }),
      runs,
    );
  });

  it('tells the framings apart', () => {
    const either = fc.oneof(messages('original'), messages('plain'));
    fc.assert(
      fc.property(either, (message) => {
        expect(TLV.decode(TLV.encode(message))).toMatchObject({ message });
      }),
      runs,
    );
  });

  it('reads any bytes without a throw, and uses no more than there are', () => {
    const random = fc.uint8Array({ maxLength: 1_200 });
    const likely = fc
      .tuple(fc.constantFrom(...Buffer.from('0123456789\0\x01\x03\x04\x09')), random)
      .map(([type, rest]) => Uint8Array.of(type, ...rest));
    const mutated = fc
      .tuple(fc.oneof(messages('original'), messages('plain')), fc.nat(), fc.nat(255), fc.nat(400))
      .map(([message, at, value, length]) => {
        const bytes = TLV.encode(message);
        bytes[at % bytes.length] = value;
        return bytes.subarray(0, length);
      });
    fc.assert(
      fc.property(fc.oneof(random, likely, mutated), (bytes) => {
        const decoded = TLV.decode(bytes);
        if (decoded.kind !== 'message') return;
        expect(decoded.bytesUsed).toBeLessThanOrEqual(bytes.length);
        expect(decoded.bytesUsed > 0 || bytes.length === 0).toBe(true);
      }),
      { numRuns: 20_000 },
    );
  });

  it.each<[string, TlvMessage]>([
    [
      'an address of 46 bytes',
      { framing: 'original', kind: 'HAVE', ip: 'f'.repeat(46), hash: 'a' },
    ],
    [
      'a hash of 176 bytes',
      { framing: 'original', kind: 'HAVE', ip: '::5', hash: 'a'.repeat(176) },
    ],
    ['an answer of 176 bytes', { framing: 'original', kind: 'ANSWER', text: 'a'.repeat(176) }],
    ['a zero byte', { framing: 'original', kind: 'GET', hash: 'a\0b' }],
    ['a byte above ASCII', { framing: 'original', kind: 'EXIT', password: '\xe9' }],
    ['a HAVE that reads as an answer', { framing: 'original', kind: 'HAVE', ip: '', hash: 'a' }],
    ['a server that is no address', { framing: 'original', kind: 'NEW_SERV', ip: 'example.org' }],
    ['a server in another spelling', { framing: 'original', kind: 'NEW_SERV', ip: '0::1' }],
    ['an empty answer', { framing: 'original', kind: 'ANSWER', text: '' }],
  ])('does not write what would harm an original: %s', (_title, message) => {
    expect(() => TLV.encode(message)).toThrow(RangeError);
  });
});
