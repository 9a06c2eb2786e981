import { describe, expect, it } from 'vitest';
import type { RecordId, TableRecord } from '../../services/dht/core/record.js';
import type { Page, Table, Write, Written } from '../../services/dht/core/table.js';
import type { Version } from '../../services/dht/core/version.js';
import { positionOfKey } from '../../services/hash/core/digest.js';

/** A table for one test, gone after it. */
export type TestTable = AsyncDisposable & { readonly table: Table };
export type TestTableOptions = { readonly recordsMax?: number; readonly bytesMax?: number };
export type OpenTestTable = (options?: TestTableOptions) => Promise<TestTable>;

export const RING_SIZE = 2 ** 53;
export const GRACE_MS = 1_000;
const NOW_MS = 1_000_000;

export const version = (wallMs: number, counter = 0, writer = 7): Version => ({
  wallMs,
  counter,
  writer,
});

export function value(key: string, bytes: string | Uint8Array = 'v', wallMs = NOW_MS): TableRecord {
  const content = { kind: 'value', bytes: Buffer.from(bytes) } as const;
  return { key, address: undefined, version: version(wallMs), content, expiresAtMs: undefined };
}

export function holder(key: string, address: string, wallMs = NOW_MS): TableRecord {
  const content = { kind: 'holder', since: version(1, 2, 3) } as const;
  return { key, address, version: version(wallMs), content, expiresAtMs: NOW_MS + 5_000 };
}

const deleted = (record: TableRecord, wallMs = NOW_MS): TableRecord => ({
  ...record,
  version: version(wallMs),
  content: { kind: 'deleted' },
  expiresAtMs: undefined,
});

const merging = (record: TableRecord): Write => ({ kind: 'merge', record });
const idOf = ({ key, address }: RecordId): RecordId => ({ key, address });
const valueId = (key: string): RecordId => ({ key, address: undefined });
const dropping = (record: TableRecord): Write => ({
  kind: 'drop',
  id: idOf(record),
  version: record.version,
});

export function write(
  table: Table,
  writes: readonly Write[],
  nowMs = NOW_MS,
): Promise<readonly Written[]> {
  return new Promise((resolve, reject) => {
    const done = (written: readonly Written[] | Error) =>
      written instanceof Error ? reject(written) : resolve(written);
    table.write(writes, done, nowMs);
  });
}

const put = (table: Table, ...records: readonly TableRecord[]) =>
  write(table, records.map(merging));

/** Comparable: bytes as they are, whatever class holds them. */
function shown(record: TableRecord | 'damaged' | undefined) {
  if (record === undefined || record === 'damaged' || record.content.kind !== 'value') {
    return record;
  }
  return { ...record, content: { bytes: Buffer.from(record.content.bytes).toString('base64') } };
}

function entryOf(record: TableRecord) {
  const { key, address } = record;
  const endMs = record.content.kind === 'deleted' ? record.version.wallMs : record.expiresAtMs;
  return {
    key,
    address,
    version: record.version,
    endMs,
    position: positionOfKey(key, RING_SIZE),
  };
}

function pagesOf<Item>(page: (after: string | undefined) => Page<Item>): readonly Page<Item>[] {
  const pages = [page(undefined)];
  for (let next = pages[0]!.next; next !== undefined; next = pages.at(-1)!.next) {
    pages.push(page(next));
  }
  return pages;
}

const itemsOf = <Item>(pages: readonly Page<Item>[]) => pages.flatMap(({ items }) => items);

function inByteOrder(keys: readonly string[]) {
  return [...keys].sort((one, other) => Buffer.compare(Buffer.from(one), Buffer.from(other)));
}

export function describeTableContract(name: string, open: OpenTestTable) {
  describe(`${name} as a table`, () => {
    describe('write', () => describeWrite(open));
    describe('read', () => describeRead(open));
    describe('size', () => describeSize(open));
    describe('list', () => describeList(open));
    describe('holders', () => describeHolders(open));
    describe('values', () => describeValues(open));
  });
}

function describeWrite(open: OpenTestTable) {
  it('keeps the newer one of two copies, in whatever order they come', async () => {
    await using opened = await open();
    const { table } = opened;
    await put(table, value('a', 'old', NOW_MS), value('b', 'new', NOW_MS + 1));
    await put(table, value('a', 'new', NOW_MS + 1), value('b', 'old', NOW_MS));
    for (const key of ['a', 'b']) {
      expect(shown(table.read(valueId(key)))).toEqual(shown(value(key, 'new', NOW_MS + 1)));
    }
  });

  it('calls later, never at once, and shows nothing before', async () => {
    await using opened = await open();
    const { table } = opened;
    let isDone = false;
    const done = new Promise<void>((resolve) => {
      const writes = [merging(value('a')), merging(holder('a', 'h'))];
      table.write(writes, () => resolve(void (isDone = true)), NOW_MS);
    });
    expect(isDone).toBe(false);
    expect(table.read(valueId('a'))).toBeUndefined();
    expect(table.holders('a', undefined, 10).items).toEqual([]);
    expect(table.values('', undefined, 10, NOW_MS).items).toEqual([]);
    expect(table.list(0, RING_SIZE - 1, undefined, 10).items).toEqual([]);
    expect(table.size.records).toBe(0);
    await done;
    expect(shown(table.read(valueId('a')))).toEqual(shown(value('a')));
    expect(table.size.records).toBe(2);
  });

  it('takes a call without writes', async () => {
    await using opened = await open();
    expect(await write(opened.table, [])).toEqual([]);
  });

  it('tells what was there before, what is there now, and whether it was live', async () => {
    await using opened = await open();
    const { table } = opened;
    const first = { ...value('a', '1', NOW_MS), expiresAtMs: NOW_MS + 10 };
    const second = value('a', '2', NOW_MS + 1);
    const third = deleted(first, NOW_MS + 2);
    const kept = (before: TableRecord | undefined, after: TableRecord | undefined) => ({
      kind: 'kept',
      before: before && entryOf(before),
      after: after && entryOf(after),
    });
    expect(await put(table, first)).toEqual([{ ...kept(undefined, first), wasLive: false }]);
    expect(await write(table, [merging(first)], NOW_MS + 9)).toEqual([
      { ...kept(first, first), wasLive: true },
    ]);
    expect(await write(table, [merging(second)], NOW_MS + 10)).toEqual([
      { ...kept(first, second), wasLive: false },
    ]);
    expect(await put(table, first)).toEqual([{ ...kept(second, second), wasLive: true }]);
    expect(await put(table, third)).toEqual([{ ...kept(second, third), wasLive: true }]);
    expect(await write(table, [dropping(third)])).toEqual([
      { ...kept(third, undefined), wasLive: false },
    ]);
    expect(await write(table, [dropping(third)])).toEqual([
      { ...kept(undefined, undefined), wasLive: false },
    ]);
  });

  it('drops a record only when it has the version that is meant', async () => {
    await using opened = await open();
    const { table } = opened;
    const newer = value('a', '2', NOW_MS + 1);
    await put(table, newer, holder('a', 'h'));
    await write(table, [dropping(value('a', '1', NOW_MS))]);
    expect(shown(table.read(valueId('a')))).toEqual(shown(newer));
    await write(table, [dropping(newer)]);
    expect(table.read(valueId('a'))).toBeUndefined();
    expect(table.list(0, RING_SIZE - 1, undefined, 10).items).toEqual([entryOf(holder('a', 'h'))]);
  });

  it('applies writes of one record in their order, in one call and in many', async () => {
    await using opened = await open();
    const { table } = opened;
    const versions = Array.from({ length: 5 }, (_, index) =>
      value('a', String(index), NOW_MS + index),
    );
    const calls = [
      write(table, [merging(versions[1]!), merging(versions[0]!), dropping(versions[1]!)]),
      write(table, [merging(versions[0]!), merging(versions[2]!), dropping(versions[0]!)]),
      write(table, [merging(versions[3]!)]),
      write(table, [merging(versions[1]!), merging(versions[4]!)]),
    ];
    const written = (await Promise.all(calls)).flat();
    const counts = written.map((each) => {
      if (each.kind === 'full') return 'full';
      return [each.before, each.after].map((entry) => entry && entry.version.wallMs - NOW_MS);
    });
    expect(counts).toEqual([
      [undefined, 1],
      [1, 1],
      [1, undefined],
      [undefined, 0],
      [0, 2],
      [2, 2],
      [2, 3],
      [3, 3],
      [3, 4],
    ]);
    expect(shown(table.read(valueId('a')))).toEqual(shown(versions[4]));
    expect(table.size.records).toBe(1);
    expect(table.list(0, RING_SIZE - 1, undefined, 10).items).toEqual([entryOf(versions[4]!)]);
  });

  it('leaves no trace of a record that came and went in one call', async () => {
    await using opened = await open();
    const { table } = opened;
    await write(table, [merging(value('a')), dropping(value('a'))]);
    expect(table.read(valueId('a'))).toBeUndefined();
    expect(table.list(0, RING_SIZE - 1, undefined, 10)).toEqual({ items: [], next: undefined });
    expect(table.size).toEqual({ records: 0, bytes: 0 });
  });

  it('ignores a record that could be collected at once, unless it wins over another', async () => {
    await using opened = await open();
    const { table } = opened;
    const over = deleted(value('a'), NOW_MS - GRACE_MS);
    const notYet = deleted(value('b'), NOW_MS - GRACE_MS + 1);
    await put(table, over, notYet, value('c', 'v', 1));
    await put(table, deleted(value('c'), 2));
    expect(table.read(valueId('a'))).toBeUndefined();
    expect(table.read(valueId('b'))).toEqual(notYet);
    expect(table.read(valueId('c'))).toEqual(deleted(value('c'), 2));
  });

  it('ends every one of many calls at once', async () => {
    await using opened = await open();
    const { table } = opened;
    const keys = Array.from({ length: 1_500 }, (_, index) => `k${index}`);
    await Promise.all(keys.map((key) => put(table, value(key, key))));
    expect(table.size.records).toBe(keys.length);
    for (const key of keys) expect(shown(table.read(valueId(key)))).toEqual(shown(value(key, key)));
  });
}

function describeRead(open: OpenTestTable) {
  const long = 'k'.repeat(512);
  const records: readonly { title: string; record: TableRecord }[] = [
    { title: 'a value of 0 bytes', record: value('a', '') },
    { title: 'a value of 1 byte', record: value('a', Uint8Array.of(255)) },
    { title: 'a value of 1 MiB', record: value('a', Buffer.alloc(2 ** 20, 'abc')) },
    { title: 'a value that expires', record: { ...value('a'), expiresAtMs: NOW_MS + 1 } },
    { title: 'a deleted value', record: deleted(value('a')) },
    { title: 'a holder', record: holder('a', '127.0.0.1:1') },
    { title: 'a deleted holder', record: deleted(holder('a', '127.0.0.1:1')) },
    { title: 'an address of 4,096 bytes', record: holder(long, 'ä'.repeat(2_048)) },
    { title: 'a key of 512 bytes', record: value(long) },
    { title: 'a key of one NUL', record: value('\u0000') },
    { title: 'a key that ends with NUL', record: value('a\u0000') },
    { title: 'a key of emoji', record: value('\u{1F600}'.repeat(128)) },
    { title: 'a key with a byte order mark', record: holder('\uFEFFa', '\uFEFFb') },
    {
      title: 'the largest version',
      record: { ...value('a'), version: version(2 ** 53 - 1, 2 ** 16 - 1, 2 ** 53 - 1) },
    },
  ];

  it.each(records)('gives back $title', async ({ record }) => {
    await using opened = await open();
    const { table } = opened;
    await put(table, record);
    expect(shown(table.read(idOf(record)))).toEqual(shown(record));
    expect(table.list(0, RING_SIZE - 1, undefined, 10).items).toEqual([entryOf(record)]);
  });

  it('answers with nothing for what is not there', async () => {
    await using opened = await open();
    const { table } = opened;
    await put(table, value('a'), holder('a', 'h'));
    const absent = [valueId('b'), { key: 'a', address: 'i' }, { key: 'ah', address: undefined }];
    for (const id of absent) expect(table.read(id)).toBeUndefined();
  });

  it('gives bytes that later writes and reads leave alone', async () => {
    await using opened = await open();
    const { table } = opened;
    await put(table, value('a', 'x'.repeat(100)), value('b', 'y'.repeat(100)));
    const record = table.read(valueId('a'));
    await put(table, value('a', 'z'.repeat(100), NOW_MS + 1));
    table.read(valueId('b'));
    expect(shown(record)).toEqual(shown(value('a', 'x'.repeat(100))));
  });
}

function describeSize(open: OpenTestTable) {
  it('grows and shrinks with what is kept, tombstones too', async () => {
    await using opened = await open();
    const { table } = opened;
    await put(table, value('a', 'x'.repeat(1_000)), holder('a', 'h'));
    const { records, bytes } = table.size;
    expect(records).toBe(2);
    expect(bytes).toBeGreaterThan(1_000);
    await put(table, deleted(value('a'), NOW_MS + 1));
    expect(table.size.records).toBe(2);
    expect(table.size.bytes).toBe(bytes - 1_000);
    await write(table, [
      dropping(deleted(value('a'), NOW_MS + 1)),
      dropping(holder('a', 'h')),
      dropping(value('never there')),
    ]);
    expect(table.size).toEqual({ records: 0, bytes: 0 });
  });

  it('refuses one record more than it has room for, and nothing else', async () => {
    await using opened = await open({ recordsMax: 2 });
    const { table } = opened;
    const written = await put(table, value('a'), value('b'), value('c'), deleted(value('d')));
    expect(written.map(({ kind }) => kind)).toEqual(['kept', 'kept', 'full', 'full']);
    expect(table.read(valueId('c'))).toBeUndefined();
    const newer = value('a', 'longer', NOW_MS + 1);
    const others = [merging(newer), dropping(value('b')), merging(value('c')), merging(value('e'))];
    expect((await write(table, others)).map(({ kind }) => kind)).toEqual([
      'kept',
      'kept',
      'kept',
      'full',
    ]);
    expect(table.list(0, RING_SIZE - 1, undefined, 10).items).toHaveLength(2);
    expect(table.size.records).toBe(2);
  });

  it('refuses more bytes than it has room for, but lets a record shrink', async () => {
    await using opened = await open({ bytesMax: 1_000 });
    const { table } = opened;
    const large = value('a', 'x'.repeat(800));
    const written = await put(
      table,
      large,
      value('b', 'x'.repeat(800)),
      value('a', 'x'.repeat(1_000), NOW_MS + 1),
      value('a', 'x'.repeat(700), NOW_MS + 2),
    );
    expect(written.map(({ kind }) => kind)).toEqual(['kept', 'full', 'full', 'kept']);
    expect(shown(table.read(valueId('a')))).toEqual(shown(value('a', 'x'.repeat(700), NOW_MS + 2)));
    expect(table.read(valueId('b'))).toBeUndefined();
  });
}

function describeList(open: OpenTestTable) {
  const records = Array.from({ length: 100 }, (_, index) =>
    index % 3 === 0 ? holder(`k${index >> 2}`, `h${index}`) : value(`k${index}`),
  );
  const entries = records.map(entryOf).sort((one, other) => one.position - other.position);
  const positions = entries.map(({ position }) => position);

  it.each([1, 7, 99, 100, 101])('lists all in order of position, %i a page', async (limit) => {
    await using opened = await open();
    const { table } = opened;
    await put(table, ...records);
    const pages = pagesOf((after) => table.list(0, RING_SIZE - 1, after, limit));
    expect(pages).toHaveLength(Math.ceil(100 / limit));
    const listed = itemsOf(pages);
    expect(listed.map(({ position }) => position)).toEqual(positions);
    expect(listed).toEqual(expect.arrayContaining(entries));
  });

  it('lists both bounds of a range, and nothing beyond', async () => {
    await using opened = await open();
    const { table } = opened;
    await put(table, ...records);
    const listed = (first: number, last: number) =>
      table.list(first, last, undefined, 1_000).items.map(({ position }) => position);
    const [first, last] = [positions[10]!, positions[80]!];
    const within = (from: number, to: number) =>
      positions.filter((position) => position >= from && position <= to);
    expect(listed(first, last)).toEqual(within(first, last));
    expect(listed(first + 1, last - 1)).toEqual(within(first + 1, last - 1));
    expect(listed(first, first)).toEqual(within(first, first));
    expect(listed(first + 1, first + 1)).toEqual([]);
    expect(listed(0, positions[0]!)).toEqual(within(0, positions[0]!));
    expect(listed(positions.at(-1)!, RING_SIZE - 1)).toEqual(
      within(positions.at(-1)!, RING_SIZE - 1),
    );
  });

  it('lists nothing when the range is empty, or ends before it begins', async () => {
    await using opened = await open();
    const { table } = opened;
    const nothing = { items: [], next: undefined };
    expect(table.list(0, RING_SIZE - 1, undefined, 10)).toEqual(nothing);
    await put(table, ...records);
    expect(table.list(positions[80]!, positions[10]!, undefined, 10)).toEqual(nothing);
    expect(table.list(RING_SIZE - 1, 0, undefined, 10)).toEqual(nothing);
  });

  it('goes on behind a record that is gone, and from a page of a range further down', async () => {
    await using opened = await open();
    const { table } = opened;
    await put(table, ...records);
    const { items, next } = table.list(0, RING_SIZE - 1, undefined, 10);
    const last = items.at(-1)!;
    await write(table, [{ kind: 'drop', id: idOf(last), version: last.version }]);
    const after = table.list(0, RING_SIZE - 1, next, 10).items;
    expect(after.map(({ position }) => position)).toEqual(positions.slice(10, 20));
    const further = table.list(positions[50]!, RING_SIZE - 1, next, 1).items;
    expect(further.map(({ position }) => position)).toEqual([positions[50]]);
  });
}

function describeHolders(open: OpenTestTable) {
  it('keeps the holders of keys apart that begin alike, or run together with addresses', async () => {
    await using opened = await open();
    const { table } = opened;
    const all = [
      holder('a', 'b'),
      holder('a', 'bc'),
      deleted(holder('a', 'c')),
      holder('ab', ''),
      holder('ab', 'c'),
      holder('abc', 'a'),
      holder('a\u0000', 'b'),
      holder('a\u{10FFFF}', 'b'),
    ];
    await put(table, ...all, ...['a', 'ab', 'abc', 'b'].map((key) => value(key)));
    for (const key of ['a', 'ab', 'abc', 'a\u0000', 'a\u{10FFFF}', '', 'b']) {
      const expected = all.filter((record) => record.key === key);
      const listed = table.holders(key, undefined, 100);
      expect(listed.next).toBeUndefined();
      expect(listed.items).toHaveLength(expected.length);
      expect(listed.items).toEqual(expect.arrayContaining(expected));
    }
  });

  it.each([1, 3, 10, 11])('lists 10 holders, %i a page', async (limit) => {
    await using opened = await open();
    const { table } = opened;
    const all = Array.from({ length: 10 }, (_, index) => holder('a', `h${index}`));
    await put(table, ...all, holder('b', 'h'));
    const pages = pagesOf((after) => table.holders('a', after, limit));
    expect(pages).toHaveLength(Math.ceil(10 / limit));
    expect(itemsOf(pages)).toHaveLength(10);
    expect(itemsOf(pages)).toEqual(expect.arrayContaining(all));
  });
}

function describeValues(open: OpenTestTable) {
  const keys = inByteOrder([
    'a',
    'a\u0000',
    'aa',
    'ab',
    'b',
    'ba',
    '\uFFFD',
    '\u{10000}',
    '\uD7FF',
  ]);

  it.each([
    { prefix: '', expected: keys },
    { prefix: 'a', expected: ['a', 'a\u0000', 'aa', 'ab'] },
    { prefix: 'a', after: 'a', expected: ['a\u0000', 'aa', 'ab'] },
    { prefix: 'a', after: 'aaz', expected: ['ab'] },
    { prefix: 'b', after: 'a', expected: ['b', 'ba'] },
    { prefix: 'a', after: 'b', expected: [] },
    { prefix: 'c', expected: [] },
    { prefix: 'a'.repeat(5_000), expected: [] },
    { prefix: '', after: 'a'.repeat(5_000), expected: keys.slice(keys.indexOf('ab')) },
    { prefix: '', after: 'ba', expected: ['\uD7FF', '\uFFFD', '\u{10000}'] },
  ])('lists $expected for prefix $prefix behind $after', async ({ prefix, after, expected }) => {
    await using opened = await open();
    const { table } = opened;
    const holders = ['a', 'aa', 'ab', 'b', '\u{10000}'].map((key) => holder(key, 'h'));
    await put(table, ...[...keys].reverse().map((key) => value(key)), ...holders);
    const page = table.values(prefix, after, 100, NOW_MS);
    expect(page.items.map(({ key }) => key)).toEqual(expected);
    expect(page.next).toBeUndefined();
    const pages = pagesOf((next) => table.values(prefix, next ?? after, 2, NOW_MS));
    expect(itemsOf(pages).map(({ key }) => key)).toEqual(expected);
  });

  it('tells the size, the version and the expiry of what is live', async () => {
    await using opened = await open();
    const { table } = opened;
    const expiring = { ...value('a', '12345'), expiresAtMs: NOW_MS + 1 };
    const expired = { ...value('b'), expiresAtMs: NOW_MS };
    await put(table, expiring, expired, deleted(value('c')), value('d', ''));
    expect(table.values('', undefined, 10, NOW_MS)).toEqual({
      items: [
        { key: 'a', sizeBytes: 5, version: version(NOW_MS), expiresAtMs: NOW_MS + 1 },
        { key: 'd', sizeBytes: 0, version: version(NOW_MS), expiresAtMs: undefined },
      ],
      next: undefined,
    });
  });

  it('looks at no more than ten times as many rows as it may return', async () => {
    await using opened = await open();
    const { table } = opened;
    const dead = Array.from({ length: 25 }, (_, index) => deleted(value(`a${index + 10}`)));
    await put(table, ...dead, value('b'));
    const pages = pagesOf((after) => table.values('', after, 1, NOW_MS));
    expect(pages.map(({ items }) => items.length)).toEqual([0, 0, 1]);
    expect(pages.map(({ next }) => next)).toEqual(['a19', 'a29', undefined]);
  });
}
