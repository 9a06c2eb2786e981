/** Failures and churn as sections of the document. */
import { LOOKUPS_PER_SECOND, type ChurnRow } from './churn.js';
import { table, thousands, triple, verdict, type Cells } from './markdown.js';
import type { FailureRow } from './massive-failure.js';
import { FAILURE_DRAWS, type Measurements } from './measurements.js';
import { TABLE_2, TABLE_3 } from './paper.js';
import { isChurnMet, isFailureMet } from './targets.js';

export function failureSection({ failures, scale }: Measurements): string {
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

export function churnSection({ churn, scale }: Measurements): string {
  return `## Peers that come and go (Table III)

About ${thousands(scale.nodes)} peers, lists of 20. Joins and leaves are Poisson processes of the same rate. Lookups are one of
${LOOKUPS_PER_SECOND} each second, where the paper has one: they change nothing, so that the same churn is only seen more
often. A leaving peer crashes: it says nothing. Every peer looks at its successor every 30 s,
the middle of the paper's 15 to 45 s, and goes round its finger table as often. Packets take 0 to
100 ms one way, 50 ms in the mean. Churn runs for two minutes before the first lookup counts.

Counted as path length: the distinct peers that answered, the owner among them. A lookup has failed when
it names nobody, or another peer than the first living member at or after the position at the moment
the lookup ends. Whoever joins is a member and owns its positions at once, and the others learn of it a
few packets later: a lookup that ends in between counts as failed. One whose own peer dies does not
count. Target: no more failures than the paper's.

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
