import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { firstChoice, HASH_ALGORITHM, positionOfKey } from '../../services/hash/core/digest.js';

type Vectors = {
  readonly algorithm: string;
  readonly vectors: readonly { key: string; ringSize: number; ringId: number }[];
};

const path = new URL('../vectors/hash-key.json', import.meta.url);
const { algorithm, vectors } = JSON.parse(readFileSync(path, 'utf8')) as Vectors;

describe('HASH_ALGORITHM', () => {
  it('is the name that the vectors were computed under', () => {
    expect(HASH_ALGORITHM).toBe(algorithm);
    expect(vectors.length).toBeGreaterThan(20);
  });
});

describe('positionOfKey', () => {
  it.each(vectors)('puts $key at $ringId of $ringSize', ({ key, ringSize, ringId }) => {
    expect(positionOfKey(key, ringSize)).toBe(ringId);
  });

  it('agrees with the digest that FIPS 180 prints for "abc"', () => {
    expect(positionOfKey('abc', 2 ** 53)).toBe(Number(0xba7816bf8f01cfean % 2n ** 53n));
  });

  it.each([1, 2, 3, 2 ** 31, 2 ** 53])('stays below a ring size of %d', (ringSize) => {
    for (let index = 0; index < 200; index += 1) {
      const position = positionOfKey(`key ${index}`, ringSize);
      expect(Number.isSafeInteger(position) && position >= 0 && position < ringSize).toBe(true);
    }
  });

  it('tells apart two ways to write the same letter', () => {
    expect(positionOfKey('\u00E4', 2 ** 53)).not.toBe(positionOfKey('a\u0308', 2 ** 53));
  });
});

describe('firstChoice', () => {
  it.each(vectors)('puts the address $key where the key is', ({ key, ringSize, ringId }) => {
    expect(firstChoice(key, ringSize)).toBe(ringId);
  });
});
