import { describe, expect, it } from 'vitest';
import { drawPlan, drawRated } from '../../services/simulator/draw-plan.js';
import { CALM, type Plan } from '../../services/simulator/plan.js';
import { Run, runSimulation } from '../../services/simulator/run.js';

const SETTLE_MS_MAX = 120_000;
const FIXED_SEEDS = Array.from({ length: 20 }, (_, index) => index + 1);
/** Seeds of runs that failed before their bug was mended. */
const FAILED_ONCE = [
  27, 32, 37, 65, 72, 79, 86, 113, 138, 212, 287, 334, 411, 430, 1451, 5017, 106822,
];

const run = (seed: number, plan: Plan = drawPlan({ seed, time: 30_000 })) =>
  runSimulation({ seed, plan, settleMsMax: SETTLE_MS_MAX });

describe('runSimulation', () => {
  it.each([...FIXED_SEEDS, ...FAILED_ONCE])('keeps every rule with seed %i', (seed) => {
    const verdict = run(seed);
    expect(verdict.violations, verdict.trace.join('\n')).toEqual([]);
    expect(verdict.settledMs, verdict.trace.join('\n')).toBeDefined();
    expect(verdict.lookups.wrong).toBe(0);
    expect(verdict.lookups.answered).toBeGreaterThan(100);
    expect(verdict.checker.checks).toBeGreaterThan(100);
  });

  it('keeps every rule in the run whose ring once went round twice', () => {
    const verdict = run(1451, drawPlan({ seed: 1451, time: 60_000 }));
    expect(verdict).toMatchObject({ violations: [], lookups: { wrong: 0 } });
    expect(verdict.settledMs).toBeDefined();
  });

  it('gives the same verdict for the same seed, and another for another', () => {
    expect(run(5)).toEqual(run(5));
    expect(run(5).events).not.toBe(run(6, drawPlan({ seed: 5, time: 30_000 })).events);
  });

  it('tries every kind of fault within the fixed seeds', () => {
    const kinds = FIXED_SEEDS.flatMap((seed) => Object.keys(run(seed).faults));
    expect([...new Set(kinds)].sort()).toEqual(
      [
        ...['clock', 'crash', 'crash against the model', 'join', 'leave', 'mend', 'network'],
        ...['partition both', 'partition in', 'partition out', 'pause', 'restart', 'slow'],
      ].sort(),
    );
  });
});

describe('a plan', () => {
  const CALM_PLAN: Plan = { nodes: 8, successors: 3, time: 20_000, network: CALM, faults: [] };
  const at = (ms: number) => ({ at: ms, draw: 1 });

  it('without faults leaves the ring as it is', () => {
    const verdict = run(3, CALM_PLAN);
    expect(verdict).toMatchObject({ faults: {}, settledMs: 0, nodes: 8, phase: 'over' });
    expect(verdict.lookups.answered).toBe(verdict.lookups.asked);
  });

  it('hits whom it names, when it says', () => {
    const faults = [
      { ...at(1_000), kind: 'crash', nodes: ['p2', 'p5'], onlyIfLegal: true },
    ] as const;
    expect(run(3, { ...CALM_PLAN, faults }).faults).toEqual({ crash: 2 });
  });

  it('spares whom the model does not let go, where it asks for that', () => {
    const all = { ...at(1_000), kind: 'crash', share: 1 } as const;
    const careful = run(3, { ...CALM_PLAN, faults: [{ ...all, onlyIfLegal: true }] });
    const careless = run(3, { ...CALM_PLAN, faults: [{ ...all, onlyIfLegal: false }] });
    // r + 1 = 4 members must stay; without care, only the last one is spared.
    expect(careful.faults).toEqual({ crash: 4 });
    const { crash = 0, 'crash against the model': illegal = 0 } = careless.faults;
    expect(crash + illegal).toBe(7);
    expect(illegal).toBeGreaterThan(0);
    expect(careless.checker.disturbances).toBeGreaterThan(careful.checker.disturbances);
  });

  it('brings back what it crashes for a while', () => {
    const crash = { ...at(1_000), kind: 'crash', count: 2, onlyIfLegal: true, for: 3_000 } as const;
    expect(run(3, { ...CALM_PLAN, faults: [crash] }).faults).toEqual({ crash: 2, restart: 2 });
  });

  it.each(['both', 'in', 'out'] as const)(
    'cuts the ring in direction %s, and it heals',
    (direction) => {
      const faults = [
        { ...at(1_000), kind: 'partition', share: 0.5, direction, for: 9_000 },
      ] as const;
      const verdict = run(3, { ...CALM_PLAN, faults });
      expect(verdict.checker.disturbances).toBeGreaterThan(0);
      expect(verdict.settledMs).toBeDefined();
    },
  );

  it('makes slow peers slow, and clocks wrong', () => {
    const calm = run(3, CALM_PLAN);
    const runWith = (fault: Plan['faults'][number]) => run(3, { ...CALM_PLAN, faults: [fault] });
    const slow = runWith({ ...at(0), kind: 'slow', share: 1, delay: 400 });
    const fast = runWith({ ...at(0), kind: 'clock', share: 1, rate: 2 });
    // Slow peers still owe answers at the end; fast clocks ask more often.
    expect(slow.lookups.asked - slow.lookups.answered).toBeGreaterThan(5);
    expect(calm.lookups.asked - calm.lookups.answered).toBeLessThan(2);
    expect(fast.traffic.messages).toBeGreaterThan(1.2 * calm.traffic.messages);
  });

  it('can be written out as it happened, and happens again', () => {
    const plan = drawPlan({ seed: 8, time: 20_000 });
    const options = { seed: 8, settleMsMax: SETTLE_MS_MAX };
    const drawn = new Run({ ...options, plan });
    while (drawn.slice());
    const written = drawn.happened;
    expect(written.faults.every((it) => !('nodes' in it) || it.nodes !== undefined)).toBe(true);
    // What did nothing had its moment all the same.
    const events = expect.any(Number) as number;
    const again = runSimulation({ ...options, plan: written });
    expect(again).toEqual({ ...drawn.verdict(), events });
  });

  it('calls new nodes as it says, and none twice', () => {
    const join = { ...at(1_000), kind: 'join', nodes: ['p20', 'p3'] } as const;
    expect(run(3, { ...CALM_PLAN, faults: [join, { ...join, at: 2_000 }] }).faults).toEqual({
      join: 1,
    });
  });

  it('can be stopped anywhere', () => {
    const stopped = new Run({ seed: 3, plan: drawPlan({ seed: 3, time: 60_000 }), settleMsMax: 1 });
    stopped.slice();
    stopped.slice();
    expect(stopped.verdict()).toMatchObject({ violations: [], settledMs: undefined, trace: [] });
    expect(stopped.progress).toBeGreaterThan(0);
    expect(stopped.progress).toBeLessThan(1);
  });
});

describe('drawRated', () => {
  it('draws so many faults a minute', () => {
    const faults = drawRated(1, { join: 60, crash: 30 }, 600_000);
    const count = (kind: string) => faults.filter((fault) => fault.kind === kind).length;
    expect(count('join')).toBeGreaterThan(500);
    expect(count('join')).toBeLessThan(700);
    expect(count('crash')).toBeGreaterThan(240);
    expect(count('crash')).toBeLessThan(360);
    expect(faults.every(({ at }, index) => at >= (faults[index - 1]?.at ?? 0))).toBe(true);
  });
});
