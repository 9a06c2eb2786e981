import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ERRORS, RingbinderError, type ErrorReason } from '../services/errors.js';

const HERE = new URL('.', import.meta.url).pathname;
const REASONS = Object.keys(ERRORS) as ErrorReason[];

function testsBelow(folder: string): readonly string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return testsBelow(path);
    return path.endsWith('.test.ts') && !path.endsWith('errors.test.ts') ? [path] : [];
  });
}

describe('ERRORS', () => {
  it('has no reason that no test provokes', () => {
    const tests = testsBelow(HERE).map((path) => readFileSync(path, 'utf8'));
    const isNamed = (reason: string): boolean => {
      return tests.some((text) => new RegExp(`\\b${reason}\\b`).test(text));
    };
    expect(REASONS.filter((reason) => !isNamed(reason))).toEqual([]);
  });

  it.each(REASONS)('names %s with at most five words', (reason) => {
    expect(reason).toMatch(/^[A-Z]+(?:_[A-Z]+){0,4}$/);
  });
});

describe('RingbinderError', () => {
  it('puts the reason before the text', () => {
    const error = new RingbinderError('RING_FULL', 'no position is left', { ringSize: '3' });
    expect(error.message).toBe('[RING_FULL] no position is left');
    expect(error).toMatchObject({ status: 'RESOURCE_EXHAUSTED', facts: { ringSize: '3' } });
  });

  it('takes whatever was thrown, and hides what is not ours', () => {
    const ours = new RingbinderError('RING_FULL', 'no position is left');
    expect(RingbinderError.from(ours)).toBe(ours);
    for (const thrown of [new Error('secret'), 'secret', undefined, { secret: 1 }]) {
      const error = RingbinderError.from(thrown);
      expect(error).toMatchObject({ reason: 'INTERNAL', cause: thrown });
      expect(error.message).not.toContain('secret');
    }
  });
});
