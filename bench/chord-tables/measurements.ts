/** All measurements, one after the other; progress on stderr. */
import { measureChurn, type ChurnRow } from './churn.js';
import { keyPositions, measureLoad, type LoadRow } from './load-balance.js';
import { measureFailures, type FailureRow } from './massive-failure.js';
import { TABLE_2, TABLE_3 } from './paper.js';
import { measurePathLength, type PathLengths } from './path-length.js';
import type { Scale } from './scale.js';
import { measureVirtualOverReal, peakMiB, type Speed } from './speed.js';

/** Successors in the paper's simulations with lists. */
const SUCCESSORS = 20;
const VIRTUAL_NODES = [1, 2, 5, 10, 20];
/** Small rings are measured in several instances, as many as make this many peers. */
const PEERS_IN_ALL = 4_096;
const RINGS_MAX = 16;
export const FAILURE_DRAWS = 10;

export type Measurements = {
  readonly scale: Scale;
  /** With lists of one successor, smallest ring first. */
  readonly paths: readonly PathLengths[];
  readonly pathWithLists: PathLengths;
  readonly failures: readonly FailureRow[];
  readonly churn: readonly ChurnRow[];
  readonly loadByKeys: readonly LoadRow[];
  readonly loadByVirtualNodes: readonly LoadRow[];
  readonly speed: Speed;
};

export function measureAll(scale: Scale): Measurements {
  const { nodes, lookups, ringSizes } = scale;
  const largest = Math.max(...ringSizes);
  // First, so that the peak of memory is its own.
  const { value: largestPaths, seconds } = timed(`path length, N = ${largest}`, () =>
    measurePathLength(pathOptions(scale, largest)),
  );
  const speed = { nodes: largest, lookups, seconds, peakMiB: peakMiB() };
  const positions = keyPositions(Math.max(...scale.keyCounts));
  return {
    scale,
    paths: [
      ...ringSizes
        .filter((size) => size < largest)
        .map((size) =>
          report(`path length, N = ${size}`, () => measurePathLength(pathOptions(scale, size))),
        ),
      largestPaths,
    ],
    pathWithLists: report(`path length, r = ${SUCCESSORS}`, () =>
      measurePathLength({ nodes, successorsMax: SUCCESSORS, lookups, rings: 1 }),
    ),
    failures: report('massive failure', () =>
      measureFailures({
        nodes,
        successorsMax: SUCCESSORS,
        lookups,
        draws: FAILURE_DRAWS,
        fractions: TABLE_2.map(({ fraction }) => fraction),
      }),
    ),
    churn: TABLE_3.map(({ perSecond }) =>
      report(`churn, ${perSecond} per s`, () =>
        measureChurn({ nodes, successorsMax: SUCCESSORS, lookups: scale.churnLookups, perSecond }),
      ),
    ),
    loadByKeys: scale.keyCounts.map((keys) =>
      measureLoad(positions.slice(0, keys), scale.loadPeers, 1),
    ),
    loadByVirtualNodes: VIRTUAL_NODES.map((virtualNodes) =>
      measureLoad(positions, scale.loadPeers, virtualNodes),
    ),
    speed: { ...speed, virtualOverReal: measureVirtualOverReal() },
  };
}

function pathOptions({ lookups }: Scale, nodes: number): Parameters<typeof measurePathLength>[0] {
  const rings = Math.min(RINGS_MAX, Math.max(1, Math.floor(PEERS_IN_ALL / nodes)));
  return { nodes, successorsMax: 1, lookups, rings };
}

function report<Value>(what: string, measure: () => Value): Value {
  return timed(what, measure).value;
}

function timed<Value>(what: string, measure: () => Value): { value: Value; seconds: number } {
  const startMs = performance.now();
  const value = measure();
  const seconds = (performance.now() - startMs) / 1_000;
  process.stderr.write(`chord-tables: ${what}: ${seconds.toFixed(1)} s\n`);
  return { value, seconds };
}
