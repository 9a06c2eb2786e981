/** What the ring has to reach beside the paper's figures. */
import type { ChurnRow } from './churn.js';
import type { FailureRow } from './massive-failure.js';
import {
  expectedForwards,
  PATH_LENGTH_1000_20,
  type ChurnFigures,
  type FailureFigures,
} from './paper.js';
import type { PathLengths } from './path-length.js';
import type { Speed } from './speed.js';

/** In smaller rings ½·log2 N is not a good estimate. */
export const PATH_LENGTH_NODES_MIN = 256;

const PATH_LENGTH_TOLERANCE = 0.05;
const PATH_WITH_LISTS_TOLERANCE = 0.03;
const SPEED = { seconds: 300, peakMiB: 8_192, virtualOverReal: 100 };

export function isPathLengthMet({ nodes, forwards }: PathLengths): boolean {
  const ratio = forwards.mean / expectedForwards(nodes);
  return Math.abs(ratio - 1) <= PATH_LENGTH_TOLERANCE;
}

export function isPathWithListsMet({ withOwner }: PathLengths): boolean {
  const ratio = withOwner.mean / PATH_LENGTH_1000_20;
  return Math.abs(ratio - 1) <= PATH_WITH_LISTS_TOLERANCE;
}

export function isFailureMet(row: FailureRow, paper: FailureFigures): boolean {
  const isShort = row.pathLength.mean <= paper.pathLength.mean * (1 + PATH_LENGTH_TOLERANCE);
  return row.failed === 0 && isShort;
}

export function isChurnMet({ failed, lookups }: ChurnRow, paper: ChurnFigures): boolean {
  return (failed / lookups) * 10_000 <= paper.failuresPer10000;
}

export function isSpeedMet({ seconds, peakMiB, virtualOverReal }: Speed): boolean {
  return (
    seconds < SPEED.seconds && peakMiB < SPEED.peakMiB && virtualOverReal >= SPEED.virtualOverReal
  );
}
