import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { playRing } from '../support/ring-script.js';

const FOLDER = new URL('../golden/ring/', import.meta.url).pathname;
const LINES_MAX = 79;

/** `npx vitest run test/peer/ring-transcripts -u` writes them anew; they are reviewed like code. */
const SCENARIOS = [
  'join-between-two',
  'join-founder',
  'leave',
  'restart',
  'successor-dies',
  'two-rings',
];

describe('playRing', () => {
  it.each(SCENARIOS)('plays %s as it was reviewed', async (name) => {
    const path = `${FOLDER}${name}.txt`;
    const transcript = playRing(readFileSync(path, 'utf8'));
    expect(transcript.split('\n').length).toBeLessThanOrEqual(LINES_MAX + 1);
    expect(transcript).not.toContain('not settled');
    await expect(transcript).toMatchFileSnapshot(path);
  });

  it('plays every scenario there is', () => {
    expect(readdirSync(FOLDER).sort()).toEqual(SCENARIOS.map((name) => `${name}.txt`));
  });

  it('refuses a command that it does not know', () => {
    expect(() => playRing('> jump p10')).toThrow('no such command: jump p10');
    expect(() => playRing('> kill ten')).toThrow('no peer: ten');
  });
});
