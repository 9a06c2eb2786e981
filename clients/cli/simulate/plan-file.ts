/**
 * Plans as files: YAML, checked against a schema; what is wrong is said with its line.
 *
 * Every key is optional. Times are written with their unit (`250ms`, `10s`, `2m`), shares as numbers
 * from 0 to 1. `docs/simulate.md` shows all of it.
 */
import {
  type Document,
  isMap,
  isNode,
  isScalar,
  isSeq,
  LineCounter,
  parseDocument,
  stringify,
} from 'yaml';
import { z } from 'zod';
import { drawRated } from '../../../services/simulator/draw-plan.js';
import { CALM, PLAN_LIMITS, type Fault, type Plan } from '../../../services/simulator/plan.js';
import { USUAL_TABLE } from '../../../services/simulator/table/table-plan.js';

/** Largest plan file. */
export const PLAN_BYTES_MAX = 1_048_576;
const DEFAULT_NODES = 10;
const DEFAULT_SUCCESSORS = 4;
const DEFAULT_MS = 60_000;
const DAY_MS = PLAN_LIMITS.timeMsMax;
const PER_MINUTE_MAX = 6_000;
const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000 };

/** What is wrong with a plan, and where. */
export class PlanError extends Error {
  override readonly name = 'PlanError';
}

/** What the command line may say instead of the file. */
export type PlanOverrides = {
  readonly seed: number;
  readonly nodes?: number | undefined;
  /** Virtual milliseconds under faults. */
  readonly time?: number | undefined;
};

/** Reads a plan; throws a `PlanError` that names the file and the line. */
export function readPlan(fileName: string, bytes: Buffer, overrides: PlanOverrides): Plan {
  const lines = new LineCounter();
  const document = parse(fileName, bytes, lines);
  const checked = planSchema.safeParse(valueOf(fileName, document) ?? {});
  const wrong = checked.success
    ? (lateFault(checked.data, overrides) ?? tooManyCopies(checked.data))
    : placeOf(checked.error.issues[0]);
  if (wrong !== undefined) throw errorAt(fileName, lineOf(document, lines, wrong.path), wrong);
  if (!checked.success) throw checked.error;
  return planOf(checked.data, overrides);
}

/** The plan as a file that `readPlan` reads as this very plan. */
export function planText(plan: Plan): string {
  return stringify(plan, timeOut);
}

function parse(fileName: string, bytes: Buffer, lineCounter: LineCounter): Document {
  if (bytes.length > PLAN_BYTES_MAX) {
    throw new PlanError(`${fileName}: a plan has at most ${PLAN_BYTES_MAX} bytes`);
  }
  const text = bytes.toString('utf8');
  const document = parseDocument(text, { lineCounter, prettyErrors: false });
  const [error] = document.errors;
  if (error === undefined) return document;
  const { line } = lineCounter.linePos(error.pos[0]);
  const why =
    error.code === 'MULTIPLE_DOCS' ? 'a second document; one plan to a file' : error.message;
  throw new PlanError(`${fileName}:${line}: ${why}`);
}

/** References to references could stand for more than any memory holds. */
function valueOf(fileName: string, document: Document): unknown {
  try {
    return document.toJS({ maxAliasCount: 100 });
  } catch (cause) {
    throw new PlanError(`${fileName}: too many references`, { cause });
  }
}

// The schema

const milliseconds = (min: number, max: number) =>
  z
    .string({ error: 'must be a time with its unit, such as 250ms, 10s or 2m' })
    .regex(/^\d+(\.\d+)?(ms|s|m)$/, 'must be a time with its unit, such as 250ms, 10s or 2m')
    .transform((text) => {
      const [, number = '', , unit = ''] = /^(\d+(\.\d+)?)(ms|s|m)$/.exec(text) ?? [];
      return Math.round(Number(number) * (UNIT_MS[unit] ?? 1));
    })
    .refine((ms) => ms >= min && ms <= max, `must be from ${min} ms to ${max} ms`);

const share = z.number().min(0).max(1);
const shareBelowOne = z.number().min(0).lt(1);
const delayMs = milliseconds(0, 60_000);

const delaySchema = z.discriminatedUnion('distribution', [
  z.strictObject({ distribution: z.literal('constant'), value: delayMs }),
  z
    .strictObject({ distribution: z.literal('uniform'), min: delayMs, max: delayMs })
    .refine(({ min, max }) => min <= max, { path: ['max'], message: 'must not be below min' }),
  z.strictObject({ distribution: z.literal('exponential'), mean: delayMs }),
]);

const networkSchema = z.strictObject({
  loss: shareBelowOne.default(CALM.loss),
  duplication: share.default(CALM.duplication),
  reordering: share.default(CALM.reordering),
  delay: delaySchema.default({ distribution: 'uniform', min: 1, max: 5 }),
});

const count = z.int().min(1).max(PLAN_LIMITS.nodesMax);
const when = {
  at: milliseconds(0, DAY_MS),
  draw: z
    .int()
    .min(0)
    .max(2 ** 32 - 1)
    .optional(),
};
const whom = {
  nodes: z
    .array(z.string().regex(/^p\d+$/, 'nodes are called p1, p2, …'))
    .min(1)
    .optional(),
  count: count.optional(),
  share: share.gt(0).optional(),
};
const passing = { for: milliseconds(1, DAY_MS).optional() };
const careful = { onlyIfLegal: z.boolean().default(false) };

const faultSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('crash'), ...when, ...whom, ...careful, ...passing }),
  z.strictObject({ kind: z.literal('wipe'), ...when, ...whom, ...careful, ...passing }),
  z.strictObject({ kind: z.literal('leave'), ...when, ...whom, ...careful }),
  z.strictObject({ kind: z.literal('restart'), ...when, ...whom }),
  z.strictObject({
    kind: z.literal('join'),
    ...when,
    nodes: whom.nodes,
    count: whom.count,
  }),
  z.strictObject({ kind: z.literal('pause'), ...when, ...whom, ...passing }),
  z.strictObject({ kind: z.literal('slow'), ...when, ...whom, ...passing, delay: delayMs }),
  z.strictObject({
    kind: z.literal('clock'),
    ...when,
    ...whom,
    ...passing,
    rate: z.number().min(0.1).max(10),
  }),
  z.strictObject({
    kind: z.literal('partition'),
    ...when,
    ...whom,
    ...passing,
    direction: z.enum(['both', 'in', 'out']).default('both'),
  }),
  z.strictObject({ kind: z.literal('mend'), ...when }),
  z.strictObject({ kind: z.literal('network'), ...when, network: networkSchema }),
]);

const copies = z.int().min(1).max(PLAN_LIMITS.successorsMax);

const tableSchema = z.strictObject({
  copies: copies.default(USUAL_TABLE.copies),
  readQuorum: copies.default(USUAL_TABLE.readQuorum),
  writeQuorum: copies.default(USUAL_TABLE.writeQuorum),
  keys: z.int().min(1).max(1_000).default(USUAL_TABLE.keys),
  callsPerSecond: z.number().min(0.1).max(1_000).default(USUAL_TABLE.callsPerSecond),
  grace: milliseconds(1_000, DAY_MS).default(USUAL_TABLE.grace),
  disk: milliseconds(1, 10_000).default(USUAL_TABLE.disk),
});

const perMinute = z.number().min(0).max(PER_MINUTE_MAX).default(0);

const planSchema = z.strictObject({
  nodes: count.default(DEFAULT_NODES),
  successors: z
    .int()
    .min(PLAN_LIMITS.successorsMin)
    .max(PLAN_LIMITS.successorsMax)
    .default(DEFAULT_SUCCESSORS),
  time: milliseconds(1, DAY_MS).default(DEFAULT_MS),
  network: networkSchema.default({ ...CALM, delay: { distribution: 'uniform', min: 1, max: 5 } }),
  /** Events a minute, at random times. */
  rates: z
    .strictObject({
      join: perMinute,
      leave: perMinute,
      crash: perMinute,
      restart: perMinute,
      pause: perMinute,
    })
    .prefault({}),
  faults: z.array(faultSchema).max(PLAN_LIMITS.faultsMax).default([]),
  table: tableSchema.optional(),
});

type PlanIn = z.output<typeof planSchema>;

function planOf({ rates, ...plan }: PlanIn, { seed, ...overrides }: PlanOverrides): Plan {
  const time = overrides.time ?? plan.time;
  const planned: readonly Fault[] = plan.faults.map((fault, index) => ({
    ...fault,
    draw: fault.draw ?? (Math.imul(seed, 31) + index) >>> 0,
  }));
  const faults = [...planned, ...drawRated(seed, rates, time)];
  return {
    ...plan,
    nodes: overrides.nodes ?? plan.nodes,
    time,
    faults: faults.sort((one, other) => one.at - other.at),
  };
}

const TIME_KEYS = new Set([
  ...['at', 'for', 'time', 'delay', 'value', 'min', 'max', 'mean', 'grace', 'disk'],
]);

/** Writes times with their unit. */
function timeOut(key: unknown, value: unknown): unknown {
  return typeof key === 'string' && TIME_KEYS.has(key) && typeof value === 'number'
    ? `${value}ms`
    : value;
}

// What is wrong, and in which line

function errorAt(fileName: string, line: number, { path, text }: Place): PlanError {
  const key = path.map((part) => (typeof part === 'number' ? `[${part}]` : `.${String(part)}`));
  const where = key.join('').replace(/^\./, '');
  return new PlanError(`${fileName}:${line}: ${where === '' ? '' : `${where}: `}${text}`);
}

/** A fault that would never come; with another time on the command line, that is wanted. */
function lateFault({ faults, time }: PlanIn, overrides: PlanOverrides): Place | undefined {
  const index = overrides.time === undefined ? faults.findIndex(({ at }) => at >= time) : -1;
  if (index === -1) return undefined;
  return { path: ['faults', index, 'at'], text: `comes after the end; the time is ${time}ms` };
}

/** Copies are kept by an owner and its successors. */
function tooManyCopies({ table, successors }: PlanIn): Place | undefined {
  if (table === undefined || table.copies <= successors + 1) return undefined;
  return { path: ['table', 'copies'], text: `at most ${successors + 1}, one more than successors` };
}

type Place = { readonly path: readonly PropertyKey[]; readonly text: string };

function placeOf(issue: z.core.$ZodIssue | undefined): Place {
  if (issue === undefined) return { path: [], text: 'is no plan' };
  if (issue.code === 'unrecognized_keys') {
    const [key = ''] = issue.keys;
    return { path: [...issue.path, key], text: 'is no key of a plan here' };
  }
  return { path: issue.path, text: issue.message };
}

/** Of the innermost thing on the way that is there. */
function lineOf(document: Document, lines: LineCounter, path: readonly PropertyKey[]): number {
  let offset = 0;
  let node: unknown = document.contents;
  for (const part of path) {
    if (isMap(node)) {
      const pair = node.items.find(({ key }) => isScalar(key) && key.value === part);
      if (isNode(pair?.key)) offset = pair.key.range?.[0] ?? offset;
      node = pair?.value;
    } else if (isSeq(node) && typeof part === 'number') {
      node = node.items[part];
      if (isNode(node)) offset = node.range?.[0] ?? offset;
    }
  }
  return lines.linePos(offset).line;
}
