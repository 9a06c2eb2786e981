/** What a run has shown, as text or JSON. */
import type { RunVerdict } from './run.js';

/** Whether a rule was broken, a lookup wrong, or the ring did not become ideal. */
export function failed({ violations, settledMs, lookups }: RunVerdict): boolean {
  return violations.length > 0 || settledMs === undefined || lookups.wrong > 0;
}

/** A verdict for people; of a run that failed with its end and the command that repeats it. */
export function describeVerdict(verdict: RunVerdict, minutes: number): string {
  const { seed, nodes, events, virtualMs, checker, lookups, settledMs, violations } = verdict;
  const faults = Object.entries(verdict.faults).map(([kind, count]) => `${count} ${kind}`);
  const lines = [
    `seed ${seed}: ${nodes} nodes, ${events} events in ${Math.round(virtualMs / 1_000)} virtual s`,
    `  faults: ${faults.join(', ')}`,
    `  invariants: ${checker.checks} checks, ${checker.disturbances} times disturbed, ${violations.length} violations`,
    `  lookups: ${lookups.asked} asked, ${lookups.answered} answered, ${lookups.wrong} wrong`,
    `  ideal ring: ${settledMs === undefined ? 'not reached' : `${settledMs} ms after the faults`}`,
  ];
  if (failed(verdict)) {
    lines.push(
      ...violations.map(({ rule, text, peers }) => {
        return `  ${rule}: ${text} (${peers.map(({ address }) => address).join(', ')})`;
      }),
      ...verdict.trace.map((line) => `    ${line}`),
      `  reproduce with: ringbinder simulate --seed ${seed} --minutes ${minutes}`,
    );
  }
  return lines.join('\n');
}

export function summarize(verdicts: readonly RunVerdict[]): string {
  const sum = (pick: (verdict: RunVerdict) => number): number =>
    verdicts.reduce((total, verdict) => total + pick(verdict), 0);
  const settled = verdicts.flatMap(({ settledMs }) => settledMs ?? []);
  return [
    `${verdicts.length} seeds, ${verdicts.filter(failed).length} failed`,
    `${sum(({ events }) => events)} events, ${sum(({ checker }) => checker.checks)} checks`,
    `${sum(({ lookups }) => lookups.asked)} lookups, ${sum(({ lookups }) => lookups.wrong)} wrong`,
    `slowest to the ideal ring: ${Math.max(0, ...settled)} ms`,
  ].join('\n');
}
