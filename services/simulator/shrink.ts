/**
 * From a plan that makes a run fail to a smaller one that makes it fail in the same way.
 *
 * Random choices are written out as they were made. The network becomes calm and the ring smaller, where the run still fails; then faults are left out,
 * first by halves and then one by one (delta debugging: Zeller and Hildebrandt, 2002).
 */
import { CALM, type Fault, type Plan } from './plan.js';
import { runSimulation, runToEnd, type RunOptions, type RunVerdict } from './run.js';

/** Most events that all runs for one failure may take together, and most runs. */
const EVENTS_MAX = 10_000_000;
const RUNS_MAX = 400;
const TAIL_MS = 1_000;
const STILL_MS = 5;
/** Faults that rarely are what matters. */
const NUISANCES: ReadonlySet<Fault['kind']> = new Set(['network', 'slow', 'clock']);

/** How a run fails: the rule broken first, or what it lacks at the end; undefined when it does not. */
export function failureOf({
  violations,
  settledMs,
  lookups,
  phase,
}: RunVerdict): string | undefined {
  const [violation] = violations;
  if (violation !== undefined) return violation.rule;
  if (lookups.wrong > 0) return 'WRONG_LOOKUP';
  return phase === 'over' && settledMs === undefined ? 'NOT_IDEAL' : undefined;
}

export function shrink(options: RunOptions, failure: string): Plan {
  let runs = 0;
  let events = 0;
  const stillFails = (plan: Plan): boolean => {
    if (runs >= RUNS_MAX || events >= EVENTS_MAX) return false;
    const verdict = runSimulation({ ...options, plan });
    runs += 1;
    events += verdict.events;
    return failureOf(verdict) === failure;
  };
  const tryEach = (start: Plan, changes: readonly Smaller[]): Plan =>
    changes.reduce((plan, smaller) => {
      const candidate = smaller(plan);
      return candidate !== undefined && stillFails(candidate) ? candidate : plan;
    }, start);
  // Whom faults hit must not change when others are left out.
  const written = tryEach(options.plan, [() => runToEnd(options).happened]);
  const simpler = tryEach(written, [calmer, still, withoutNuisances, ...FEWER_NODES]);
  return tryEach(leaveOutFaults(simpler, stillFails), [calmer, still, shorter, ...FEWER_NODES]);
}

function leaveOutFaults(plan: Plan, stillFails: (plan: Plan) => boolean): Plan {
  let { faults } = plan;
  let size = Math.ceil(faults.length / 2);
  while (size >= 1) {
    const before = faults.length;
    for (let start = 0; start < faults.length;) {
      const fewer: readonly Fault[] = [...faults.slice(0, start), ...faults.slice(start + size)];
      if (stillFails({ ...plan, faults: fewer })) faults = fewer;
      else start += size;
    }
    if (size === 1 && faults.length === before) break;
    size = Math.max(1, Math.floor(size / 2));
  }
  return { ...plan, faults };
}

type Smaller = (plan: Plan) => Plan | undefined;

const calmer: Smaller = (plan) => ({ ...plan, network: CALM });

/** With delays that never vary, leaving a fault out changes less of what comes after it. */
const still: Smaller = (plan) => {
  const delay = { distribution: 'constant', value: STILL_MS } as const;
  return { ...plan, network: { ...CALM, delay } };
};

const withoutNuisances: Smaller = (plan) => ({
  ...plan,
  faults: plan.faults.filter(({ kind }) => !NUISANCES.has(kind)),
});

const shorter: Smaller = (plan) => {
  const lastAt = plan.faults.at(-1)?.at ?? 0;
  return { ...plan, time: Math.min(plan.time, lastAt + TAIL_MS) };
};

const FEWER_NODES: readonly Smaller[] = [0.5, 0.5, 0.75, 0.75, 0.9, 0.9].map((share) => (plan) => {
  const nodes = Math.floor(plan.nodes * share);
  return nodes < plan.successors + 1 ? undefined : { ...plan, nodes };
});
