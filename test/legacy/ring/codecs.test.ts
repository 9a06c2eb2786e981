/** The lines of dialect `ring`, both ways (wire/ring.md, sections 4, 5 and 7). */
import { describe, expect, it } from 'vitest';
import { LineReader } from '../../../services/legacy/core/line-reader.js';
import { LINE_BYTES_MAX, RING, type RingLine } from '../../../services/legacy/ring/codec.js';
import { ringIdOf } from '../../../services/legacy/ring/fields.js';
import { idealTable } from '../../../services/legacy/ring/ideal-table.js';
import {
  baseTableIn,
  departureIn,
  entryIn,
  hostIn,
  membersIn,
  neighborsIn,
  ringIdIn,
  tableIn,
} from '../../../services/legacy/ring/reply-codec.js';
import { peerRequestIn, requestLine } from '../../../services/legacy/ring/request-codec.js';
import { describeDialect } from '../dialect-contract.js';

const of = (
  text: string,
  message: RingLine,
): { title: string; hex: string; message: RingLine } => ({
  title: text,
  hex: Buffer.from(`${text}\n`).toString('hex'),
  message,
});
const host = '10.9.0.1';

describeDialect(RING, [
  of('yo:46:10.9.0.1', { kind: 'enter', ringId: 46, host }),
  of('a+:3', { kind: 'leave', ringId: 3 }),
  of('ip?:3', { kind: 'host', ringId: 3 }),
  of('rt?:3', { kind: 'base-table', ringId: 3 }),
  of('rt?', { kind: 'table' }),
  of('li?', { kind: 'list' }),
  of('msg:94:10.9.0.1:coucou:suite', {
    kind: 'message',
    to: 94,
    senderHost: host,
    text: 'coucou:suite',
  }),
  of('msg:94:10.9.0.1:reçu::', { kind: 'message', to: 94, senderHost: host, text: 'reçu::' }),
  of('ctr:0:46:10.9.0.1', { kind: 'neighbor', side: 'predecessor', ringId: 46, host }),
  of('ctr:1:46:10.9.0.1', { kind: 'neighbor', side: 'successor', ringId: 46, host }),
  of('yaf', { kind: 'first' }),
  of('wrq', { kind: 'refused' }),
  of('ukh', { kind: 'unknown' }),
  of('ok', { kind: 'done' }),
  of('aht', { kind: 'full' }),
  of('end', { kind: 'end' }),
  of('Message/Commande incompris(e).', { kind: 'not-understood' }),
  of('44', { kind: 'ring-id', ringId: 44 }),
  of('5:10.9.0.1', { kind: 'member', ringId: 5, host }),
  of('3:5:10.9.0.1', { kind: 'row', start: 3, successor: { ringId: 5, host } }),
  of('10.9.0.1', { kind: 'text', text: host }),
  of('', { kind: 'text', text: '' }),
]);

describe('RING', () => {
  it('reads a line that a CR ends, and refuses one that is too long', () => {
    expect(RING.decode(Buffer.from('li?\r\n'))).toEqual({
      kind: 'message',
      message: { kind: 'list' },
      bytesUsed: 4,
    });
    const long = Buffer.alloc(LINE_BYTES_MAX + 1, 'a');
    expect(RING.decode(long)).toMatchObject({ kind: 'malformed' });
    expect(RING.decode(long.subarray(1))).toEqual({ kind: 'incomplete' });
  });
});

describe('LineReader', () => {
  it.each([
    ['invalid bytes, each by itself', 'ff61fe0a', ['\ufffda\ufffd']],
    ['a byte order mark, which is part of the text', 'efbbbf610a', ['\ufeffa']],
    ['lines of all ends', '610d0a620d630a0d64', ['a', 'b', 'c', '']],
    ['zero bytes', '00610a', ['\0a']],
  ])('reads %s, whole and byte by byte', (_, hex, lines) => {
    const bytes = Buffer.from(hex, 'hex');
    expect([...new LineReader(100).read(bytes)]).toEqual(lines);
    const reader = new LineReader(100);
    expect([...bytes].flatMap((byte) => [...reader.read(Uint8Array.of(byte))])).toEqual(lines);
  });

  it('gives what has no end at the end, once', () => {
    const reader = new LineReader(100);
    expect([...reader.read(Buffer.from('a\nb'))]).toEqual(['a']);
    expect([reader.end(), reader.end()]).toEqual(['b', undefined]);
  });
});

describe('requestLine()', () => {
  it.each([
    ['a ring ID below 0', { kind: 'leave', ringId: -1 }],
    ['a ring ID beyond 32 bits', { kind: 'leave', ringId: 2 ** 31 }],
    ['no host', { kind: 'enter', ringId: 1, host: '' }],
    ['a host with colons', { kind: 'enter', ringId: 1, host: '::1' }],
    ['a host of two lines', { kind: 'neighbor', side: 'successor', ringId: 1, host: 'a\nb' }],
    ['a text of two lines', { kind: 'message', to: 1, senderHost: 'a', text: 'a\rb' }],
    ['a text of colons', { kind: 'message', to: 1, senderHost: 'a', text: '::' }],
  ] as const)('throws for %s', (_, request) => {
    expect(() => requestLine(request)).toThrow(RangeError);
  });
});

describe('peerRequestIn()', () => {
  it.each([
    'msg',
    'msg:1:a',
    'msg:1:a:::',
    'msg:x:a:text',
    'msg:-1:a:text',
    'yo:1',
    'yo:1:a:b',
    'yo:x:a',
    'ctr:2:1:a',
    'ctr:0:x:a',
    'ctr:0:1',
    'hello',
    '',
  ])('reads %j as none', (line) => {
    expect(peerRequestIn(line)).toBeUndefined();
  });
});

describe('ringIdOf()', () => {
  it.each([
    ['0', 0],
    ['-0', 0],
    ['+7', 7],
    ['007', 7],
    ['2147483647', 2_147_483_647],
    ['\u0661\u0662', 12],
    ['\uff19', 9],
    ['\u{1d7ce}\u{1d7ff}', 9],
  ])('reads %s as %i', (text, value) => {
    expect(ringIdOf(text)).toBe(value);
  });

  it.each(['', '-', '+', '-1', '+-1', ' 1', '1 ', '1.0', '1e3', '0x1', '2147483648', 'Ⅷ', '²'])(
    'reads %j as none',
    (text) => {
      expect(ringIdOf(text)).toBeUndefined();
    },
  );
});

describe('idealTable()', () => {
  it.each([
    [2 ** 30, 30],
    [2 ** 31, 31],
    [2 ** 31 - 1, 31],
  ])('is finite on a ring of %i, where originals send rows without an end', (size, rowCount) => {
    const member = { ringId: size - 1, host };
    const table = idealTable([member], size - 1, size);
    expect(table).toHaveLength(rowCount);
    expect(table.every(({ start }) => start >= 0 && start < size)).toBe(true);
  });

  it('has no rows without members', () => {
    expect(idealTable([], 3, 16)).toEqual([]);
  });
});

describe('block F: answers as the original monitor reads them', () => {
  it('M1: takes lines that end with CR LF, and nothing behind the end', () => {
    const reader = new LineReader(100);
    const lines = [...reader.read(Buffer.from('5:127.0.0.1\r\nend\r\n-5:x\r\n'))];
    expect(membersIn(lines)).toEqual([{ ringId: 5, host: '127.0.0.1' }]);
  });

  it('M2: takes an empty list, and one without its end', () => {
    expect(membersIn(['end'])).toEqual([]);
    expect(membersIn([`5:${host}`])).toEqual([{ ringId: 5, host }]);
  });

  it.each(['-5:127.0.0.1', '5', '5:', 'x:127.0.0.1', '5:9:127.0.0.1', ''])(
    'M3: takes no list with %j in it',
    (line) => {
      expect(membersIn(['1:a', line, 'end'])).toBeUndefined();
    },
  );

  it('M4: knows when nobody has the ring ID', () => {
    expect(baseTableIn(['ukh'])).toBe('unknown');
  });

  it('M5: takes no base table without its end, and outlives a refusal', () => {
    expect(baseTableIn(['wrq'])).toBe('refused');
    expect(baseTableIn([])).toBeUndefined();
    expect(baseTableIn([`5:9:${host}`])).toBeUndefined();
    expect(baseTableIn([`5:9:${host}`, 'end'])).toEqual([
      { start: 5, successor: { ringId: 9, host } },
    ]);
  });

  it('M6: takes the table of a peer without its end', () => {
    expect(tableIn([`5:9:${host}`])).toEqual([{ start: 5, successor: { ringId: 9, host } }]);
  });

  it.each(['-5:9:127.0.0.2', '5:-9:127.0.0.2', '5:9', '5:9:a:b', ''])(
    'M7: takes no table with %j in it',
    (line) => {
      expect(tableIn([line, 'end'])).toBeUndefined();
    },
  );

  it('M8: knows a peer that is not there', () => {
    expect(hostIn(['ukh'])).toBe('unknown');
    expect(hostIn(['wrq'])).toBe('refused');
    expect(hostIn([])).toBeUndefined();
    expect(hostIn([host])).toEqual({ host });
  });
});

describe('answers of servers and peers', () => {
  it('reads what a HashServer says', () => {
    expect(ringIdIn(['44'])).toBe(44);
    expect(ringIdIn(['aht'])).toBe('full');
    expect([ringIdIn(['x']), ringIdIn([''])]).toEqual([undefined, undefined]);
    expect(ringIdIn([])).toBeUndefined();
  });

  it('reads what a WelcomeServer says', () => {
    expect(entryIn(['yaf'])).toBe('first');
    expect(entryIn(['wrq'])).toBe('refused');
    expect(entryIn([host])).toEqual({ entry: host });
    expect(entryIn([])).toBeUndefined();
    expect([departureIn(['ok']), departureIn(['wrq'])]).toEqual(['left', 'refused']);
    expect([departureIn([]), departureIn(['?'])]).toEqual([undefined, undefined]);
  });

  it('reads the two lines of a peer of group 1 (P4), and the table of others (P1, P10, P11)', () => {
    expect(neighborsIn(['34:10.9.0.1', '58:10.9.0.2'])).toEqual({
      predecessor: { ringId: 34, host: '10.9.0.1' },
      successor: { ringId: 58, host: '10.9.0.2' },
    });
    expect(neighborsIn(['34:10.9.0.1'])).toBeUndefined();
    expect(tableIn(['44:44:10.9.0.1', '44:44:10.9.0.1'])).toHaveLength(2);
    expect(tableIn(['79:0:null', '79:0:10.9.0.1', 'end'])).toHaveLength(2);
    expect(tableIn(['79:99:10.9.0.3', '79:0:10.9.0.2', 'end'])).toHaveLength(2);
  });
});
