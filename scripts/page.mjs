/**
 * Makes the dashboard's page: one script, and the files that need no making, put where the node
 * reads them. Nothing in it points elsewhere, so the page works without a network.
 */
import { cpSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..');
const SOURCE = join(ROOT, 'clients/dashboard');
const MADE = join(ROOT, 'dist/clients/dashboard/page');

cpSync(join(SOURCE, 'page'), MADE, { recursive: true });
await build({
  entryPoints: [join(SOURCE, 'main.tsx')],
  outfile: join(MADE, 'page.js'),
  bundle: true,
  minify: true,
  format: 'iife',
  target: 'es2022',
  jsx: 'automatic',
  jsxImportSource: 'preact',
  legalComments: 'inline',
  logLevel: 'warning',
});
