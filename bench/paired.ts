/**
 * Two sides measured in turns, A B A B …, so that a machine whose speed drifts slows both. The ratio
 * of each pair is taken, and the median of the ratios is the result.
 */

export type Side = { readonly name: string; readonly perSecond: () => Promise<number> };

export type PairedResult = {
  readonly ours: number;
  readonly theirs: number;
  /** Median over the pairs of ours / theirs. */
  readonly ratio: number;
  /** Where that median is, with at least 95 % confidence; all that was seen when there are too few pairs. */
  readonly ratioRange: readonly [number, number];
};

export async function measurePairs(ours: Side, theirs: Side, pairs: number): Promise<PairedResult> {
  await ours.perSecond();
  await theirs.perSecond();
  const rows: { readonly ours: number; readonly theirs: number }[] = [];
  for (let pair = 0; pair < pairs; pair += 1) {
    const row = { theirs: await theirs.perSecond(), ours: await ours.perSecond() };
    rows.push(row);
    process.stderr.write(`  ${row.ours.toFixed(0)} / ${row.theirs.toFixed(0)} per s\n`);
  }
  const ratios = rows.map((row) => row.ours / row.theirs);
  return {
    ours: median(rows.map((row) => row.ours)),
    theirs: median(rows.map((row) => row.theirs)),
    ratio: median(ratios),
    ratioRange: medianRange(ratios),
  };
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((one, other) => one - other);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

/**
 * Between which of the values the median of what they are drawn from is, with at least 95 %
 * confidence: each value is below it like a coin falls, whatever the distribution.
 */
export function medianRange(values: readonly number[]): readonly [number, number] {
  const sorted = [...values].sort((one, other) => one - other);
  let [outside, ways, below] = [0, 0.5 ** sorted.length, 0];
  while (below < sorted.length / 2 && outside + ways <= 0.025) {
    outside += ways;
    ways *= (sorted.length - below) / (below + 1);
    below += 1;
  }
  const first = Math.max(0, below - 1);
  return [sorted[first] ?? Number.NaN, sorted.at(-1 - first) ?? Number.NaN];
}

/** Calls per second with so many in flight, for so long. */
export async function rateOf(
  call: () => Promise<unknown>,
  { inFlight, ms }: { readonly inFlight: number; readonly ms: number },
): Promise<number> {
  const start = performance.now();
  let done = 0;
  const worker = async (): Promise<void> => {
    while (performance.now() - start < ms) {
      await call();
      done += 1;
    }
  };
  await Promise.all(Array.from({ length: inFlight }, worker));
  return (done * 1_000) / (performance.now() - start);
}

/** The same call, which also notes how long each one took, in ms. */
export function timed(call: () => Promise<unknown>, ms: number[]): () => Promise<void> {
  return async () => {
    const start = performance.now();
    await call();
    ms.push(performance.now() - start);
  };
}
