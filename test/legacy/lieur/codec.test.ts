import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isForOriginals, LIEUR, type LieurEntry } from '../../../services/legacy/lieur/codec.js';
import { describeDialect } from '../dialect-contract.js';

const entry = (type: number, host: string, port: number): LieurEntry => ({ type, host, port });
const A = entry(1, '127.0.0.1', 12_347);
const B = entry(2, '10.0.0.9', 40_000);
const C = entry(1, '127.0.0.1', 12_345);
const D = entry(1, '127.0.0.1', 45_678);
const PAYLOAD = Uint8Array.of(1, 1, 1, 1);

describeDialect(LIEUR, [
  { title: 'vector 1, list request', hex: '07', message: { kind: 'list-request' } },
  {
    title: 'vector 2, list of two',
    hex: '0802017f0000013b30020a000009409c',
    message: { kind: 'list', entries: [A, B] },
    isWritten: false,
    needsAll: false,
  },
  { title: 'vector 3, request', hex: '0201', message: { kind: 'request', type: 1 } },
  { title: 'vector 3, type 200', hex: '02c8', message: { kind: 'request', type: 200 } },
  { title: 'vector 4, answer', hex: '03017f0000013b30', message: { kind: 'answer', entry: A } },
  {
    title: 'vector 5, answer that kills an original client',
    hex: '03020a000009409c',
    message: { kind: 'answer', entry: B },
    isWritten: false,
  },
  { title: 'vector 7, subscription', hex: '0507', message: { kind: 'subscription', type: 7 } },
  { title: 'vector 8, addition', hex: '09017f0000013930', message: { kind: 'addition', entry: C } },
  {
    title: 'vector 9, addition with a port that is negative to originals',
    hex: '09017f0000016eb2',
    message: { kind: 'addition', entry: D },
    isWritten: false,
  },
  { title: 'vector 10, confirmation', hex: '06', message: { kind: 'confirmation' } },
  {
    title: 'vector 11, list of four',
    hex: '0804017f0000013b30020a000009409c017f0000013930017f0000016eb2',
    message: { kind: 'list', entries: [A, B, C, D] },
    isWritten: false,
    needsAll: false,
  },
  {
    title: 'vector 12, contact',
    hex: '000401010101',
    message: { kind: 'contact', payload: PAYLOAD },
  },
  {
    title: 'vector 14, complaint',
    hex: '04017f000001b308',
    message: { kind: 'complaint', entry: entry(1, '127.0.0.1', 2_227) },
    needsAll: false,
  },
  { title: 'vector 15, verification', hex: '0b', message: { kind: 'verification' } },
  { title: 'vector 15, existence', hex: '0c', message: { kind: 'existence' } },
  { title: 'vector 16, removal', hex: '0a017f0000013930', message: { kind: 'removal', entry: C } },
  {
    title: 'vector 17, list of nobody',
    hex: '0800',
    message: { kind: 'list', entries: [] },
  },
  {
    title: 'vector 18, entry of a service that subscribed over IPv6',
    hex: '08010100000000611e',
    message: { kind: 'list', entries: [entry(1, '0.0.0.0', 7_777)] },
    isWritten: false,
    needsAll: false,
  },
]);

describe('LIEUR', () => {
  it('reads vector 6, one byte, as no such service', () => {
    expect(LIEUR.decode(Uint8Array.of(4))).toEqual({
      kind: 'message',
      message: { kind: 'none' },
      bytesUsed: 1,
    });
    expect(LIEUR.encode({ kind: 'none' })).toEqual(Uint8Array.of(4));
  });

  it('reads vector 13, the echo of an original, whose zeros mean nothing', () => {
    const bytes = Buffer.concat([Buffer.from('010401010101', 'hex'), Buffer.alloc(994)]);
    expect(LIEUR.decode(bytes)).toEqual({
      kind: 'message',
      message: { kind: 'echo', payload: PAYLOAD },
      bytesUsed: 6,
    });
  });

  it('writes and reads vector 19, the largest safe list, and no larger one', () => {
    const entries = Array.from({ length: 100 }, (_, index) => entry(1, '10.0.0.1', index + 1));
    const bytes = LIEUR.encode({ kind: 'list', entries });
    expect([bytes.length, bytes[1]]).toEqual([702, 0x64]);
    expect(LIEUR.decode(bytes)).toMatchObject({ message: { kind: 'list', entries } });
    expect(() => LIEUR.encode({ kind: 'list', entries: [...entries, A] })).toThrow(RangeError);
  });

  it('reads a list of 130 as far as it goes, and one that lies not at all', () => {
    const records = Buffer.concat(
      Array.from({ length: 130 }, () => Buffer.from('017f0000013b30', 'hex')),
    );
    const long = LIEUR.decode(Buffer.concat([Buffer.of(8, 130), records]));
    expect(long).toMatchObject({ message: { entries: { length: 130 } } });
    const lie = LIEUR.decode(Buffer.concat([Buffer.of(8, 255), records.subarray(0, 20)]));
    expect(lie).toMatchObject({ message: { entries: [A, A] } });
  });

  it.each([
    ['port 0', entry(1, '10.0.0.1', 0)],
    ['port 32768', entry(1, '10.0.0.1', 32_768)],
    ['no host', entry(1, '0.0.0.0', 80)],
    ['many hosts', entry(1, '224.0.0.1', 80)],
    ['IPv6', entry(1, '::1', 80)],
    ['no number', entry(1, '10.0.0.256', 80)],
  ])('does not write what originals can not use: %s', (_, bad) => {
    expect(isForOriginals(bad)).toBe(false);
    for (const kind of ['answer', 'addition', 'removal', 'complaint'] as const) {
      expect(() => LIEUR.encode({ kind, entry: bad })).toThrow(RangeError);
    }
    expect(() => LIEUR.encode({ kind: 'list', entries: [bad] })).toThrow(RangeError);
  });

  it('reads what it has written', () => {
    const byte = fc.integer({ min: 0, max: 255 });
    const anyEntry = fc
      .record({
        type: byte,
        host: fc.ipV4(),
        port: fc.integer({ min: 1, max: 32_767 }),
      })
      .filter(isForOriginals);
    const message = fc.oneof(
      fc.record({ kind: fc.constantFrom('request' as const, 'subscription' as const), type: byte }),
      fc.record({
        kind: fc.constantFrom(
          'answer' as const,
          'complaint' as const,
          'addition' as const,
          'removal' as const,
        ),
        entry: anyEntry,
      }),
      fc.record({
        kind: fc.constant('list' as const),
        entries: fc.array(anyEntry, { maxLength: 100 }),
      }),
      fc.record({
        kind: fc.constant('contact' as const),
        payload: fc.uint8Array({ maxLength: 255 }),
      }),
    );
    fc.assert(
      fc.property(message, (it) => {
        const bytes = LIEUR.encode(it);
        expect(LIEUR.decode(bytes)).toEqual({
          kind: 'message',
          message: it,
          bytesUsed: bytes.length,
        });
      }),
    );
  });

  it('never throws on what it reads', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 1_100 }), (bytes) => void LIEUR.decode(bytes)),
      {
        numRuns: 5_000,
      },
    );
  });
});
