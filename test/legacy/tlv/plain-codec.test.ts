import { describe, expect, it } from 'vitest';
import { TLV } from '../../../services/legacy/tlv/codec.js';
import type { TlvMessage } from '../../../services/legacy/tlv/messages.js';
import { PlainStream } from '../../../services/legacy/tlv/plain-stream.js';
import { describeDialect, type DialectCase } from '../dialect-contract.js';

const framing = 'plain';
const HASH = 'ab'.repeat(48);

/** `data` as text behind its type and its length. */
function plain(type: number, data: string): string {
  const bytes = Buffer.from(`\x00\x00\x00${data}`, 'latin1');
  bytes[0] = type;
  bytes.writeUInt16BE(data.length, 1);
  return bytes.toString('hex');
}

const CASES: readonly DialectCase<TlvMessage>[] = [
  { title: 'GET', hex: plain(0, HASH), message: { framing, kind: 'GET', hash: HASH } },
  {
    title: 'PUT',
    hex: plain(1, `::5 ${HASH}`),
    message: { framing, kind: 'PUT', ip: '::5', hash: HASH },
  },
  {
    title: 'HAVE',
    hex: plain(3, `::5 ${HASH}`),
    message: { framing, kind: 'HAVE', ip: '::5', hash: HASH },
  },
  {
    title: 'two addresses',
    hex: plain(3, '::5 ::6'),
    message: { framing, kind: 'ANSWER', text: '::5 ::6' },
  },
  { title: 'no address', hex: '030000', message: { framing, kind: 'ANSWER', text: '' } },
  {
    title: 'EXIT',
    hex: plain(4, 'a secret'),
    message: { framing, kind: 'EXIT', password: 'a secret' },
  },
  {
    title: 'EXIT answer',
    hex: plain(6, 'no'),
    message: { framing, kind: 'EXIT_ANSWER', text: 'no' },
  },
  { title: 'NEW', hex: '050000', message: { framing, kind: 'NEW' } },
  { title: 'DECO', hex: '060000', message: { framing, kind: 'DECO' } },
  { title: 'KEEP_ALIVE', hex: '070000', message: { framing, kind: 'KEEP_ALIVE' } },
  { title: 'YES', hex: '080000', message: { framing, kind: 'YES' } },
  { title: 'NEW_SERV', hex: plain(9, '::2'), message: { framing, kind: 'NEW_SERV', ip: '::2' } },
];

describeDialect(TLV, CASES);

describe('the plain framing', () => {
  it.each([
    ['no known type', '0a0000'],
    ['WANT', plain(2, HASH)],
    ['more than any message', '00ffff'],
    ['a GET without a hash', '000000'],
    ['a GET with two words', plain(0, 'ab cd')],
    ['a PUT with one word', plain(1, '::5')],
    ['a PUT with three words', plain(1, '::5 ab cd')],
    ['zero bytes', plain(0, 'ab\0')],
    ['bytes above ASCII', plain(4, '\xe9')],
  ])('drops %s', (_title, hex) => {
    expect(TLV.decode(Buffer.from(hex, 'hex')).kind).toBe('malformed');
  });

  it.each<[string, TlvMessage]>([
    ['an answer that reads as a holder', { framing, kind: 'ANSWER', text: `::5 ${HASH}` }],
    ['an EXIT answer that reads as a DECO', { framing, kind: 'EXIT_ANSWER', text: '' }],
    ['a hash that is an address', { framing, kind: 'HAVE', ip: '::5', hash: '::6' }],
    ['an address that is none', { framing, kind: 'PUT', ip: '10.0.0.1', hash: HASH }],
    ['a hash with a space', { framing, kind: 'GET', hash: 'a b' }],
  ])('does not write %s', (_title, message) => {
    expect(() => TLV.encode(message)).toThrow(RangeError);
  });
});

describe('PlainStream', () => {
  const stream = Buffer.from(CASES.map(({ hex }) => hex).join(''), 'hex');

  it.each([1, 2, 7, 100, stream.length])('reads all messages in pieces of %i bytes', (size) => {
    const heard: TlvMessage[] = [];
    const reader = new PlainStream((message) => heard.push(message));
    for (let at = 0; at < stream.length; at += size) {
      const piece = Buffer.from(stream.subarray(at, at + size));
      expect(reader.received(piece)).toBe(true);
      piece.fill(0xff);
    }
    expect(heard).toEqual(CASES.map(({ message }) => message));
  });

  it.each([
    ['what is no message', '0a'],
    ['the original framing, which has no end', '35'],
  ])('breaks at %s, for good', (_title, hex) => {
    const heard: TlvMessage[] = [];
    const reader = new PlainStream((message) => heard.push(message));
    expect(reader.received(Buffer.from(`050000${hex}`, 'hex'))).toBe(false);
    expect(reader.received(Buffer.from('050000', 'hex'))).toBe(false);
    expect(heard).toHaveLength(1);
  });
});
