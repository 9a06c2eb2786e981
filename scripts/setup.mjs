/**
 * Makes a checkout ready to run: packages, stubs, compiled code. Does only what is not done yet, so
 * that every script may call it first.
 *
 * `--installed`: called by npm at the end of an installation, so the packages are there.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const installedStamp = join(root, 'node_modules', '.ringbinder-installed');
const entry = join(root, 'dist', 'clients', 'cli', 'main.js');

const lockHash = createHash('sha256')
  .update(readFileSync(join(root, 'package-lock.json')))
  .digest('hex');

if (process.argv.includes('--installed')) writeFileSync(installedStamp, lockHash);
else if (!isInstalled()) install();
run('the stubs', process.execPath, [join(root, 'scripts', 'generate.mjs')]);
run('the code', process.execPath, [
  join(root, 'node_modules', 'typescript', 'bin', 'tsc'),
  '--build',
  join(root, 'tsconfig.json'),
]);
run('the dashboard', process.execPath, [join(root, 'scripts', 'page.mjs')]);
chmodSync(entry, 0o755);

function isInstalled() {
  return existsSync(installedStamp) && readFileSync(installedStamp, 'utf8') === lockHash;
}

function install() {
  process.stderr.write('ringbinder: installing packages, once\n');
  run('the packages', 'npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--silent']);
  writeFileSync(installedStamp, lockHash);
}

function run(what, command, args) {
  const { status, error } = spawnSync(command, args, {
    cwd: root,
    stdio: ['ignore', process.stderr.fd, process.stderr.fd],
  });
  if (status === 0) return;
  process.stderr.write(
    `ringbinder: could not make ${what} ready${error ? `: ${error.message}` : ''}\n`,
  );
  process.exit(1);
}
