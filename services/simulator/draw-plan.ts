/**
 * Plans drawn from a seed, with every kind of fault there is.
 *
 * Three of five plans are gentle: they keep what Zave's model assumes (silence means death; nobody
 * dies whose death would break the invariant), so that the checker applies every rule throughout.
 * The others also cut the network, stop processes, and kill whom they like.
 */
import type { Replication } from '../dht/core/replica-set.js';
import { below, oneOf, seededChance, type Chance } from '../system/chance.js';
import {
  EXPONENTIAL_CUT,
  type Delay,
  type Direction,
  type Fault,
  type FaultKind,
  type NetworkFaults,
  type Plan,
} from './plan.js';
import { USUAL_TABLE } from './table/table-plan.js';

export type DrawOptions = {
  readonly seed: number;
  /** 5 to 40, drawn, when absent. */
  readonly nodes?: number | undefined;
  /** Virtual milliseconds under faults. */
  readonly time: number;
};

export function drawPlan({ seed, nodes, time }: DrawOptions): Plan {
  const chance = seededChance(seed);
  const successors = 2 + below(chance, 3);
  const isGentle = chance.unit() < 0.6;
  const drawn = 5 + below(chance, 36);
  const network = drawNetwork(chance, isGentle ? MILD : HARSH);
  const faults = drawFaults(chance, isGentle ? GENTLE : ROUGH, time);
  return { nodes: nodes ?? drawn, successors, time, network, faults };
}

/**
 * Like `drawPlan`, of a smaller ring with a table on it, and disks that are lost, as far as the table's
 * promises reach. One plan in four lets the dead be collected after some seconds, and nodes be away
 * for longer than that, one at a time: the rest keeps them beyond its end.
 */
export function drawTablePlan({ seed, nodes, time }: DrawOptions): Plan {
  const chance = seededChance(Math.imul(seed, 0xc2b2ae35));
  const plan = drawPlan({ seed, nodes: nodes ?? 4 + below(chance, 9), time });
  const isForgetful = chance.unit() < 0.25;
  const use = { keys: 10 + below(chance, 40), callsPerSecond: 5 + below(chance, 30) };
  const disk = (1 + below(chance, 40)) * (seed % 4 === 3 ? SLOW_DISK : 1);
  if (isForgetful) {
    const network = drawNetwork(chance, MILD);
    const table = { ...USUAL_TABLE, ...use, disk, grace: FORGETFUL_GRACE_MS };
    return { ...plan, network, table, faults: drawAbsences(chance, time) };
  }
  const fitting = REPLICATIONS.filter(({ copies }) => copies <= plan.successors + 1);
  const replication = oneOf(chance, fitting) ?? USUAL_TABLE;
  const faults = [...plan.faults, ...drawWipes(chance, time)].sort(byTime);
  const kept = chance.unit() < 0.5 ? faults : faults.filter(isInStorm);
  const table = { ...USUAL_TABLE, ...replication, ...use, disk };
  return { ...plan, table, faults: kept };
}

/** Each with R + W > N. */
const REPLICATIONS: readonly Replication[] = [
  ...[USUAL_TABLE, USUAL_TABLE, USUAL_TABLE],
  { copies: 3, readQuorum: 1, writeQuorum: 3 },
  { copies: 3, readQuorum: 3, writeQuorum: 1 },
  { copies: 2, readQuorum: 1, writeQuorum: 2 },
  { copies: 5, readQuorum: 3, writeQuorum: 3 },
];

const FORGETFUL_GRACE_MS = 16_000;
/** One disk in four takes so many times as long, up to 800 ms. */
const SLOW_DISK = 20;
/** Faults come for so long, and then for so long none do. */
const STORM_MS = 10_000;
const LULL_MS = 15_000;

function isInStorm({ at }: Fault): boolean {
  return at % (STORM_MS + LULL_MS) < STORM_MS;
}

function byTime(one: Fault, other: Fault): number {
  return one.at - other.at;
}

function drawWipes(chance: Chance, time: number): readonly Fault[] {
  const wipes: Fault[] = [];
  for (let at = below(chance, 10_000); at < time; at += 1_000 + below(chance, 20_000)) {
    const lasting = 500 + below(chance, 15_000);
    wipes.push({ kind: 'wipe', onlyIfLegal: true, for: lasting, at, draw: drawOf(chance) });
  }
  return wipes;
}

/** One node at a time is away, for longer than the dead are kept; others join meanwhile. */
function drawAbsences(chance: Chance, time: number): readonly Fault[] {
  const faults: Fault[] = [];
  for (let at = 3_000; at < time; at += 45_000) {
    const lasting = 5_000 + below(chance, 25_000);
    faults.push({ kind: 'crash', onlyIfLegal: true, for: lasting, at, draw: drawOf(chance) });
    faults.push({ kind: 'join', at: at + below(chance, 40_000), draw: drawOf(chance) });
  }
  return faults.sort(byTime);
}

/** Events per virtual minute, each at random times. */
export type Rates = Readonly<Partial<Record<RatedKind, number>>>;
export type RatedKind = 'join' | 'leave' | 'crash' | 'restart' | 'pause';

/** Faults at random times, so many a minute; leaves and crashes as the model lets them. */
export function drawRated(seed: number, rates: Rates, time: number): readonly Fault[] {
  const chance = seededChance(seed);
  const faults: Fault[] = [];
  for (const kind of RATED_KINDS) {
    const perMinute = rates[kind] ?? 0;
    if (perMinute === 0) continue;
    const meanGapMs = 60_000 / perMinute;
    for (let at = gapMs(chance, meanGapMs); at < time; at += gapMs(chance, meanGapMs)) {
      faults.push({ ...RATED_DRAWS[kind](chance), at: Math.round(at), draw: drawOf(chance) });
    }
  }
  return faults.sort((one, other) => one.at - other.at);
}

function gapMs(chance: Chance, meanMs: number): number {
  return -Math.log(1 - chance.unit()) * meanMs;
}

type Draw = (chance: Chance) => FaultKind;

const RATED_DRAWS: Readonly<Record<RatedKind, Draw>> = {
  join: () => ({ kind: 'join' }),
  leave: () => ({ kind: 'leave', onlyIfLegal: true }),
  crash: () => ({ kind: 'crash', onlyIfLegal: true }),
  restart: () => ({ kind: 'restart' }),
  pause: (chance) => ({ kind: 'pause', for: 200 + below(chance, 4_000) }),
};
const RATED_KINDS = Object.keys(RATED_DRAWS) as readonly RatedKind[];

const { join, leave, crash, restart, pause } = RATED_DRAWS;

/**
 * How bad delays and clocks may be. At their worst, the last try of a question still gets its answer
 * within the second it has: mild ones leave nobody silent who lives.
 */
type Bounds = {
  readonly delayMsMax: number;
  readonly slowMsMax: number;
  /** Clock rates from 1 / this to this. */
  readonly clockMax: number;
};
const MILD: Bounds = { delayMsMax: 150, slowMsMax: 90, clockMax: 1.4 };
const HARSH: Bounds = { delayMsMax: 300, slowMsMax: 700, clockMax: 2 };

const slow = ({ slowMsMax }: Bounds): Draw => {
  return (chance) => ({
    kind: 'slow',
    delay: 10 + below(chance, slowMsMax - 10),
    for: 1_000 + below(chance, 9_000),
  });
};

const clock = ({ clockMax }: Bounds): Draw => {
  return (chance) => {
    const rate = 1 + (clockMax - 1) * chance.unit();
    const isSlow = chance.unit() < 0.5;
    return {
      kind: 'clock',
      rate: Math.round((isSlow ? 1 / rate : rate) * 100) / 100,
      for: 1_000 + below(chance, 29_000),
    };
  };
};

const network = (bounds: Bounds): Draw => {
  return (chance) => ({ kind: 'network', network: drawNetwork(chance, bounds) });
};

const crashAny: Draw = (chance) => ({
  kind: 'crash',

  onlyIfLegal: false,
  ...(chance.unit() < 0.5 ? { for: 100 + below(chance, 10_000) } : {}),
});

const DIRECTIONS: readonly Direction[] = ['both', 'both', 'in', 'out'];

const partition: Draw = (chance) => ({
  kind: 'partition',
  share: 0.1 + share(chance, 0.4),
  direction: oneOf(chance, DIRECTIONS) ?? 'both',
  for: 500 + below(chance, 15_000),
});

const mend: Draw = () => ({ kind: 'mend' });

/** Each as likely as it stands here often. */
const menu = (bounds: Bounds): readonly Draw[] => [
  ...[crash, crash, crash, restart, restart, join, join, leave],
  ...[slow(bounds), clock(bounds), network(bounds)],
];
const GENTLE = menu(MILD);
const ROUGH = [...menu(HARSH), partition, partition, mend, pause, pause, crashAny];

function drawFaults(chance: Chance, menu: readonly Draw[], time: number): readonly Fault[] {
  const faults: Fault[] = [];
  for (let at = 0; ;) {
    at += 100 + below(chance, 1_500);
    if (at >= time) return faults;
    const kind = oneOf(chance, menu)?.(chance);
    if (kind !== undefined) faults.push({ ...kind, at, draw: drawOf(chance) });
  }
}

function drawNetwork(chance: Chance, { delayMsMax }: Bounds): NetworkFaults {
  return {
    loss: share(chance, 0.2),
    duplication: share(chance, 0.1),
    reordering: share(chance, 0.1),
    delay: drawDelay(chance, delayMsMax),
  };
}

function share(chance: Chance, max: number): number {
  return Math.round(chance.unit() * max * 1_000) / 1_000;
}

function drawDelay(chance: Chance, msMax: number): Delay {
  switch (below(chance, 3)) {
    case 0:
      return { distribution: 'constant', value: 1 + below(chance, msMax) };
    case 1:
      return { distribution: 'uniform', min: 1, max: 1 + below(chance, msMax) };
    default:
      return { distribution: 'exponential', mean: 1 + below(chance, msMax / EXPONENTIAL_CUT) };
  }
}

function drawOf(chance: Chance): number {
  return below(chance, 2 ** 32);
}
