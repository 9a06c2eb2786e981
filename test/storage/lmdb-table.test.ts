import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { open } from 'lmdb';
import { describe, expect, it } from 'vitest';
import { openLmdbTable, type LmdbTableOptions } from '../../services/storage/lmdb-table.js';
import { openLmdbStore } from '../../services/storage/lmdb-store.js';
import { entryKeyOf, rowKeyOf } from '../../services/storage/table-rows.js';
import { positionOfKey } from '../../services/hash/core/digest.js';
import {
  describeTableContract,
  GRACE_MS,
  holder,
  RING_SIZE,
  value,
  write,
} from '../contract/table-contract.js';
import { temporaryDirectory } from './temporary-directory.js';

const OPTIONS: LmdbTableOptions = {
  ringSize: RING_SIZE,
  graceMs: GRACE_MS,
  recordsMax: 1_000_000,
  bytesMax: 2 ** 30,
};
const merging = (...records: readonly ReturnType<typeof value>[]) =>
  records.map((record) => ({ kind: 'merge', record }) as const);
const A = { key: 'a', address: undefined };

describeTableContract('LmdbTable', async (options) => {
  const directory = temporaryDirectory();
  const table = await openLmdbTable(directory.path, { ...OPTIONS, ...options });
  const dispose = async () => {
    await table.close();
    directory[Symbol.dispose]();
  };
  return { table, [Symbol.asyncDispose]: dispose };
});

/** Changes rows behind the table's back, while it is closed. */
async function spoil(path: string, rowKey: Buffer, change: (row: Buffer) => void) {
  const raw = open<Buffer, Buffer>({
    path,
    noSubdir: false,
    keyEncoding: 'binary',
    encoding: 'binary',
  });
  const row = raw.get(rowKey)!;
  change(row);
  raw.putSync(rowKey, row);
  await raw.close();
}

const flipLast = (row: Buffer) => void (row[row.length - 1]! ^= 1);

async function withRecords(path: string, ...records: readonly ReturnType<typeof value>[]) {
  const table = await openLmdbTable(path, OPTIONS);
  await write(table, merging(...records));
  await table.close();
}

describe('openLmdbTable', () => {
  it('finds everything again', async () => {
    using directory = temporaryDirectory();
    const path = join(directory.path, 'not', 'there', 'yet');
    await withRecords(path, value('a'), value('b'), holder('a', 'h'));
    const table = await openLmdbTable(path, OPTIONS);
    expect(table.size.records).toBe(3);
    expect(table.read(A)).toMatchObject({ key: 'a', version: value('a').version });
    expect(table.list(0, RING_SIZE - 1, undefined, 10).items).toHaveLength(3);
    const bytes = table.size.bytes;
    await write(table, merging(value('c')));
    expect(table.size.records).toBe(4);
    expect(table.size.bytes).toBeGreaterThan(bytes);
    await table.close();
  });

  it('refuses the records of a ring of another size', async () => {
    using directory = temporaryDirectory();
    await withRecords(directory.path, value('a'));
    await expect(openLmdbTable(directory.path, { ...OPTIONS, ringSize: 64 })).rejects.toThrow(
      `cannot open the table in ${directory.path}: it holds records of a ring of size ${RING_SIZE}, not 64`,
    );
    await withRecords(directory.path, value('b'));
  });

  it('refuses a database of another program, a file of text, and a damaged row of its own', async () => {
    using directory = temporaryDirectory();
    const [store, text, meta] = ['store', 'text', 'meta'].map((name) => join(directory.path, name));
    await (await openLmdbStore(store!)).close();
    await expect(openLmdbTable(store!, OPTIONS)).rejects.toThrow('another program or version');
    await withRecords(text!, value('a'));
    writeFileSync(join(text!, 'data.mdb'), 'no database '.repeat(9_000));
    await expect(openLmdbTable(text!, OPTIONS)).rejects.toThrow('is damaged');
    await withRecords(meta!, value('a'));
    await spoil(meta!, Buffer.from('m'), flipLast);
    await expect(openLmdbTable(meta!, OPTIONS)).rejects.toThrow('is damaged');
  });
});

describe('LmdbTable with a damaged record', () => {
  it('says so, leaves it out of listings, and still lists its entry', async () => {
    using directory = temporaryDirectory();
    await withRecords(directory.path, value('a'), value('b'), holder('a', 'h'), holder('a', 'i'));
    await spoil(directory.path, rowKeyOf(A), flipLast);
    await spoil(directory.path, rowKeyOf({ key: 'a', address: 'h' }), flipLast);
    const table = await openLmdbTable(directory.path, OPTIONS);
    expect(table.read(A)).toBe('damaged');
    expect(table.holders('a', undefined, 10).items).toEqual([holder('a', 'i')]);
    expect(table.values('', undefined, 10, 0).items.map(({ key }) => key)).toEqual(['b']);
    expect(table.list(0, RING_SIZE - 1, undefined, 10).items).toHaveLength(4);
    await table.close();
  });

  it('writes any record over it, and counts it once', async () => {
    using directory = temporaryDirectory();
    await withRecords(directory.path, value('a', 'x'.repeat(100), 5_000));
    await spoil(directory.path, rowKeyOf(A), flipLast);
    const table = await openLmdbTable(directory.path, OPTIONS);
    const { bytes } = table.size;
    const [written] = await write(table, merging(value('a', 'x'.repeat(10), 4_000)));
    expect(written).toMatchObject({ kind: 'kept', wasLive: false });
    expect(written).toMatchObject({ before: { key: 'a', version: { wallMs: 5_000 } } });
    expect(table.read(A)).toMatchObject({ version: { wallMs: 4_000 } });
    expect(table.size).toEqual({ records: 1, bytes: bytes - 90 });
    await table.close();
  });

  it('drops it, whatever its version was', async () => {
    using directory = temporaryDirectory();
    await withRecords(directory.path, value('a'));
    await spoil(directory.path, rowKeyOf(A), flipLast);
    const table = await openLmdbTable(directory.path, OPTIONS);
    await write(table, [{ kind: 'drop', id: A, version: value('a', '', 1).version }]);
    expect(table.read(A)).toBeUndefined();
    expect(table.list(0, RING_SIZE - 1, undefined, 10).items).toEqual([]);
    expect(table.size).toEqual({ records: 0, bytes: 0 });
    await table.close();
  });

  it('answers from the record when the entry is damaged, and with neither when both are', async () => {
    using directory = temporaryDirectory();
    await withRecords(directory.path, value('a'), value('b'), value('c'));
    for (const key of ['a', 'b']) {
      const rowKey = rowKeyOf({ key, address: undefined });
      await spoil(directory.path, entryKeyOf(positionOfKey(key, RING_SIZE), rowKey), flipLast);
    }
    await spoil(directory.path, rowKeyOf(A), flipLast);
    const table = await openLmdbTable(directory.path, OPTIONS);
    const { items } = table.list(0, RING_SIZE - 1, undefined, 10);
    expect(items.map(({ key }) => key).sort()).toEqual(['b', 'c']);
    expect(items.map((entry) => entry.version)).toEqual(Array(2).fill(value('b').version));
    await table.close();
  });
});

describe('LmdbTable.write', () => {
  it('puts calls of the same turn, and those during a commit, into one transaction each', async () => {
    using directory = temporaryDirectory();
    const table = await openLmdbTable(directory.path, OPTIONS);
    const order: string[] = [];
    const tracked = async (name: string) => {
      await write(table, merging(value(name)));
      order.push(name);
      // Everything of one transaction is visible as soon as the first of its calls ends.
      return ['a', 'b', 'c', 'd'].filter((key) => table.read({ key, address: undefined }));
    };
    const first = [tracked('a'), tracked('b')];
    await Promise.resolve();
    first.push(tracked('c'));
    expect(await Promise.all(first)).toEqual(Array(3).fill(['a', 'b', 'c']));
    await tracked('d');
    expect(order).toEqual(['a', 'b', 'c', 'd']);
    await table.close();
  });

  it('throws for a key that is too long, and keeps nothing of the call', async () => {
    using directory = temporaryDirectory();
    const table = await openLmdbTable(directory.path, OPTIONS);
    const records = merging(value('a'), value('k'.repeat(513)));
    expect(() => table.write(records, () => undefined, 0)).toThrow(RangeError);
    await write(table, merging(value('b')));
    expect(table.size.records).toBe(1);
    await table.close();
  });

  it('takes more in one turn than fits into one transaction', async () => {
    using directory = temporaryDirectory();
    const table = await openLmdbTable(directory.path, OPTIONS);
    const large = Buffer.alloc(2 ** 20, 1);
    const keys = Array.from({ length: 20 }, (_, index) => `k${index}`);
    await Promise.all(keys.map((key) => write(table, merging(value(key, large)))));
    expect(table.values('', undefined, 100, 0).items).toHaveLength(20);
    await table.close();
  });
});

describe('LmdbTable.close', () => {
  it('waits for writes under way, refuses later ones, and may be repeated', async () => {
    using directory = temporaryDirectory();
    const table = await openLmdbTable(directory.path, OPTIONS);
    const writes = Array.from({ length: 20 }, (_, index) =>
      write(table, merging(value(`k${index}`))),
    );
    const closing = table.close();
    let isCalled = false;
    const late = write(table, merging(value('late'))).catch((error: unknown) => {
      isCalled = true;
      return error;
    });
    expect(isCalled).toBe(false);
    expect(await Promise.all(writes)).toHaveLength(20);
    expect(await late).toEqual(new Error('the table is closed'));
    await closing;
    await table.close();
    expect(() => table.read(A)).toThrow('closed');
    expect(() => table.list(0, 1, undefined, 1)).toThrow('closed');
  });
});
