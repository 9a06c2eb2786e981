import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { DataDirError, openDataDir } from '../../services/storage/data-dir.js';
import { isAlive, parseHolder, thisHolder } from '../../services/storage/lock-holder.js';
import { Child } from './child.js';
import { temporaryDirectory } from './temporary-directory.js';

const hasProc = existsSync('/proc/self/stat');

/** What opening it throws. */
function refusalOf(path: string): DataDirError {
  try {
    openDataDir(path).release();
  } catch (error) {
    if (error instanceof DataDirError) return error;
    throw error;
  }
  throw new Error('the data directory was opened');
}

async function holdingChild(path: string) {
  const child = new Child('hold.mjs', path);
  await child.line();
  child.tell('go');
  expect(await child.line()).toBe('held');
  return child;
}

/** Name, state and the rest, of a process whose name has no blank. */
function statFieldsOf(pid: number) {
  return readFileSync(`/proc/${pid}/stat`, 'utf8').replace(')', '').split(' ').slice(1);
}

/** Makes a lock with the file name that a holder would have given it. */
function plantLock(path: string, name: string) {
  mkdirSync(join(path, 'lock'));
  writeFileSync(join(path, 'lock', name), '');
}

describe('openDataDir', () => {
  it('creates the directory and says where the stores are', () => {
    using temporary = temporaryDirectory();
    const path = join(temporary.path, 'a', 'b');
    const dataDir = openDataDir(path);
    expect(dataDir).toMatchObject({
      path,
      directoryStorePath: join(path, 'directory'),
      recordStorePath: join(path, 'records'),
      nodeStorePath: join(path, 'node'),
    });
    dataDir.release();
    expect(readdirSync(path)).toEqual([]);
  });

  it('refuses a second holder in the same process, until the first lets go', () => {
    using temporary = temporaryDirectory();
    const first = openDataDir(temporary.path);
    expect(refusalOf(temporary.path)).toMatchObject({ kind: 'in-use', pid: process.pid });
    first.release();
    const second = openDataDir(temporary.path);
    first.release();
    expect(refusalOf(temporary.path).kind).toBe('in-use');
    second.release();
    openDataDir(temporary.path).release();
  });

  it('names the process that holds it, and takes over at once when that was killed', async () => {
    using temporary = temporaryDirectory();
    await using child = await holdingChild(temporary.path);
    const refusal = refusalOf(temporary.path);
    expect(refusal).toMatchObject({ kind: 'in-use', pid: child.pid });
    expect(refusal.message).toContain(`in use by process ${child.pid}`);
    expect(refusal.message).toContain(temporary.path);
    await child.kill();
    openDataDir(temporary.path).release();
    expect(readdirSync(temporary.path)).toEqual([]);
  });

  it('lets exactly one of several processes take over from one that was killed', async () => {
    using temporary = temporaryDirectory();
    const dead = await holdingChild(temporary.path);
    await dead.kill();
    const children = Array.from({ length: 6 }, () => new Child('hold.mjs', temporary.path));
    await Promise.all(children.map((child) => child.line()));
    for (const child of children) child.tell('go');
    const outcomes = await Promise.all(children.map((child) => child.line()));
    const winner = children[outcomes.indexOf('held')]!;
    expect(outcomes).toEqual(
      children.map((child) => (child === winner ? 'held' : `in-use ${winner.pid}`)),
    );
    expect(readdirSync(temporary.path)).toEqual(['lock']);
    await Promise.all(children.map((child) => child.kill()));
  });

  it.runIf(hasProc)('takes over from a dead holder whose PID another process has now', () => {
    using temporary = temporaryDirectory();
    const [, pid, , boot] = thisHolder('x').split('-');
    plantLock(temporary.path, `holder-${pid}-1-${boot}-aaaaaa`);
    openDataDir(temporary.path).release();
  });

  it.runIf(hasProc)('takes over from a holder of before the last boot', () => {
    using temporary = temporaryDirectory();
    const [, pid, startTicks] = thisHolder('x').split('-');
    plantLock(temporary.path, `holder-${pid}-${startTicks}-00000000-aaaaaa`);
    openDataDir(temporary.path).release();
  });

  it('clears what a starter left behind that was killed half-way', () => {
    using temporary = temporaryDirectory();
    const left = join(temporary.path, 'lock-AbCdEf');
    mkdirSync(left);
    writeFileSync(join(left, 'holder-999999999-1--AbCdEf'), '');
    mkdirSync(join(temporary.path, 'lock'));
    openDataDir(temporary.path).release();
    expect(readdirSync(temporary.path)).toEqual([]);
  });

  it('leaves alone what is not its own', () => {
    using temporary = temporaryDirectory();
    plantLock(temporary.path, 'letter.txt');
    const refusal = refusalOf(temporary.path);
    expect(refusal.kind).toBe('unwritable');
    expect(refusal.message).toContain(join(temporary.path, 'lock', 'letter.txt'));
    expect(readdirSync(temporary.path)).toEqual(['lock']);
  });

  it.each(['', 'below'])('refuses a path that is or leads through a file: file/%s', (rest) => {
    using temporary = temporaryDirectory();
    const file = join(temporary.path, 'file');
    writeFileSync(file, 'text');
    const refusal = refusalOf(join(file, rest));
    expect(refusal.kind).toBe('unwritable');
    expect(refusal.message).toContain(file);
    expect(readFileSync(file, 'utf8')).toBe('text');
  });
});

describe('isAlive', () => {
  it('knows this process', () => {
    expect(isAlive(parseHolder(thisHolder('x'))!)).toBe(true);
  });

  it.runIf(hasProc)('takes a zombie for dead', async () => {
    // The shell starts a program and then becomes one that never waits for it.
    const parent = spawn('sh', ['-c', 'sleep 60 & echo $!; exec sleep 60']);
    const [line] = (await once(parent.stdout, 'data')) as [Buffer];
    const pid = Number(line.toString());
    const patience = { timeout: 5000 };
    await expect.poll(() => statFieldsOf(parent.pid!)[0], patience).toBe('(sleep');
    process.kill(pid, 'SIGKILL');
    await expect.poll(() => statFieldsOf(pid)[1], patience).toBe('Z');
    const { boot } = parseHolder(thisHolder('x'))!;
    expect(isAlive({ pid, startTicks: statFieldsOf(pid)[20]!, boot })).toBe(false);
    parent.kill('SIGKILL');
    await once(parent, 'exit');
  });
});

describe('parseHolder', () => {
  it.each(['', 'holder', 'holder-0-1-ab-x', 'holder-1-1-ab', 'holder-x-1-ab-x', '.nfs0001'])(
    'takes %j for no holder',
    (name) => {
      expect(parseHolder(name)).toBeUndefined();
    },
  );
});
