import { describe, expect, it } from 'vitest';
import { medianRange } from '../../bench/paired.js';
import { sharesOf, summarize } from '../../bench/chord-tables/statistics.js';

describe('summarize', () => {
  it('takes percentiles by nearest rank', () => {
    const values = Array.from({ length: 200 }, (_, index) => 200 - index);
    expect(summarize(values)).toEqual({ mean: 100.5, first: 2, last: 198 });
  });

  it('is the value itself where there is only one', () => {
    expect(summarize([7])).toEqual({ mean: 7, first: 7, last: 7 });
  });
});

describe('sharesOf', () => {
  it('lists each value once, smallest first', () => {
    expect(sharesOf([3, 1, 3, 3])).toEqual([
      { value: 1, share: 0.25 },
      { value: 3, share: 0.75 },
    ]);
  });
});

describe('medianRange', () => {
  it('is between the values that the tables of the sign test name', () => {
    const values = (count: number) => Array.from({ length: count }, (_, index) => count - index);
    expect(medianRange(values(25))).toEqual([8, 18]);
    expect(medianRange(values(10))).toEqual([2, 9]);
    expect(medianRange(values(6))).toEqual([1, 6]);
  });

  it('is all that was seen where that is too little', () => {
    expect(medianRange([3, 1, 2])).toEqual([1, 3]);
  });
});
