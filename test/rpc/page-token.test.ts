import { describe, expect, it } from 'vitest';
import { decodePageToken, encodePageToken, pageSizeOf } from '../../services/rpc/page-token.js';

const SCOPE = 'dht/keys prefix=a';
const token = encodePageToken({ scope: SCOPE, after: 'key-17' });

const refusal = (defect: string): unknown =>
  expect.objectContaining({
    reason: 'PAGE_TOKEN_INVALID',
    status: 'INVALID_ARGUMENT',
    facts: { defect },
  });

/** The token with one byte changed, in base64url again. */
function withByte(offset: number, value: number) {
  const bytes = Buffer.from(token, 'base64url');
  bytes[offset] = value;
  return bytes.toString('base64url');
}

describe('decodePageToken', () => {
  it.each(['key-17', '', '\u0000', 'ä漢\u{1F600}', '\uFEFFa', 'x'.repeat(4096)])(
    'finds the key that encodePageToken was given: %j',
    (after) => {
      const encoded = encodePageToken({ scope: SCOPE, after });
      expect(encoded).toMatch(/^[A-Za-z0-9_-]+$/);
      expect(encoded.length).toBeLessThanOrEqual(8192);
      expect(decodePageToken(encoded, SCOPE)).toBe(after);
    },
  );

  it('takes the empty token for the first page', () => {
    expect(decodePageToken('', SCOPE)).toBeUndefined();
  });

  it('refuses a token with any one bit turned', () => {
    const bytes = Buffer.from(token, 'base64url');
    for (let bit = 0; bit < bytes.length * 8; bit += 1) {
      const damaged = Buffer.from(bytes);
      damaged[bit >> 3]! ^= 1 << (bit & 7);
      expect(() => decodePageToken(damaged.toString('base64url'), SCOPE)).toThrow(
        expect.objectContaining({ reason: 'PAGE_TOKEN_INVALID' }),
      );
    }
  });

  it.each([
    { title: 'cut short', damaged: token.slice(0, -2) },
    { title: 'cut to its head', damaged: token.slice(0, 8) },
    { title: 'one character', damaged: 'A' },
    { title: 'with a character more', damaged: `${token}A` },
    { title: 'with white space', damaged: `${token}\n` },
    { title: 'padded', damaged: `${token}=` },
    { title: 'no base64url', damaged: 'page 2, please' },
    { title: 'changed behind its head', damaged: withByte(20, 0x41) },
    { title: 'too long', damaged: encodePageToken({ scope: SCOPE, after: 'x'.repeat(4097) }) },
  ])('refuses a token that is $title', ({ damaged }) => {
    expect(() => decodePageToken(damaged, SCOPE)).toThrow(refusal('damaged'));
  });

  it('refuses a token of another version', () => {
    expect(() => decodePageToken(withByte(0, 2), SCOPE)).toThrow(refusal('of another version'));
  });

  it.each(['', 'dht/keys prefix=b', 'hash/assignments'])('refuses it for the scope %j', (scope) => {
    expect(() => decodePageToken(token, scope)).toThrow(
      refusal('of another list or other arguments'),
    );
  });
});

describe('encodePageToken', () => {
  it('makes the same token of the same position, on every node', () => {
    expect(encodePageToken({ scope: SCOPE, after: 'key-17' })).toBe(token);
  });
});

describe('pageSizeOf', () => {
  it.each([
    { requested: 0, expected: 100 },
    { requested: 1, expected: 1 },
    { requested: 1000, expected: 1000 },
    { requested: 1001, expected: 1000 },
    { requested: 2 ** 32 - 1, expected: 1000 },
  ])('answers $requested with $expected', ({ requested, expected }) => {
    expect(pageSizeOf(requested)).toBe(expected);
  });
});
