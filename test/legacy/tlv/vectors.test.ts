/** Every vector of wire/tlv.md, section 9, by its number. */
import { describe, expect, it } from 'vitest';
import { TLV } from '../../../services/legacy/tlv/codec.js';
import {
  EXIT_ACCEPTED,
  EXIT_REFUSED,
  NOTHING_KNOWN,
  type TlvMessage,
} from '../../../services/legacy/tlv/messages.js';
import { addressesIn } from './answer-addresses.js';
import { describeDialect, type DialectCase } from '../dialect-contract.js';

const framing = 'original';
const H96 = '0123456789abcdef'.repeat(6);
const H65 = 'a'.repeat(65);

const hexOf = (text: string): string => Buffer.from(text, 'latin1').toString('hex');

/** In a datagram whatever is missing is nothing, so every cut reads as a message of its own. */
function whole(title: string, hex: string, message: TlvMessage): DialectCase<TlvMessage> {
  return { title, hex, message, needsAll: false };
}

const get = (hash: string): TlvMessage => ({ framing, kind: 'GET', hash });
const put = (ip: string, hash: string): TlvMessage => ({ framing, kind: 'PUT', ip, hash });
const have = (ip: string, hash: string): TlvMessage => ({ framing, kind: 'HAVE', ip, hash });
const answer = (text: string): TlvMessage => ({ framing, kind: 'ANSWER', text });
const newServ = (ip: string): TlvMessage => ({ framing, kind: 'NEW_SERV', ip });

describeDialect(TLV, [
  whole('1, PUT H96 at ::5', `31d3303a3a35${hexOf(H96)}`, put('::5', H96)),
  whole(
    '2, PUT H65 at 2001:db8::1',
    `31db11323030313a6462383a3a31${hexOf(H65)}`,
    put('2001:db8::1', H65),
  ),
  whole('3, GET H96', `30d030${hexOf(H96)}`, get(H96)),
  whole('4, EXIT', '34d0db70617373776f7264313233', {
    framing,
    kind: 'EXIT',
    password: 'password123',
  }),
  whole('10, EXIT refused', '36d0e66d6f7420646520706173736520696e636f7272656374', {
    framing,
    kind: 'EXIT_ANSWER',
    text: EXIT_REFUSED,
  }),
  whole('12, NEW', '35', { framing, kind: 'NEW' }),
  whole('12, YES', '38', { framing, kind: 'YES' }),
  whole('12, KEEP_ALIVE', '37', { framing, kind: 'KEEP_ALIVE' }),
  whole('13, NEW_SERV ::2', '39d3d03a3a32', newServ('::2')),
  whole('13, NEW_SERV ::3', '39d3d03a3a33', newServ('::3')),
  whole('13, NEW_SERV ::4', '39d3d03a3a34', newServ('::4')),
  whole('14, HAVE propagation of 1', `33d3303a3a35${hexOf(H96)}`, have('::5', H96)),
  whole('15, HAVE table transfer', `33d3163a3a37${'6b'.repeat(70)}`, have('::7', 'k'.repeat(70))),
  whole(
    '20, PUT with the longest address',
    `31fd11${hexOf('f'.repeat(45) + H65)}`,
    put('f'.repeat(45), H65),
  ),
  whole(
    '21, PUT with 175 bytes',
    `31d37f${hexOf(`::5${'c'.repeat(175)}`)}`,
    put('::5', 'c'.repeat(175)),
  ),
  whole(
    '21, PUT with 128 bytes',
    `31d350${hexOf(`::5${'d'.repeat(128)}`)}`,
    put('::5', 'd'.repeat(128)),
  ),
]);

/** An answer takes the whole datagram (B5), so bytes behind it are bytes of it. */
describe.each([
  ['5, nothing known', '33d0e86e6f204950206d6174636820776974682072657175657374', NOTHING_KNOWN],
  ['6, one address', '33d0d43a3a3520', '::5 '],
  ['7, two addresses', '33d0e03a3a3520323030313a6462383a3a3120', '::5 2001:db8::1 '],
])('tlv: %s', (_title, hex, text) => {
  const bytes = Buffer.from(hex, 'hex');

  it('is read whole, and written as the same bytes', () => {
    const decoded = TLV.decode(bytes);
    expect(decoded).toEqual({ kind: 'message', message: answer(text), bytesUsed: bytes.length });
    expect(Buffer.from(TLV.encode(answer(text))).toString('hex')).toBe(hex);
  });

  it('gives the same addresses with bytes behind it', () => {
    const decoded = TLV.decode(Buffer.concat([bytes, Buffer.from(' \x01junk')]));
    const message = decoded.kind === 'message' ? decoded.message : undefined;
    expect(message?.kind === 'ANSWER' && addressesIn(message.text)).toEqual(addressesIn(text));
  });
});

describe('tlv: what an original gets wrong', () => {
  const read = (hex: string): unknown => {
    const bytes = Buffer.from(hex, 'hex');
    const decoded = TLV.decode(bytes);
    expect(decoded).toMatchObject({ kind: 'message', bytesUsed: bytes.length });
    return decoded.kind === 'message' && decoded.message;
  };
  const four =
    '666430303a313233343a3020666430303a313233343a3120666430303a313233343a3220666430303a313233343a3320';
  const fourText = Buffer.from(four, 'hex').toString('latin1');

  it('8 and 9, an answer of 48 bytes without its length, and with it as we write it', () => {
    expect(fourText).toHaveLength(48);
    expect(read(`33d0${four}`)).toEqual(answer(fourText));
    expect(read(`33d000${four}`)).toEqual(answer(fourText));
    expect(Buffer.from(TLV.encode(answer(fourText))).toString('hex')).toBe(`33d000${four}`);
  });

  it('a whole answer of 50 bytes declares FF, and keeps its first byte', () => {
    const text = `${'fd00::1234:56 '.repeat(3)}::12 `;
    expect(text).toHaveLength(47);
    expect(read(`33d0ff${hexOf(text)}`)).toEqual(answer(text));
  });

  it('11, an EXIT answer that declares more than there is (B3); ours declares what there is', () => {
    const hex = '6d6f7420646520706173736520636f72726563742c2061727265742064752073657276657572';
    const message: TlvMessage = { framing, kind: 'EXIT_ANSWER', text: EXIT_ACCEPTED };
    expect(read(`36d006${hex}`)).toEqual(message);
    expect(Buffer.from(TLV.encode(message)).toString('hex')).toBe(`36d0f6${hex}`);
  });

  it('12, DECO, also in its long form', () => {
    expect(read('36')).toEqual({ framing, kind: 'DECO' });
    expect(TLV.decode(Buffer.from('36d0', 'hex'))).toMatchObject({ message: { kind: 'DECO' } });
    expect(TLV.decode(Buffer.from('36d0d0', 'hex'))).toMatchObject({ message: { kind: 'DECO' } });
    expect(Buffer.from(TLV.encode({ framing, kind: 'DECO' })).toString('hex')).toBe('36');
  });

  it('16, a HAVE of heap bytes is read as what it says, which is no address', () => {
    const { ip } = read('33d5d5ad13275805ad13275805') as { ip: string };
    expect(Buffer.from(ip, 'latin1').toString('hex')).toBe('ad13275805');
    expect(addressesIn(ip)).toEqual([]);
  });

  it('17, an empty datagram is a refusal, and never written', () => {
    expect(read('')).toEqual({ framing, kind: 'REFUSAL' });
    expect(() => TLV.encode({ framing, kind: 'REFUSAL' })).toThrow(RangeError);
  });

  it('18, stray bytes after an address make it none', () => {
    const { text } = read('33d0d63a3a38630520') as { text: string };
    expect(text).toBe('::8c\x05 ');
    expect(addressesIn(`::1 ${text}::2 `)).toEqual(['::1', '::2']);
  });

  it('19, a hash of 304 bytes without its length', () => {
    expect(read(`31d3${hexOf(`::5${'b'.repeat(304)}`)}`)).toEqual(put('::5', 'b'.repeat(304)));
    expect(() => TLV.encode(put('::5', 'b'.repeat(304)))).toThrow(RangeError);
  });

  it('reads ten long addresses, whose length wraps (B5)', () => {
    const text = '2001:db8:1111:2222:3333:4444:5555:6666 '.repeat(10);
    expect(text).toHaveLength(390);
    expect(read(`33d056${hexOf(text)}`)).toEqual(answer(text));
  });

  it('reads what a datagram lacks as nothing, and what it has too much not at all', () => {
    expect(read('31')).toEqual(put('', ''));
    expect(read('31d3303a3a')).toEqual(put('::', ''));
    expect(TLV.decode(Buffer.from('30d0d36162636465', 'hex'))).toEqual({
      kind: 'message',
      message: get('abc'),
      bytesUsed: 6,
    });
    expect(TLV.decode(Buffer.from('32d0d0', 'hex')).kind).toBe('malformed');
  });
});
