/** The load tables as a section of the document. */
import type { LoadRow } from './load-balance.js';
import { table, thousands, triple, type Cells } from './markdown.js';
import type { Measurements } from './measurements.js';
import { FIGURE_8, FIGURE_9 } from './paper.js';

export function loadSection(measured: Measurements, plots: string): string {
  const { loadByKeys, loadByVirtualNodes, scale } = measured;
  const { keys, fullestKeys, last, fullest } = FIGURE_8;
  const [one, twenty] = FIGURE_9;
  return `## Load balance (Figures 8 and 9)

Keys of each of ${thousands(scale.loadPeers)} peers. Keys and addresses get their positions by the digest that nodes use
(SHA-256); a key belongs to the first peer at or after it. Multiples are of the mean.

The paper at ${thousands(keys)} keys: fullest peer ${fullestKeys} keys, ${fullest} times the mean; 99th percentile ${last} times;
some peers empty.

${table(LOAD_HEADINGS, loadByKeys.map(loadCells))}

![Keys of a peer by number of keys](${plots}/load-by-keys.svg)

A peer with v virtual nodes stands at v places. The paper at ${thousands(1_000_000)} keys: from ${one?.virtualNodes} to ${twenty?.virtualNodes} virtual nodes the
99th percentile goes from ${one?.last} to ${twenty?.last} times the mean, the 1st from ${one?.first} to ${twenty?.first} times.

${table(LOAD_HEADINGS, loadByVirtualNodes.map(loadCells))}

![Keys of a peer by virtual nodes](${plots}/load-by-virtual-nodes.svg)`;
}

const LOAD_HEADINGS = [
  'keys',
  'virtual nodes',
  'keys of a peer',
  '1st / mean',
  '99th / mean',
  'fullest / mean',
  'empty peers',
];

function loadCells({ keys, virtualNodes, keysOfPeer, fullest, empty }: LoadRow): Cells {
  const { mean, first, last } = keysOfPeer;
  return [
    thousands(keys),
    virtualNodes,
    triple(keysOfPeer),
    (first / mean).toFixed(2),
    (last / mean).toFixed(2),
    (fullest / mean).toFixed(2),
    empty,
  ];
}
