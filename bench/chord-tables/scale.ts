/** How much is measured: everything of the paper, or a slice of it to try things out. */

export type Scale = {
  /** Ring sizes of the path length table. */
  readonly ringSizes: readonly number[];
  /** The ring size whose distribution of path lengths is shown. */
  readonly spreadNodes: number;
  /** Peers under failures and churn, with lists of 20. */
  readonly nodes: number;
  /** Lookups of each row. */
  readonly lookups: number;
  readonly churnLookups: number;
  /** Peers and keys of the load tables. */
  readonly loadPeers: number;
  readonly keyCounts: readonly number[];
};

export const FULL: Scale = {
  ringSizes: powersOfTwo(3, 14),
  spreadNodes: 2 ** 12,
  nodes: 1_000,
  lookups: 10_000,
  churnLookups: 10_000,
  loadPeers: 10_000,
  keyCounts: Array.from({ length: 10 }, (_, index) => (index + 1) * 100_000),
};

/** About half a minute. */
export const QUICK: Scale = {
  ringSizes: powersOfTwo(3, 10),
  spreadNodes: 2 ** 10,
  nodes: 250,
  lookups: 2_000,
  churnLookups: 300,
  loadPeers: 10_000,
  keyCounts: [100_000, 500_000, 1_000_000],
};

function powersOfTwo(first: number, last: number): readonly number[] {
  return Array.from({ length: last - first + 1 }, (_, index) => 2 ** (first + index));
}
