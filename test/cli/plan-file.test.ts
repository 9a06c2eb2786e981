import { describe, expect, it } from 'vitest';
import { PLAN_BYTES_MAX, planText, readPlan } from '../../clients/cli/simulate/plan-file.js';
import { drawPlan } from '../../services/simulator/draw-plan.js';

const read = (text: string | Buffer, overrides = {}) =>
  readPlan('plan.yaml', Buffer.from(text), { seed: 7, ...overrides });

const PLAN = `nodes: 12
time: 3m
network:
  loss: 0.05
  delay: { distribution: exponential, mean: 20ms }
faults:
  - at: 1.5s
    kind: partition
    nodes: [p1, p2]
    direction: in
    for: 5s
  - { at: 2m, kind: crash }
`;

describe('readPlan', () => {
  it('reads what is said, and fills in the rest', () => {
    expect(read(PLAN)).toEqual({
      nodes: 12,
      successors: 4,
      time: 180_000,
      network: {
        loss: 0.05,
        duplication: 0,
        reordering: 0,
        delay: { distribution: 'exponential', mean: 20 },
      },
      faults: [
        {
          at: 1_500,
          kind: 'partition',
          nodes: ['p1', 'p2'],
          direction: 'in',
          for: 5_000,
          draw: expect.any(Number) as number,
        },
        { at: 120_000, kind: 'crash', onlyIfLegal: false, draw: expect.any(Number) as number },
      ],
    });
  });

  it.each(['', '# nothing\n', '{}'])('reads %j as a ring at rest', (text) => {
    expect(read(text)).toMatchObject({ nodes: 10, time: 60_000, faults: [] });
  });

  it('lets the command line have its way', () => {
    expect(read(PLAN, { nodes: 3, time: 1_000 })).toMatchObject({ nodes: 3, time: 1_000 });
  });

  it('puts faults at a rate between those at a time', () => {
    const { faults } = read(`${PLAN}rates: { join: 60 }\n`);
    expect(faults.length).toBeGreaterThan(15);
    expect(faults.map(({ at }) => at)).toEqual(
      [...faults.map(({ at }) => at)].sort((one, other) => one - other),
    );
  });

  it.each([
    ['nodes: 12', 'nodez: 12', 'plan.yaml:1: nodez: is no key of a plan here'],
    ['nodes: 12', 'nodes: many', 'plan.yaml:1: nodes: '],
    ['nodes: 12', 'nodes: 0', 'plan.yaml:1: nodes: '],
    ['time: 3m', 'time: 30', 'plan.yaml:2: time: must be a time with its unit'],
    ['time: 3m', 'time: 25h', 'plan.yaml:2: time: must be a time with its unit'],
    ['loss: 0.05', 'loss: 1', 'plan.yaml:4: network.loss: '],
    ['exponential', 'guessed', 'plan.yaml:5: network.delay.distribution: '],
    ['kind: partition', 'kind: meteor', 'plan.yaml:8: faults[0].kind: '],
    ['at: 1.5s', 'when: 1.5s', 'plan.yaml:7: faults[0].at: '],
    ['[p1, p2]', '[p1, q2]', 'plan.yaml:9: faults[0].nodes[1]: nodes are called p1, p2'],
    ['direction: in', 'direction: up', 'plan.yaml:10: faults[0].direction: '],
    ['direction: in', 'direction: in\n    rate: 2', 'plan.yaml:11: faults[0].rate: is no key'],
    ['for: 5s', 'for: [5s', 'plan.yaml:12: '],
    [
      'time: 3m',
      'time: 90s',
      'plan.yaml:12: faults[1].at: comes after the end; the time is 90000ms',
    ],
    ['nodes: [p1, p2]', 'share: 0', 'plan.yaml:9: faults[0].share: '],
    [
      '{ distribution: exponential, mean: 20ms }',
      '{ distribution: uniform, min: 9ms, max: 1ms }',
      'plan.yaml:5: network.delay.max: must not be below min',
    ],
    ['time: 3m', 'nodes: 3', 'plan.yaml:2: '],
    ['time: 3m', '---', 'plan.yaml:2: a second document'],
    [PLAN, '- 1', 'plan.yaml:1: '],
    [PLAN, '\u0000\u0001', 'plan.yaml:1: '],
  ])('says in which line %j is wrong as %j', (right, wrong, message) => {
    expect(() => read(PLAN.replace(right, wrong))).toThrow(message);
  });

  it('refuses a plan that is too large', () => {
    expect(() => read(Buffer.alloc(PLAN_BYTES_MAX + 1))).toThrow('at most 1048576 bytes');
  });

  it('is not blown up by references to references', () => {
    const bomb = ['a: &a [x,x,x,x,x,x,x,x,x]'];
    for (let level = 0; level < 9; level += 1) {
      const before = String.fromCharCode(97 + level);
      const name = String.fromCharCode(98 + level);
      bomb.push(`${name}: &${name} [${Array(9).fill(`*${before}`).join(',')}]`);
    }
    expect(() => read(bomb.join('\n'))).toThrow('plan.yaml');
  });
});

describe('planText', () => {
  it.each([1, 2, 3, 4, 5, 6])('is read again as the plan it came from, of seed %i', (seed) => {
    const plan = drawPlan({ seed, time: 30_000 });
    expect(read(planText(plan))).toEqual(plan);
  });
});
