import { InvalidArgumentError } from 'commander';
import { describe, expect, it } from 'vitest';
import { duration } from '../../clients/cli/numbers.js';

const DAY_MS = 86_400_000;
const read = duration(100 * DAY_MS);

describe('duration', () => {
  it.each([
    ['250ms', 250],
    ['0.5ms', 0.5],
    ['30s', 30_000],
    ['1.5s', 1_500],
    ['5m', 300_000],
    ['2h', 7_200_000],
    ['7d', 7 * DAY_MS],
    ['100d', 100 * DAY_MS],
    ['007s', 7_000],
  ])('reads %j as %i ms', (text, ms) => {
    expect(read(text)).toBe(ms);
  });

  it.each([
    ...['', '5', 's', '5 s', '5S', '5sec', '5w', '-5s', '+5s', '.5s', '5.s', '1e3s', '1,5s'],
    ...['0s', '0.0ms', '101d', '100.1d', '99999999999999999999d', '5s ', '1m30s', 'Infinitys'],
  ])('refuses %j', (text) => {
    expect(() => read(text)).toThrow(InvalidArgumentError);
    expect(() => read(text)).toThrow(/such as 250ms, .* at most 100d/);
  });
});
