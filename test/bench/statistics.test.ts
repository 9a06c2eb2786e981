import { describe, expect, it } from 'vitest';
import { medianInterval } from '../../bench/paired.js';
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

describe('medianInterval', () => {
  it('goes by ranks: the eighth on either side of twenty-five', () => {
    const values = Array.from({ length: 25 }, (_, index) => (index * 7) % 25);
    expect(medianInterval(values)).toEqual([7, 17]);
  });

  it('is everything where there is little', () => {
    expect(medianInterval([3, 1, 2])).toEqual([1, 3]);
  });
});
