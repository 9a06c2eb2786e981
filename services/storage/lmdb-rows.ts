/**
 * Rows of an LMDB database under keys that are longer than LMDB's own keys may be, in their order.
 *
 * LMDB takes keys of up to 4,026 bytes with pages of 8 KiB (less with smaller pages, and never
 * more), and compares them as bytes. A key shorter than `HEAD_BYTES` is the key of its row. A longer
 * one is cut into a head of exactly `HEAD_BYTES` and a tail:
 *
 * | row key                       | row                                                      |
 * | ----------------------------- | -------------------------------------------------------- |
 * | `k` key                       | the row of a short key                                   |
 * | `k` head                      | how many keys have this head, 4 bytes, big-endian        |
 * | `t` SHA-256 of the head, tail | the row of a long key; the tail may be empty             |
 *
 * The order holds, because a head stands among the short keys where all of its keys belong, and the
 * tails of one head stand together. Reading a long key takes one look-up, like a short one.
 */
import { createHash } from 'node:crypto';
import type { RootDatabase } from 'lmdb';
import { KEY_BYTES_MAX } from './bounds.js';

/** Page size of new databases; needed for row keys of up to 4,026 bytes. */
export const PAGE_BYTES = 8192;

/** Both row keys of the longest key, `k` head and `t` digest tail, stay well below 4,026 bytes. */
const HEAD_BYTES = KEY_BYTES_MAX / 2;
const DIGEST_BYTES = 32;

const KEY_TAG = Buffer.from('k');
const TAIL_TAG = Buffer.from('t');

/** A key and its row. */
export type Row = { readonly keyBytes: Buffer; readonly row: Buffer };

export class LmdbRows {
  readonly #database: RootDatabase<Buffer, Buffer>;

  constructor(database: RootDatabase<Buffer, Buffer>) {
    this.#database = database;
  }

  get(keyBytes: Buffer): Buffer | undefined {
    return this.#database.get(rowKeyOf(keyBytes));
  }

  /** To be called in a transaction, for it may change two rows. */
  put(keyBytes: Buffer, row: Buffer): void {
    if (keyBytes.length >= HEAD_BYTES && this.get(keyBytes) === undefined) {
      this.#changeTailCount(keyBytes, 1);
    }
    void this.#database.put(rowKeyOf(keyBytes), row);
  }

  /** To be called in a transaction, for it may change two rows. */
  delete(keyBytes: Buffer): void {
    if (this.get(keyBytes) === undefined) return;
    void this.#database.remove(rowKeyOf(keyBytes));
    if (keyBytes.length >= HEAD_BYTES) this.#changeTailCount(keyBytes, -1);
  }

  /** Yields the rows at and behind a bound, in the order of their keys, as they are at one moment. */
  *from(bound: Buffer): Generator<Row> {
    const boundHead = bound.subarray(0, HEAD_BYTES);
    for (const { suffix, row } of this.#range(KEY_TAG, boundHead)) {
      if (suffix.length < HEAD_BYTES) {
        yield { keyBytes: suffix, row };
      } else {
        const boundTail = suffix.equals(boundHead) ? bound.subarray(HEAD_BYTES) : Buffer.alloc(0);
        yield* this.#tailsOf(suffix, boundTail);
      }
    }
  }

  *#tailsOf(head: Buffer, boundTail: Buffer): Generator<Row> {
    for (const { suffix, row } of this.#range(tailPrefixOf(head), boundTail)) {
      yield { keyBytes: Buffer.concat([head, suffix]), row };
    }
  }

  /** Yields the rows whose row key has the prefix, from a bound on; `suffix` is what follows. */
  *#range(prefix: Buffer, bound: Buffer): Generator<{ suffix: Buffer; row: Buffer }> {
    const start = Buffer.concat([prefix, bound]);
    for (const { key, value } of this.#database.getRange({ start })) {
      if (prefix.compare(key, 0, prefix.length) !== 0) return;
      yield { suffix: key.subarray(prefix.length), row: value };
    }
  }

  #changeTailCount(keyBytes: Buffer, difference: 1 | -1): void {
    const rowKey = Buffer.concat([KEY_TAG, keyBytes.subarray(0, HEAD_BYTES)]);
    const count = (this.#database.get(rowKey)?.readUInt32BE() ?? 0) + difference;
    if (count === 0) {
      void this.#database.remove(rowKey);
      return;
    }
    const row = Buffer.alloc(4);
    row.writeUInt32BE(count);
    void this.#database.put(rowKey, row);
  }
}

function rowKeyOf(keyBytes: Buffer): Buffer {
  if (keyBytes.length < HEAD_BYTES) return Buffer.concat([KEY_TAG, keyBytes]);
  const tail = keyBytes.subarray(HEAD_BYTES);
  return Buffer.concat([tailPrefixOf(keyBytes.subarray(0, HEAD_BYTES)), tail]);
}

function tailPrefixOf(head: Buffer): Buffer {
  return Buffer.concat([TAIL_TAG, createHash('sha256').update(head).digest()], 1 + DIGEST_BYTES);
}
