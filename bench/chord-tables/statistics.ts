/** What the paper gives for each quantity: the mean, the 1st and the 99th percentile. */

export type Summary = { readonly mean: number; readonly first: number; readonly last: number };

/** Percentiles by nearest rank, so that each is a value that was seen. */
export function summarize(values: Iterable<number>): Summary {
  const sorted = Float64Array.from(values).sort();
  const at = (share: number): number =>
    sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;
  return { mean: mean(sorted), first: at(0.01), last: at(0.99) };
}

function mean(values: Float64Array): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Share of each value among all of them, smallest value first. */
export function sharesOf(
  values: readonly number[],
): readonly { readonly value: number; readonly share: number }[] {
  const counts = new Map<number, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return [...counts]
    .sort(([one], [other]) => one - other)
    .map(([value, count]) => ({ value, share: count / values.length }));
}
