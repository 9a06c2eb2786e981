/** The measurements as a document: each table beside the paper's figures, with its counting rule. */
import { TICK_MS, TRIES, TRY_TIMEOUT_MS } from '../../services/simulator/world.js';
import { LOOKUPS_PER_SECOND, type ChurnRow } from './churn.js';
import type { LoadRow } from './load-balance.js';
import type { FailureRow } from './massive-failure.js';
import { FAILURE_DRAWS, type Measurements } from './measurements.js';
import {
  expectedForwards,
  FIGURE_8,
  FIGURE_9,
  PATH_LENGTH_1000_20,
  TABLE_2,
  TABLE_3,
} from './paper.js';
import type { PathLengths } from './path-length.js';
import type { Speed } from './speed.js';
import type { Summary } from './statistics.js';
import {
  isChurnMet,
  isFailureMet,
  isPathLengthMet,
  isPathWithListsMet,
  isSpeedMet,
  PATH_LENGTH_NODES_MIN,
} from './targets.js';

/** `plots` is the folder of the plots, seen from the document. */
export function writeDocument(measured: Measurements, plots: string): string {
  const sections = [
    INTRODUCTION,
    pathSection(measured, plots),
    failureSection(measured),
    churnSection(measured),
    loadSection(measured, plots),
    speedSection(measured.speed),
  ];
  return `${sections.join('\n\n')}\n`;
}

const INTRODUCTION = `# Chord's tables, measured

The experiments of "Chord: A Scalable Peer-to-peer Lookup Protocol for Internet Applications" (Stoica
et al., IEEE/ACM Transactions on Networking, 2003, section V), repeated with the ring core of this
repository in its simulator. \`npm run bench chord-tables\` measures everything and writes this page and
its plots; with \`-- --quick\` it measures a slice in half a minute and only prints. All seeds are
fixed: the tables are the same on every machine, the last section is not.

Where an entry reads "mean (1st, 99th)", the numbers in brackets are percentiles, by nearest rank.

- Rings are grown by real joins, and measured once every pointer and every finger is true.
- The search for peers of another ring, which Chord does not have, is off.
- Lookups are iterative: the peer that looks up asks each peer on the way itself.
- A question that nobody answers is tried ${TRIES} times, ${TRY_TIMEOUT_MS} ms each, before its peer is passed over; all tries
  together are one time-out. The paper's time-out is one try of 500 ms.`;

function pathSection({ paths, pathWithLists, scale }: Measurements, plots: string): string {
  const rows = paths.map((row) => {
    const { nodes, forwards, rings } = row;
    const expected = expectedForwards(nodes);
    const hasTarget = nodes >= PATH_LENGTH_NODES_MIN;
    return [
      thousands(nodes),
      rings,
      triple(forwards),
      expected.toFixed(1),
      (forwards.mean / expected).toFixed(3),
      hasTarget ? verdict(isPathLengthMet(row)) : '',
    ];
  });
  return `## Path length (Figure 10)

Counted: the peers asked on the way. Neither the peer that looks up nor the owner counts, which is what
½·log2 N describes. Lists of one successor, ${thousands(scale.lookups)} lookups of random positions by random peers, spread
evenly over the rings of a row. Target: within 5 % for N of ${PATH_LENGTH_NODES_MIN} and more.

${table(['N', 'rings', 'forwards', '½·log2 N', 'ratio', 'target'], rows)}

![Path length by ring size](${plots}/path-length.svg)

![Share of lookups by path length](${plots}/path-length-pdf.svg)

${withLists(pathWithLists)}`;
}

function withLists(row: PathLengths): string {
  const { nodes, successorsMax, withOwner, forwards } = row;
  const cells = [
    [
      thousands(nodes),
      successorsMax,
      triple(withOwner),
      PATH_LENGTH_1000_20.toFixed(2),
      triple(forwards),
      verdict(isPathWithListsMet(row)),
    ],
  ];
  return `With lists of ${successorsMax}, the paper measured ${PATH_LENGTH_1000_20} at N = 1,000 (½·log2 N − ½·log2 r + 1 = 3.82). Counted here: every peer
that answered, the owner among them; 0 where a peer owns the position itself. Target: within 3 %.

${table(['N', 'r', 'with the owner', 'paper', 'without the owner', 'target'], cells)}`;
}

function failureSection({ failures, scale }: Measurements): string {
  return `## Many failures at once (Table II)

${thousands(scale.nodes)} peers, lists of 20. A share of them dies at one moment; ${thousands(scale.lookups)} lookups by those that live run on
the state of that moment, so that nobody stabilizes or repairs anything. Who dies matters much: the
dead of each row are drawn ${FAILURE_DRAWS} times, for a ${FAILURE_DRAWS}th of the lookups each.

Counted as path length: the distinct peers that answered, the owner among them. A peer that named a
dead one is asked again and does not count twice; "answers" counts each time. A lookup has failed when
it does not end at the first living peer at or after its position. Target: no failed lookup, and a path
no more than 5 % longer than the paper's.

${table(
  ['dead', 'path length', 'paper', 'answers', 'time-outs', 'paper', 'failed', 'target'],
  failures.map(failureCells),
)}`;
}

function failureCells(row: FailureRow, index: number): Cells {
  const paper = TABLE_2[index];
  if (paper === undefined) throw new Error('a row that the paper does not have');
  return [
    row.fraction,
    triple(row.pathLength),
    triple(paper.pathLength),
    triple(row.answers),
    triple(row.timeouts),
    triple(paper.timeouts),
    row.failed,
    verdict(isFailureMet(row, paper)),
  ];
}

function churnSection({ churn, scale }: Measurements): string {
  return `## Peers that come and go (Table III)

About ${thousands(scale.nodes)} peers, lists of 20. Joins and leaves are Poisson processes of the same rate. Lookups are one of
${LOOKUPS_PER_SECOND} each second, where the paper has one: they change nothing, so that the same churn is only seen more
often. A leaving peer crashes: it says nothing. Every peer looks at its successor every 30 s,
the middle of the paper's 15 to 45 s, and goes round its finger table as often. Packets take 0 to
100 ms one way, 50 ms in the mean. Churn runs for two minutes before the first lookup counts.

Counted as path length: the distinct peers that answered, the owner among them. A lookup has failed when
it names nobody, or another peer than the first living member at or after the position at the moment
the lookup ends; whoever has joined is a member, known to others or not. A lookup whose own peer dies
does not count. Target: no more failures than the paper's.

${table(
  [
    'joins and leaves per s',
    'path length',
    'paper',
    'time-outs',
    'paper',
    'lookups',
    'failed',
    'per 10,000',
    'paper',
    'peers at the end',
    'target',
  ],
  churn.map(churnCells),
)}`;
}

function churnCells(row: ChurnRow, index: number): Cells {
  const paper = TABLE_3[index];
  if (paper === undefined) throw new Error('a row that the paper does not have');
  return [
    row.perSecond.toFixed(2),
    triple(row.pathLength),
    triple(paper.pathLength),
    triple(row.timeouts),
    triple(paper.timeouts),
    thousands(row.lookups),
    row.failed,
    ((row.failed / row.lookups) * 10_000).toFixed(1),
    paper.failuresPer10000,
    thousands(row.membersAtEnd),
    verdict(isChurnMet(row, paper)),
  ];
}

function loadSection(measured: Measurements, plots: string): string {
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

function speedSection(speed: Speed): string {
  const { nodes, lookups, seconds, peakMiB, virtualOverReal } = speed;
  return `## Speed, on the machine that wrote this page

These figures differ from machine to machine. A ring of ${thousands(nodes)} peers, grown by joins until every pointer
and finger is true, and ${thousands(lookups)} lookups: ${seconds.toFixed(0)} s, ${peakMiB.toFixed(0)} MiB at the peak (target: 300 s, 8,192 MiB). 100 peers with default limits
and no faults: virtual time passes ${virtualOverReal.toFixed(0)} times as fast as real time (target: 100). Targets: ${verdict(isSpeedMet(speed))}.
A tick is ${TICK_MS} ms.`;
}

// Markdown

type Cells = readonly (string | number)[];

function table(headings: readonly string[], rows: readonly Cells[]): string {
  const line = (cells: Cells): string => `| ${cells.join(' | ')} |`;
  return [line(headings), line(headings.map(() => '---')), ...rows.map(line)].join('\n');
}

function triple({ mean, first, last }: Summary): string {
  return `${mean.toFixed(2)} (${first}, ${last})`;
}

function thousands(count: number): string {
  return count.toLocaleString('en-US');
}

function verdict(isMet: boolean): string {
  return isMet ? 'met' : 'missed';
}
