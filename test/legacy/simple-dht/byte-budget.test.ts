import { describe, expect, it } from 'vitest';
import { ByteBudget } from '../../../services/legacy/simple-dht/byte-budget.js';

describe('ByteBudget', () => {
  it('lets the bytes of one second go at once, and the next ones as time passes', () => {
    const budget = new ByteBudget({ bytesPerSecond: 1_000, hostsMax: 10 });
    expect(budget.spend('a', 1_001, 0)).toBe(false);
    expect(budget.spend('a', 1_000, 0)).toBe(true);
    expect(budget.spend('a', 500, 499)).toBe(false);
    expect(budget.spend('a', 500, 500)).toBe(true);
    expect(budget.spend('b', 1_000, 500)).toBe(true);
    expect(budget.spend('a', 1_001, 1e6)).toBe(false);
    expect(budget.spend('a', 1_000, 1e6)).toBe(true);
  });

  it('keeps no more hosts than it may, and forgets the one that was sent least lately', () => {
    const budget = new ByteBudget({ bytesPerSecond: 1_000, hostsMax: 2 });
    for (const host of ['a', 'b']) budget.spend(host, 500, 0);
    for (const host of ['a', 'c']) budget.spend(host, 500, 0);
    expect(budget.spend('a', 1, 0)).toBe(false);
    expect(budget.spend('b', 1_000, 0)).toBe(true);
  });
});
