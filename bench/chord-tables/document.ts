/** The measurements as a document: each table beside the paper's figures, with its counting rule. */
import { TRIES, TRY_TIMEOUT_MS } from '../../services/simulator/exchange.js';
import { TICK_MS } from '../../services/simulator/world.js';
import { churnSection, failureSection } from './failure-section.js';
import { loadSection } from './load-section.js';
import { thousands, verdict } from './markdown.js';
import type { Measurements } from './measurements.js';
import { pathSection } from './path-section.js';
import type { Speed } from './speed.js';
import { isSpeedMet } from './targets.js';

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

function speedSection(speed: Speed): string {
  const { nodes, lookups, seconds, peakMiB, virtualOverReal } = speed;
  return `## Speed, on the machine that wrote this page

These figures differ from machine to machine. A ring of ${thousands(nodes)} peers, grown by joins until every pointer
and finger is true, and ${thousands(lookups)} lookups: ${seconds.toFixed(0)} s, ${peakMiB.toFixed(0)} MiB at the peak (target: 300 s, 8,192 MiB). 100 peers with default limits
and no faults: virtual time passes ${virtualOverReal.toFixed(0)} times as fast as real time (target: 100). Targets: ${verdict(isSpeedMet(speed))}.
A tick is ${TICK_MS} ms.`;
}
