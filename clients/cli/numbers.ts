/** Numbers and times from the command line, refused as misuse when they are not what is meant. */
import { InvalidArgumentError } from 'commander';

/** A whole number from `min` to `max`. */
export function wholeNumber(min: number, max = Number.MAX_SAFE_INTEGER): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (/^\d+$/.test(text) && value >= min && value <= max) return value;
    throw new InvalidArgumentError(`must be a whole number from ${min} to ${max}`);
  };
}

const UNIT_MS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/** A time with its unit, more than 0 and at most so many ms; in ms. */
export function duration(maxMs: number): (text: string) => number {
  return (text) => {
    const [, number = '', unit = ''] = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/.exec(text) ?? [];
    const ms = Number(number) * (UNIT_MS[unit] ?? 0);
    if (ms > 0 && ms <= maxMs) return ms;
    const days = Math.floor(maxMs / 86_400_000);
    throw new InvalidArgumentError(
      `must be a time with its unit, such as 250ms, 30s, 5m, 2h or 7d, more than 0 and at most ${days}d`,
    );
  };
}
