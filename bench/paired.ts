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
  /** Where that median lies with 95 % confidence, by the ranks of the ratios. */
  readonly interval: readonly [from: number, to: number];
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
    interval: medianInterval(ratios),
  };
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((one, other) => one - other);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

/**
 * The values between which the median lies with 95 % confidence: how many of them are below it is
 * binomial, whatever their distribution. Of fewer than six values it is all of them, and says less.
 */
export function medianInterval(values: readonly number[]): readonly [from: number, to: number] {
  const sorted = [...values].sort((one, other) => one - other);
  const { length } = sorted;
  const below = Math.max(0, Math.floor(length / 2 - 0.98 * Math.sqrt(length)));
  return [sorted[below] ?? Number.NaN, sorted[length - 1 - below] ?? Number.NaN];
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
