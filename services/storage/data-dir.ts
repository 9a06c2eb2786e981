/**
 * The data directory of a node, held by one process at a time.
 *
 * The lock is a directory `lock` with one file in it, named after its holder:
 *
 * 1. Who wants it makes a directory of its own with its own file inside, and renames it to `lock`.
 *    The system refuses that while `lock` has a file in it: exactly one of many racers succeeds.
 * 2. A holder that is dead is removed by deleting its file **by name**. Two starters may both find
 *    the dead holder D; the first deletes D's file and moves in; the second finds no file D, is
 *    refused by the rename, and now sees the first, alive. No pause between two steps, however
 *    long, lets it remove anyone but D, because no two holders ever have the same name.
 *
 * The lock holds among processes that see each other's PIDs; two containers that share a volume
 * don't.
 */
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join, resolve } from 'node:path';
import { isAlive, parseHolder, thisHolder, type Holder } from './lock-holder.js';

/** More steps than any race needs; each step means that somebody else got one further. */
const ATTEMPTS_MAX = 100;
const OWN_PREFIX = 'lock-';

export type DataDirErrorKind = 'in-use' | 'unwritable';

/** Why a data directory can't be had. Its message is for the person who started the node. */
export class DataDirError extends Error {
  readonly kind: DataDirErrorKind;
  /** The process that holds the directory, for `in-use`. */
  readonly pid: number | undefined;

  constructor(kind: DataDirErrorKind, message: string, options: { pid?: number; cause?: unknown }) {
    super(message, { cause: options.cause });
    this.name = 'DataDirError';
    this.kind = kind;
    this.pid = options.pid;
  }
}

/** A data directory that this process holds. */
export type DataDir = {
  /** Absolute path. */
  readonly path: string;
  /** Directory of the store of assignments, memberships and registrations. */
  readonly directoryStorePath: string;
  /** Directory of the records that this node keeps for the hash table. */
  readonly recordStorePath: string;
  /** Directory of what this node remembers of itself: its ring ID, its ring, the members it met. */
  readonly nodeStorePath: string;
  /** Gives the directory back. Harmless when repeated. */
  release(): void;
};

/**
 * Creates the directory where it is missing, proves that it can be written, and takes its lock.
 * Throws a `DataDirError` when another process holds it, or when it can't be written.
 */
export function openDataDir(directory: string): DataDir {
  const path = resolve(directory);
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 });
    const holder = takeLock(path);
    removeLeftovers(path);
    return {
      path,
      directoryStorePath: join(path, 'directory'),
      recordStorePath: join(path, 'records'),
      nodeStorePath: join(path, 'node'),
      release: () => releaseLock(path, holder),
    };
  } catch (cause) {
    if (cause instanceof DataDirError) throw cause;
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new DataDirError('unwritable', `cannot write the data directory ${path}: ${reason}`, {
      cause,
    });
  }
}

/** Returns the file name under which this process now holds the lock. */
function takeLock(path: string): string {
  const own = mkdtempSync(join(path, OWN_PREFIX));
  try {
    const holder = thisHolder(own.slice(-6));
    writeFileSync(join(own, holder), `${process.pid}\n`, { flag: 'wx', flush: true });
    for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt += 1) {
      removeDeadHolder(path);
      if (moveIn(own, lockPathOf(path))) return holder;
    }
    throw new Error('its lock changes hands all the time');
  } finally {
    rmSync(own, { recursive: true, force: true });
  }
}

/** Frees the lock of a holder that is dead; throws when it is alive. */
function removeDeadHolder(path: string): void {
  const lockPath = lockPathOf(path);
  for (const name of namesIn(lockPath)) {
    const holder = parseHolder(name);
    if (holder === undefined) {
      throw new Error(`${join(lockPath, name)} is no lock of Ringbinder; remove it by hand`);
    }
    if (isAlive(holder)) throw inUse(path, holder);
    rmSync(join(lockPath, name), { force: true });
  }
  removeIfEmpty(lockPath);
}

function inUse(path: string, { pid }: Holder): DataDirError {
  const message = `the data directory ${path} is in use by process ${pid}; stop it or choose another`;
  return new DataDirError('in-use', message, { pid });
}

/** Tells whether the rename succeeded; false when someone else's lock is in the way. */
function moveIn(own: string, lockPath: string): boolean {
  try {
    renameSync(own, lockPath);
    return true;
  } catch (error) {
    if (hasCode(error, ['ENOTEMPTY', 'EEXIST'])) return false;
    throw error;
  }
}

function releaseLock(path: string, holder: string): void {
  rmSync(join(lockPathOf(path), holder), { force: true });
  removeIfEmpty(lockPathOf(path));
}

/** What starters left behind that were killed before they had or lost the lock. */
function removeLeftovers(path: string): void {
  for (const name of readdirSync(path)) {
    if (!name.startsWith(OWN_PREFIX)) continue;
    const holders = namesIn(join(path, name)).map(parseHolder);
    const isLeftover = holders.every((holder) => holder !== undefined && !isAlive(holder));
    if (holders.length > 0 && isLeftover)
      rmSync(join(path, name), { recursive: true, force: true });
  }
}

function namesIn(directory: string): readonly string[] {
  try {
    return readdirSync(directory);
  } catch (error) {
    if (hasCode(error, ['ENOENT', 'ENOTDIR'])) return [];
    throw error;
  }
}

function removeIfEmpty(directory: string): void {
  try {
    rmdirSync(directory);
  } catch (error) {
    if (!hasCode(error, ['ENOENT', 'ENOTDIR', 'ENOTEMPTY', 'EEXIST'])) throw error;
  }
}

function lockPathOf(path: string): string {
  return join(path, 'lock');
}

function hasCode(error: unknown, codes: readonly string[]): boolean {
  return error instanceof Error && 'code' in error && codes.includes(String(error.code));
}
