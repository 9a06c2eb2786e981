/** The path lengths as a section of the document. */
import { table, thousands, triple, verdict } from './markdown.js';
import type { Measurements } from './measurements.js';
import { expectedForwards, PATH_LENGTH_1000_20 } from './paper.js';
import type { PathLengths } from './path-length.js';
import { isPathLengthMet, isPathWithListsMet, PATH_LENGTH_NODES_MIN } from './targets.js';

export function pathSection({ paths, pathWithLists, scale }: Measurements, plots: string): string {
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
