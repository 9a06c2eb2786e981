/** What a run has shown, as text. */
import type { Plan } from '../../../services/simulator/plan.js';
import type { RunVerdict } from '../../../services/simulator/run.js';
import type { TableStats } from '../../../services/simulator/table/history.js';
import { failureOf } from '../../../services/simulator/shrink.js';
import { planText } from './plan-file.js';

export type Replay = {
  /** The arguments that repeat this very run. */
  readonly command: string;
  /** A smaller plan that fails in the same way, with the same seed. */
  readonly smallerPlan: Plan;
};

/** A verdict for people; of a run that failed with its end, and how to repeat it. */
export function describeVerdict(verdict: RunVerdict, replay: Replay | undefined): string {
  const { seed, nodes, successors, events, virtualMs, checker, lookups, traffic } = verdict;
  const faults = Object.entries(verdict.faults).map(([kind, count]) => `${count} ${kind}`);
  const peerSecond = `${traffic.messagesPerPeerSecond} messages, ${traffic.bytesPerPeerSecond} bytes`;
  const hops = lookups.answered === 0 ? 0 : lookups.hops / lookups.answered;
  const lines = [
    `seed ${seed}: ${nodes} nodes, ${successors} successors each, ${events} events in ${seconds(virtualMs)} virtual s`,
    `  faults: ${faults.length === 0 ? 'none' : faults.join(', ')}`,
    `  invariants: ${checker.checks} states judged, model left ${checker.disturbances} times, ${verdict.violations.length} violations`,
    `  lookups: ${lookups.asked} asked, ${lookups.answered} answered, ${lookups.wrong} wrong, ${hops.toFixed(2)} hops, ${lookups.timeouts} time-outs`,
    `  traffic: ${traffic.messages} messages, ${traffic.bytes} bytes; per peer and second ${peerSecond}`,
    ...(verdict.table === undefined ? [] : [tableLine(verdict.table)]),
    `  ideal ring: ${settlingOf(verdict)}`,
  ];
  if (replay !== undefined) lines.push(...failureLines(verdict, replay));
  return lines.join('\n');
}

function tableLine({ calls, done, refused, judgedReads, views }: TableStats): string {
  return `  table: ${calls} calls, ${done} done, ${refused} refused; ${judgedReads} reads held against what was known, ${views} views`;
}

function settlingOf({ phase, settledMs }: RunVerdict): string {
  if (phase !== 'over') return `stopped before, in the phase “${phase}”`;
  return settledMs === undefined ? 'not reached' : `${settledMs} ms after the faults`;
}

function failureLines(verdict: RunVerdict, { command, smallerPlan }: Replay): readonly string[] {
  const { seed, violations, trace } = verdict;
  return [
    ...violations.map(({ rule, text, peers }) => {
      return `  ${rule}: ${text} (${peers.map(({ address }) => address).join(', ')})`;
    }),
    ...trace.map((line) => `    ${line}`),
    `  replay it: ringbinder simulate ${command}`,
    `  a smaller plan fails in the same way; with it in plan.yaml: ringbinder simulate --seed ${seed} --plan plan.yaml`,
    ...planText(smallerPlan)
      .trimEnd()
      .split('\n')
      .map((line) => `    ${line}`),
  ];
}

export type Summary = {
  readonly seeds: number;
  readonly failed: readonly number[];
  readonly events: number;
  readonly checks: number;
  readonly lookups: number;
  readonly wrongLookups: number;
  readonly virtualSeconds: number;
  /** Of runs with a table. */
  readonly tableCalls?: number;
  readonly tableRefused?: number;
  readonly settledMsMedian: number;
  readonly settledMsMax: number;
};

export function summarize(verdicts: readonly RunVerdict[]): Summary {
  const sum = (pick: (verdict: RunVerdict) => number): number =>
    verdicts.reduce((total, verdict) => total + pick(verdict), 0);
  const settled = verdicts.flatMap(({ settledMs }) => settledMs ?? []).sort((a, b) => a - b);
  return {
    seeds: verdicts.length,
    failed: verdicts.filter((it) => failureOf(it) !== undefined).map(({ seed }) => seed),
    events: sum(({ events }) => events),
    checks: sum(({ checker }) => checker.checks),
    lookups: sum(({ lookups }) => lookups.asked),
    wrongLookups: sum(({ lookups }) => lookups.wrong),
    virtualSeconds: Math.round(sum(({ virtualMs }) => virtualMs) / 1_000),
    ...(verdicts.some(({ table }) => table !== undefined) && {
      tableCalls: sum(({ table }) => table?.calls ?? 0),
      tableRefused: sum(({ table }) => table?.refused ?? 0),
    }),
    settledMsMedian: settled[settled.length >> 1] ?? 0,
    settledMsMax: settled.at(-1) ?? 0,
  };
}

export function describeSummary(summary: Summary): string {
  const { failed } = summary;
  const which = failed.length === 0 ? '' : `: ${failed.slice(0, 20).join(', ')}`;
  return [
    `${summary.seeds} seeds, ${failed.length} failed${which}`,
    `${summary.events} events in ${summary.virtualSeconds} virtual s, ${summary.checks} states judged`,
    `${summary.lookups} lookups, ${summary.wrongLookups} wrong`,
    ...(summary.tableCalls === undefined
      ? []
      : [`${summary.tableCalls} calls on the table, ${summary.tableRefused} refused`]),
    `ideal ring after the faults: median ${summary.settledMsMedian} ms, slowest ${summary.settledMsMax} ms`,
  ].join('\n');
}

function seconds(ms: number): number {
  return Math.round(ms / 1_000);
}
