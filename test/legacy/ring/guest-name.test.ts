import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { guestAddress, guestText } from '../../../services/legacy/ring/guest-name.js';

describe('guestAddress', () => {
  it.each([
    ['10.0.0.9', 'ring://10.0.0.9'],
    ['', 'ring://'],
    ['une donnée', 'ring://une%20donn%C3%A9e'],
    ['7@host', 'ring://7%40host'],
  ])('of %j is %s', (text, address) => {
    expect(guestAddress(text)).toBe(address);
    expect(guestText(address)).toBe(text);
  });

  it('has the ring ID of one that the text has besides', () => {
    expect(guestAddress('10.0.0.9', 7)).toBe('ring://7@10.0.0.9');
    expect(guestText('ring://7@10.0.0.9')).toBe('10.0.0.9');
  });

  it('is never longer than an address may be', () => {
    const address = guestAddress('é'.repeat(100_000));
    expect(address).toMatch(/^ring:sha-256;[0-9a-f]{64}$/);
    expect(guestText(address)).toBeUndefined();
    expect(guestAddress('é'.repeat(100_001))).not.toBe(address);
  });

  it('tells all texts apart, and gives them back', () => {
    const texts = fc.tuple(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'grapheme' }));
    fc.assert(
      fc.property(texts, ([one, other]) => {
        expect(guestText(guestAddress(one))).toBe(one);
        expect(guestAddress(one) === guestAddress(other)).toBe(one === other);
      }),
    );
  });

  it.each(['127.0.0.1:7400', 'pair://10.0.0.1:5', 'ring://%', 'ring:sha-256;00'])(
    'of no text is %s',
    (address) => expect(guestText(address)).toBeUndefined(),
  );
});
