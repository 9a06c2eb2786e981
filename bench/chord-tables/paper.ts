/**
 * The figures of "Chord: A Scalable Peer-to-peer Lookup Protocol for Internet Applications"
 * (Stoica et al., IEEE/ACM Transactions on Networking 11(1), 2003), section V.
 */
import type { Summary } from './statistics.js';

/** Mean path length of N peers with one successor each (section V-C). */
export function expectedForwards(nodes: number): number {
  return Math.log2(nodes) / 2;
}

/** Mean path length at N = 1,000 with 20 successors, the owner counted (section V-C). */
export const PATH_LENGTH_1000_20 = 3.84;

export type FailureFigures = {
  /** Share of the peers that fail at once. */
  readonly fraction: number;
  readonly pathLength: Summary;
  readonly timeouts: Summary;
};

/** Table II: 1,000 peers, 20 successors, 10,000 lookups, of which none failed. */
export const TABLE_2: readonly FailureFigures[] = [
  failure(0, [3.84, 2, 5], [0, 0, 0]),
  failure(0.1, [4.03, 2, 6], [0.6, 0, 2]),
  failure(0.2, [4.22, 2, 6], [1.17, 0, 3]),
  failure(0.3, [4.44, 2, 6], [2.02, 0, 5]),
  failure(0.4, [4.69, 2, 7], [3.23, 0, 8]),
  failure(0.5, [5.09, 3, 8], [5.1, 0, 11]),
];

export type ChurnFigures = {
  /** Joins each second, and as many leaves. */
  readonly perSecond: number;
  readonly pathLength: Summary;
  readonly timeouts: Summary;
  readonly failuresPer10000: number;
};

/** Table III: about 1,000 peers, 20 successors, stabilizing every 15 to 45 s. */
export const TABLE_3: readonly ChurnFigures[] = [
  churn(0.05, [3.9, 1, 9], [0.05, 0, 2], 0),
  churn(0.1, [3.83, 1, 9], [0.11, 0, 2], 0),
  churn(0.15, [3.84, 1, 9], [0.16, 0, 2], 2),
  churn(0.2, [3.81, 1, 9], [0.23, 0, 3], 5),
  churn(0.25, [3.83, 1, 9], [0.3, 0, 3], 6),
  churn(0.3, [3.91, 1, 9], [0.34, 0, 4], 8),
  churn(0.35, [3.94, 1, 10], [0.42, 0, 4], 16),
  churn(0.4, [4.06, 1, 10], [0.46, 0, 5], 15),
];

/** Figure 8, 10^4 peers and 5 * 10^5 keys: multiples of the mean number of keys. */
export const FIGURE_8 = { keys: 500_000, fullestKeys: 457, last: 4.6, fullest: 9.1 };

/** Figure 9, 10^4 peers and 10^6 keys: multiples of the mean number of keys. */
export const FIGURE_9: readonly {
  readonly virtualNodes: number;
  readonly first: number;
  readonly last: number;
}[] = [
  { virtualNodes: 1, first: 0, last: 4.8 },
  { virtualNodes: 20, first: 0.5, last: 1.6 },
];

type Figures = readonly [mean: number, first: number, last: number];

function failure(fraction: number, path: Figures, timeouts: Figures): FailureFigures {
  return { fraction, pathLength: summary(path), timeouts: summary(timeouts) };
}

function churn(
  perSecond: number,
  path: Figures,
  timeouts: Figures,
  failuresPer10000: number,
): ChurnFigures {
  return { perSecond, pathLength: summary(path), timeouts: summary(timeouts), failuresPer10000 };
}

function summary([mean, first, last]: Figures): Summary {
  return { mean, first, last };
}
