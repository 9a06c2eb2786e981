/**
 * What every store accepts, checked in one place so that all implementations refuse the same.
 */
import type { StoreCommit, StoreListing, StoreWrite } from './store.js';

/** Longest key, in UTF-8 bytes: an address of 4,096 bytes with a prefix in front. */
export const KEY_BYTES_MAX = 4200;
/** Largest value: an endpoint with the most metadata and the longest evidence. */
export const VALUE_BYTES_MAX = 131_072;
/** Most conditions, and most writes, of one commit. An etcd cluster takes 128 by default. */
export const COMMIT_OPERATIONS_MAX = 64;
/** Most bytes of the keys and values of one commit. An etcd cluster takes 1.5 MiB by default. */
export const COMMIT_BYTES_MAX = 1_048_576;
/** Longest life of an entry without renewal: 24 days. */
export const TTL_MS_MAX = 2 ** 31 - 1;
/** Most entries of one listing. */
export const LIST_LIMIT_MAX = 10_000;

/** Returns the UTF-8 bytes of a key; throws a `RangeError` when it is no key. */
export function keyBytesOf(key: string): Buffer {
  const bytes = textBytesOf(key);
  if (bytes.length === 0) throw new RangeError('a store key must not be empty');
  return bytes;
}

/** Like `keyBytesOf`, for a prefix or a starting point, which may be empty. */
export function textBytesOf(text: string): Buffer {
  // Half of a surrogate pair has no UTF-8 form: two such keys would become the same bytes.
  if (!text.isWellFormed()) throw new RangeError('a store key must be well-formed Unicode');
  const bytes = Buffer.from(text, 'utf8');
  if (bytes.length > KEY_BYTES_MAX) {
    throw new RangeError(`a store key has ${bytes.length} bytes, at most ${KEY_BYTES_MAX} allowed`);
  }
  return bytes;
}

/** Throws a `RangeError` when the limit of a listing is out of bounds. */
export function assertListing({ limit }: StoreListing): void {
  if (!Number.isInteger(limit) || limit < 1 || limit > LIST_LIMIT_MAX) {
    throw new RangeError(`a listing of ${limit} entries; 1 to ${LIST_LIMIT_MAX} allowed`);
  }
}

/** Throws a `RangeError` when a commit is too large, or writes one key twice. Keys apart. */
export function assertCommit({ conditions, writes }: StoreCommit): void {
  const operations = Math.max(conditions.length, writes.length);
  if (operations > COMMIT_OPERATIONS_MAX) {
    throw new RangeError(
      `a commit of ${operations} operations; at most ${COMMIT_OPERATIONS_MAX} allowed`,
    );
  }
  if (new Set(writes.map((write) => write.key)).size < writes.length) {
    throw new RangeError('a commit must not write a key twice');
  }
  const bytes = writes.reduce((sum, write) => sum + bytesOf(write), 0);
  if (bytes > COMMIT_BYTES_MAX) {
    throw new RangeError(`a commit of ${bytes} bytes; at most ${COMMIT_BYTES_MAX} allowed`);
  }
}

/** Throws a `RangeError` when the value or the time to live of a write is out of bounds. */
function bytesOf(write: StoreWrite): number {
  const keyBytes = Buffer.byteLength(write.key);
  if (write.kind === 'delete') return keyBytes;
  const { value, ttlMs } = write;
  if (value.length > VALUE_BYTES_MAX) {
    throw new RangeError(
      `a store value has ${value.length} bytes, at most ${VALUE_BYTES_MAX} allowed`,
    );
  }
  if (ttlMs !== undefined && !(Number.isInteger(ttlMs) && ttlMs >= 1 && ttlMs <= TTL_MS_MAX)) {
    throw new RangeError(`an entry that lives for ${ttlMs} ms; 1 to ${TTL_MS_MAX} allowed`);
  }
  return keyBytes + value.length;
}
