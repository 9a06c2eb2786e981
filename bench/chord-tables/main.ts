/**
 * `npm run bench chord-tables`: the experiments of the Chord paper with the production core, written to
 * `docs/chord-tables.md` beside the paper's figures; a quick run only prints.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { writeDocument } from './document.js';
import { measureAll } from './measurements.js';
import { drawPlots } from './plots.js';
import { FULL, QUICK } from './scale.js';

const DOCUMENT = 'docs/chord-tables.md';
const PLOTS = 'docs/chord-tables';

export async function benchChordTables({ isQuick }: { readonly isQuick: boolean }): Promise<void> {
  const measured = measureAll(isQuick ? QUICK : FULL);
  const document = writeDocument(measured, 'chord-tables');
  const plots = await drawPlots(measured);
  if (isQuick) {
    process.stdout.write(document);
    return;
  }
  mkdirSync(PLOTS, { recursive: true });
  writeFileSync(DOCUMENT, document);
  for (const { file, svg } of plots) writeFileSync(`${PLOTS}/${file}`, svg);
  process.stdout.write(`chord-tables: wrote ${DOCUMENT} and ${plots.length} plots\n`);
}
