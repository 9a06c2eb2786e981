/**
 * Opens an LMDB database as every store of a node needs it.
 *
 * `overlappingSync` is off: a transaction becomes visible only when it is durable. `eventTurnBatching`
 * is off because lmdb, with it, rejects one more promise when a commit fails, which nobody holds: a full
 * disk would end the process.
 */
import { mkdirSync } from 'node:fs';
import { open, type RootDatabase } from 'lmdb';
import { assertLmdbFile } from './lmdb-file.js';

export type LmdbDatabase = RootDatabase<Buffer, Buffer>;

/** Creates what is missing. Throws when the directory can't be had, or holds something else. */
export function openEnvironment(directory: string, pageSize: number): LmdbDatabase {
  mkdirSync(directory, { recursive: true });
  assertLmdbFile(directory);
  return open({
    path: directory,
    noSubdir: false,
    pageSize,
    keyEncoding: 'binary',
    encoding: 'binary',
    overlappingSync: false,
    eventTurnBatching: false,
  });
}
