/**
 * `npm run sim:mutants [-- word …]`: plants each bug in a copy of the compiled code and runs seeds until
 * the checker notices. With words, only the bugs that have one of them in their name. Fails when one
 * goes unnoticed.
 */
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { drawPlan, drawRated, drawTablePlan } from '../../services/simulator/draw-plan.js';
import type { Plan } from '../../services/simulator/plan.js';
import type { runSimulation, RunVerdict } from '../../services/simulator/run.js';
import { MUTANTS, type Mutant } from './mutants.js';

type Simulate = typeof runSimulation;

const DIST = new URL('../../', import.meta.url).pathname;
const SEEDS_MAX = 1_000;
/** A run with a table takes longer than two without. */
const TABLE_SEEDS_MAX = 400;
const FAULTS_MS = 30_000;
const TABLE_MS = 60_000;
const SETTLE_MS_MAX = 60_000;
/** Faults a minute. */
const STORM = { crash: 120, leave: 60, join: 100, restart: 120 };

/** What was noticed, and after how many seeds. */
type Catch = { readonly seeds: number; readonly what: string };

const words = process.argv.slice(2);
const mutants = MUTANTS.filter(
  ({ name }) => words.length === 0 || words.some((word) => name.includes(word)),
);
const unnoticed: string[] = [];
for (const mutant of mutants) {
  const caught = await huntFor(mutant);
  if (caught === undefined) unnoticed.push(mutant.name);
  const result = caught === undefined ? 'NOT NOTICED' : `seed ${caught.seeds}, ${caught.what}`;
  process.stdout.write(`${mutant.name}: ${result}\n`);
}
process.stdout.write(`${mutants.length - unnoticed.length} of ${mutants.length} noticed\n`);
process.exitCode = unnoticed.length === 0 ? 0 : 1;

async function huntFor(mutant: Mutant): Promise<Catch | undefined> {
  const copy = mkdtempSync(join(tmpdir(), 'ringbinder-mutant-'));
  try {
    plant(mutant, copy);
    const url = pathToFileURL(join(copy, 'services/simulator/run.js')).href;
    const { runSimulation: simulate } = (await import(url)) as { runSimulation: Simulate };
    const [draw, seedsMax] =
      mutant.needs === 'table'
        ? [(seed: number) => drawTablePlan({ seed, time: TABLE_MS }), TABLE_SEEDS_MAX]
        : [planFor, SEEDS_MAX];
    for (let seed = 1; seed <= seedsMax; seed += 1) {
      const what = whatIsWrong(simulate, seed, draw(seed));
      if (what !== undefined) return { seeds: seed, what };
    }
    return undefined;
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
}

function plant({ name, file, find, plant: planted }: Mutant, copy: string): void {
  cpSync(join(DIST, 'services'), join(copy, 'services'), { recursive: true });
  cpSync(join(DIST, '..', 'package.json'), join(copy, 'package.json'));
  symlinkSync(join(DIST, '..', 'node_modules'), join(copy, 'node_modules'));
  const path = join(copy, 'services', file);
  const code = readFileSync(path, 'utf8');
  if (code.split(find).length !== 2) throw new Error(`“${name}” has lost its place in ${file}`);
  writeFileSync(
    path,
    code.replace(find, () => planted),
  );
}

/** Every second plan is a storm: short lists, and members that come and go as fast as the model lets them. */
function planFor(seed: number): Plan {
  const drawn = drawPlan({ seed, time: FAULTS_MS });
  if (seed % 2 === 1) return drawn;
  const faults = drawRated(seed, STORM, FAULTS_MS);
  return { ...drawn, successors: 2, nodes: Math.min(drawn.nodes, 12), faults };
}

/** The first thing that a run shows to be wrong; undefined when it shows nothing. */
function whatIsWrong(simulate: Simulate, seed: number, plan: Plan): string | undefined {
  let verdict: RunVerdict;
  try {
    verdict = simulate({ seed, plan, settleMsMax: SETTLE_MS_MAX });
  } catch (thrown) {
    return `stopped: ${thrown instanceof Error ? thrown.message : String(thrown)}`;
  }
  const [violation] = verdict.violations;
  if (violation !== undefined) return `${violation.rule}: ${violation.text}`;
  if (verdict.settledMs === undefined) return 'no ideal ring within the bound';
  return verdict.lookups.wrong > 0 ? `${verdict.lookups.wrong} wrong lookups` : undefined;
}
