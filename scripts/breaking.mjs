/**
 * Compares the protos with those of the commit before, so that no change breaks a client unseen.
 * With uncommitted changes to the protos, the commit before is the last one.
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';

const git = (...args) => spawnSync('git', args, { encoding: 'utf8' });

if (!existsSync('.git')) {
  process.stderr.write('buf breaking: skipped, this is no git checkout\n');
  process.exit(0);
}
const isDirty = git('status', '--porcelain', '--', 'proto').stdout !== '';
const against = isDirty ? 'HEAD' : 'HEAD~1';
const hasProtos = git('cat-file', '-e', `${against}:proto/ringbinder/v1/ring.proto`).status === 0;
if (!hasProtos) {
  process.stderr.write(`buf breaking: skipped, ${against} has no protos to compare with\n`);
  process.exit(0);
}
const { status } = spawnSync(
  'node_modules/.bin/buf',
  ['breaking', '--against', `.git#ref=${against}`, '--path', 'proto/ringbinder'],
  { stdio: 'inherit' },
);
process.exit(status ?? 1);
