/**
 * Makes proto/gen from the protos, offline: TypeScript by ts-proto, and the descriptors of all
 * files, which validation and server reflection read at run time.
 *
 * Everything is made beside proto/gen and then put in its place, so that whoever compiles or tests
 * meanwhile sees the old files or the new ones. Does nothing when the newest source is older than
 * the file that is written last.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync } from 'node:fs';
import { rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const GEN = join(ROOT, 'proto/gen');
const DESCRIPTORS = 'descriptors.binpb';
const WRITTEN_LAST = 'descriptors.ts';

/** A change in one of these makes proto/gen stale. The lock file holds ts-proto's version. */
const SOURCES = [
  'proto/ringbinder',
  'proto/vendor',
  'proto/buf.gen.yaml',
  'buf.yaml',
  'package-lock.json',
  'scripts/generate.mjs',
];

/** 15,000 lines that nobody imports; the first does not compile with our options. */
const UNUSED = ['buf', 'google/protobuf/descriptor.ts'];

if (process.argv.includes('--force') || isStale()) generate();

/** Directories count too: they change when a file in them is added or removed. */
function isStale() {
  const last = join(GEN, WRITTEN_LAST);
  if (!existsSync(last) || !existsSync(join(GEN, DESCRIPTORS))) return true;
  const madeMs = statSync(last).mtimeMs;
  return SOURCES.some((source) => newestMs(join(ROOT, source)) > madeMs);
}

function newestMs(path) {
  const stats = statSync(path);
  if (!stats.isDirectory()) return stats.mtimeMs;
  return Math.max(stats.mtimeMs, ...readdirSync(path).map((name) => newestMs(join(path, name))));
}

/** The file that is written last gets the time of the beginning: what changes meanwhile is newer. */
function generate() {
  const startedAt = new Date();
  const work = join(ROOT, `proto/.gen-${process.pid}`);
  const made = join(work, 'proto/gen');
  try {
    mkdirSync(made, { recursive: true });
    buf('generate', '--template', 'proto/buf.gen.yaml', '--output', work);
    for (const unused of UNUSED) rmSync(join(made, unused), { recursive: true, force: true });
    writeDescriptors(made);
    utimesSync(join(made, WRITTEN_LAST), startedAt, startedAt);
    if (existsSync(GEN)) renameSync(GEN, join(work, 'old'));
    renameSync(made, GEN);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/**
 * As a file for tools, and as a module, so that the compiler and a bundler carry it along and the
 * program opens no file to find it. Comments are left out: they are three quarters of the size.
 */
function writeDescriptors(made) {
  const path = join(made, DESCRIPTORS);
  buf('build', '--as-file-descriptor-set', '--exclude-source-info', '--output', path);
  const lines = [
    '/** The `google.protobuf.FileDescriptorSet` of all protos, in base64. Made by generate.mjs. */',
    `export const DESCRIPTOR_SET = '${readFileSync(path).toString('base64')}';`,
  ];
  writeFileSync(join(made, WRITTEN_LAST), `${lines.join('\n')}\n`);
}

function buf(...args) {
  const bin = join(ROOT, 'node_modules/.bin');
  const PATH = `${bin}:${process.env.PATH ?? ''}`;
  execFileSync(join(bin, 'buf'), args, {
    cwd: ROOT,
    stdio: 'inherit',
    env: { ...process.env, PATH },
  });
}
