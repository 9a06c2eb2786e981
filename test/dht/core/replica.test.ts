import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { INTEREST_MS } from '../../../services/dht/core/interests.js';
import { childrenOf, isSameDigest, MerkleTree } from '../../../services/dht/core/merkle.js';
import type { StorePurpose, TableAnswer } from '../../../services/dht/core/messages.js';
import type { TableRecord } from '../../../services/dht/core/record.js';
import { AHEAD_MS_MAX } from '../../../services/dht/core/version.js';
import { peer } from '../../peer/ring-text.js';
import { Replicas, withDamaged, withFailedDisk, type ReplicaPeer } from './replicas.js';
import { NOTED, stored } from './scripted-peers.js';
import { deleted, holder, NOW_MS, textOf, value, valueId, version } from './sample-records.js';

const ROOT = { level: 0, index: 0 };
const MAX = Number.MAX_SAFE_INTEGER;

function scene(records: readonly TableRecord[] = [], recordsMax?: number) {
  const world = new Replicas();
  const one = world.add(20, records, recordsMax);
  return { world, one };
}

const watching = (key: string) => ({ kind: 'watch', key, known: undefined }) as const;

/** The tree has exactly what the table has. */
function expectTreeFollows({ tree, entries }: ReplicaPeer, ringSize: number): void {
  const fresh = new MerkleTree(ringSize);
  for (const entry of entries) fresh.add(entry);
  for (const part of [ROOT, ...childrenOf(ROOT)]) {
    expect(isSameDigest(tree.digestOf(part), fresh.digestOf(part))).toBe(true);
  }
}

describe('Replica.answer to store', () => {
  it('keeps the record, and answers when it is on disk', () => {
    const { world, one } = scene();
    const answers: TableAnswer[] = [];
    const question = { kind: 'store', records: [value('a', 5)], purpose: 'write' } as const;
    one.replica.answer(peer(30), question, (answer) => answers.push(answer));
    expect({ answers, names: one.names }).toEqual({ answers: [], names: '' });
    world.run();
    expect({ answers, names: one.names }).toEqual({
      answers: [stored(version(5))],
      names: 'a@5',
    });
  });

  it('tells what is there now, and whether something live was there before', () => {
    const { world, one } = scene([value('a', 5), deleted(value('b', 4), 5)]);
    const records = [value('a', 4), value('a', 6), value('b', 6), value('c', 1)];
    expect(world.store(one, ...records)).toEqual({
      kind: 'stored',
      results: [
        { version: version(5), wasLive: true },
        { version: version(6), wasLive: true },
        { version: version(6), wasLive: false },
        { version: version(1), wasLive: false },
      ],
    });
  });

  it.each([
    { ahead: AHEAD_MS_MAX, kind: 'stored', records: 2 },
    { ahead: AHEAD_MS_MAX + 1, kind: 'ahead', records: 0 },
  ])('answers $kind to a version that is $ahead ms ahead', ({ ahead, kind, records }) => {
    const { world, one } = scene();
    expect(world.store(one, value('a', 5), value('b', NOW_MS + ahead)).kind).toBe(kind);
    expect(one.records).toHaveLength(records);
  });

  it('answers that it is full when one of them has no room', () => {
    const { world, one } = scene([value('a', 5)], 2);
    expect(world.store(one, value('b', 5), value('c', 5))).toEqual({ kind: 'full' });
    expect(world.store(one, value('a', 6))).toEqual(stored(version(6), true));
    expectTreeFollows(one, world.ringSize);
  });

  it('answers that the disk has failed, and leaves the tree as it was', () => {
    const { world, one } = scene([value('a', 5)]);
    const failed = world.addWith(30, withFailedDisk(one.table, world.later));
    for (const entry of one.entries) failed.tree.add(entry);
    failed.interests.add('a', peer(40), 0);
    expect(world.store(failed, value('a', 6), value('b', 6))).toEqual({ kind: 'disk-failed' });
    expectTreeFollows(failed, world.ringSize);
    expect(failed.told).toEqual([]);
    expect(failed.stats.counts.written).toBe(0);
  });

  it.each<{ purpose: StorePurpose; counter: string }>([
    { purpose: 'write', counter: 'written' },
    { purpose: 'hint', counter: 'hinted' },
    { purpose: 'read-repair', counter: 'readRepaired' },
    { purpose: 'transfer', counter: 'transferred' },
  ])('counts the changes of a $purpose as $counter', ({ purpose, counter }) => {
    const { world, one } = scene([value('a', 5)]);
    const before: Readonly<Record<string, number>> = one.stats.counts;
    const records = [value('a', 4), value('a', 5), value('b', 1), value('c', 1)];
    world.answer(one, { kind: 'store', records, purpose });
    expect(one.stats.counts).toEqual({ ...before, [counter]: before[counter]! + 2 });
  });
});

describe('Replica, keeping its hash tree', () => {
  it('follows every write', () => {
    const numbers = fc.integer({ min: 0, max: 9 });
    const steps = fc.array(fc.tuple(numbers, numbers, fc.constantFrom('store', 'drop', 'die')), {
      maxLength: 30,
    });
    fc.assert(
      fc.property(steps, (all) => {
        const { world, one } = scene([], 8);
        for (const [number, wallMs, kind] of all) {
          const record =
            number % 2 === 0 ? value(`k${number}`, wallMs) : holder('k', `${number}`, wallMs);
          if (kind === 'store') world.store(one, record);
          else if (kind === 'die') world.store(one, deleted(record, wallMs));
          else {
            const claims = [{ id: record, version: record.version }];
            world.answer(one, { kind: 'drop', claims });
          }
        }
        expectTreeFollows(one, world.ringSize);
      }),
      { numRuns: 50 },
    );
  });
});

describe('Replica, telling those who wait for a key', () => {
  const interested = (key = 'a') => {
    const { world, one } = scene();
    world.answer(one, watching(key), peer(30));
    world.answer(one, watching(key), peer(40));
    return { world, one };
  };

  it('tells all of them of a change, once', () => {
    const { world, one } = interested();
    world.store(one, value('a', 5), value('b', 5));
    expect(one.told).toEqual(['a@5 to [p30 p40]']);
    world.store(one, value('a', 5), value('a', 4));
    expect(one.told).toHaveLength(1);
    world.store(one, deleted(value('a', 5), 6));
    expect(one.told.slice(1)).toEqual(['a@6 to [p30 p40]']);
  });

  it.each<StorePurpose>(['write', 'hint', 'read-repair', 'transfer'])(
    'tells of a change by a %s',
    (purpose) => {
      const { world, one } = interested();
      world.answer(one, { kind: 'store', records: [value('a', 5)], purpose });
      expect(one.told).toHaveLength(1);
    },
  );

  it('tells nobody of holders', () => {
    const { world, one } = interested();
    world.store(one, holder('a', 'h', 5));
    expect(one.told).toEqual([]);
  });

  it('tells nobody of what is dropped', () => {
    const { world, one } = interested();
    world.store(one, value('a', 5));
    world.answer(one, { kind: 'drop', claims: [{ id: valueId('a'), version: version(5) }] });
    expect(one.told).toHaveLength(1);
  });

  it('tells of nothing before it is on disk', () => {
    const { world, one } = interested();
    const question = { kind: 'store', records: [value('a', 5)], purpose: 'write' } as const;
    one.replica.answer(peer(50), question, () => undefined);
    expect(one.told).toEqual([]);
    world.run();
    expect(one.told).toHaveLength(1);
  });

  it('tells nobody whose interest has ended', () => {
    const { world, one } = interested();
    one.steadyMs = INTEREST_MS - 1;
    world.answer(one, watching('a'), peer(40));
    one.steadyMs = INTEREST_MS;
    world.store(one, value('a', 5));
    expect(one.told).toEqual(['a@5 to [p40]']);
  });

  it('tells nobody who only fetched', () => {
    const { world, one } = scene();
    world.answer(one, { kind: 'fetch', id: valueId('a'), known: undefined }, peer(30));
    world.store(one, value('a', 5));
    expect(one.told).toEqual([]);
  });
});

describe('Replica.answer to fetch', () => {
  const fetchOf = (key: string, known?: number) =>
    ({
      kind: 'fetch',
      id: valueId(key),
      known: known === undefined ? known : version(known),
    }) as const;

  it.each([
    { title: 'the record', key: 'a', known: undefined, expected: 'a@5' },
    { title: 'the record to one that knows an older version', key: 'a', known: 4, expected: 'a@5' },
    { title: 'the record to one that knows a newer version', key: 'a', known: 6, expected: 'a@5' },
    { title: 'a tombstone', key: 'b', known: undefined, expected: 'deleted' },
    { title: 'nothing', key: 'c', known: undefined, expected: undefined },
    { title: 'nothing to one that knows a version', key: 'c', known: 5, expected: undefined },
  ])('sends $title', ({ key, known, expected }) => {
    const { world, one } = scene([value('a', 5), deleted(value('b', 4), 5)]);
    const answer = world.answer(one, fetchOf(key, known));
    const record =
      answer.kind === 'fetched' && answer.record !== 'same' ? answer.record : undefined;
    expect(textOf(record)).toBe(expected);
    expect(answer).toMatchObject({ kind: 'fetched', isWhole: true });
  });

  it('sends no record to one that has the same version', () => {
    const { world, one } = scene([value('a', 5)]);
    for (const question of [fetchOf('a', 5), { ...watching('a'), known: version(5) }]) {
      expect(world.answer(one, question)).toMatchObject({ record: 'same', isWhole: true });
    }
  });

  it('says that a record is damaged, whatever version is known', () => {
    const { world, one } = scene([value('a', 5)]);
    const damaged = world.addWith(30, withDamaged(one.table, 'a'));
    expect(world.answer(damaged, fetchOf('a', 5))).toMatchObject({ record: 'damaged' });
  });

  it('says that it has not got everything', () => {
    const { world, one } = scene();
    one.isWhole = false;
    for (const question of [fetchOf('a'), watching('a')]) {
      expect(world.answer(one, question)).toMatchObject({ record: undefined, isWhole: false });
    }
  });
});

describe('Replica.answer to fetch-holders', () => {
  it('lists the holders of the key, the dead too, page by page', () => {
    const holders = Array.from({ length: 300 }, (_, index) => holder('a', `h${index}`, 5));
    const { world, one } = scene([...holders, value('a', 5), holder('ab', 'h', 5)]);
    world.store(one, deleted(holder('a', 'h0', 5), 6));
    const pages: number[] = [];
    const addresses = new Set<string | undefined>();
    let after: string | undefined;
    do {
      const answer = world.answer(one, { kind: 'fetch-holders', key: 'a', after });
      if (answer.kind !== 'holders') throw new Error(answer.kind);
      expect(answer.isWhole).toBe(true);
      for (const { address } of answer.records) addresses.add(address);
      pages.push(answer.records.length);
      after = answer.next;
    } while (after !== undefined);
    expect(pages).toEqual([256, 44]);
    expect(addresses.size).toBe(300);
    one.isWhole = false;
    const question = { kind: 'fetch-holders', key: 'x', after } as const;
    expect(world.answer(one, question)).toEqual({
      kind: 'holders',
      records: [],
      next: undefined,
      isWhole: false,
    });
  });
});

describe('Replica.answer to compare', () => {
  it.each([true, false])('sends the digests in the order asked for, being whole: %s', (isWhole) => {
    const { world, one } = scene([value('a', 5), value('b', 5)]);
    one.isWhole = isWhole;
    const parts = [...childrenOf(ROOT), ROOT];
    const digests = parts.map((part) => one.tree.digestOf(part));
    const spans = [{ first: 0, last: 1 }];
    const answer = world.answer(one, { kind: 'compare', parts, spans });
    expect(answer).toEqual({ kind: 'digests', digests, isWhole });
    expect(digests.at(-1)?.count).toBe(2);
  });
});

describe('Replica.answer to list', () => {
  it('sends the entries of a span, a thousand at a time', () => {
    const { world, one } = scene(Array.from({ length: 1_001 }, (_, at) => value(`k${at}`, 5, '')));
    const span = { first: 0, last: MAX };
    const first = world.answer(one, { kind: 'list', span, after: undefined });
    if (first.kind !== 'entries') throw new Error(first.kind);
    const rest = world.answer(one, { kind: 'list', span, after: first.next });
    if (rest.kind !== 'entries') throw new Error(rest.kind);
    expect(rest).toMatchObject({ next: undefined });
    expect([...first.entries, ...rest.entries]).toEqual(one.entries);
    expect(first.entries).toHaveLength(1_000);
  });

  it('sends nothing of other positions', () => {
    const { world, one } = scene([value('a', 5), value('b', 5), value('c', 5)]);
    const [, middle] = one.entries;
    const span = { first: middle!.position, last: middle!.position };
    const answer = world.answer(one, { kind: 'list', span, after: undefined });
    expect(answer).toEqual({ kind: 'entries', entries: [middle], next: undefined });
  });
});

describe('Replica.answer to take', () => {
  it('sends the records, and tells how many it looked at', () => {
    const { world, one } = scene([value('a', 5), holder('a', 'h', 5)]);
    const ids = [valueId('a'), valueId('b'), { key: 'a', address: 'h' }];
    expect(world.answer(one, { kind: 'take', ids })).toEqual({
      kind: 'records',
      records: [value('a', 5), holder('a', 'h', 5)],
      looked: 3,
    });
  });
});

describe('Replica.answer to lacking', () => {
  const claims = [
    { id: valueId('a'), version: version(5) },
    { id: valueId('a'), version: version(6) },
    { id: valueId('a'), version: version(4) },
    { id: valueId('b'), version: version(1) },
    { id: { key: 'a', address: 'a' }, version: version(1) },
  ];

  it.each([
    { isWhole: true, standing: 'whole' },
    { isWhole: false, standing: 'partial' },
  ])('names what it lacks and what is outdated, as one that is $standing', (row) => {
    const { world, one } = scene([value('a', 5)]);
    one.isWhole = row.isWhole;
    expect(world.answer(one, { kind: 'lacking', claims })).toEqual({
      kind: 'lacking',
      absent: [3, 4],
      older: [1],
      newer: [2],
      standing: row.standing,
    });
  });
});

describe('Replica.drop', () => {
  const claim = (key: string, wallMs: number) => ({ id: valueId(key), version: version(wallMs) });

  it('takes out what still has the version, and leaves the rest', () => {
    const { world, one } = scene([value('a', 5), value('b', 5), value('c', 5)]);
    const claims = [claim('a', 5), claim('b', 4), claim('c', 6)];
    expect(world.answer(one, { kind: 'drop', claims })).toEqual(NOTED);
    expect(one.names).toBe('b@5 c@5');
    expectTreeFollows(one, world.ringSize);
  });

  it.each([
    { title: 'what was there', claims: [claim('a', 5), claim('b', 5)], expected: 2 },
    { title: 'nothing in other versions', claims: [claim('a', 4), claim('b', 6)], expected: 0 },
    { title: 'nothing that was not there', claims: [claim('a', 5), claim('x', 5)], expected: 1 },
    { title: 'nothing of nothing', claims: [], expected: 0 },
  ])('counts $title', ({ claims, expected }) => {
    const { world, one } = scene([value('a', 5), value('b', 5)]);
    const counts: number[] = [];
    one.replica.drop(claims, (dropped) => counts.push(dropped));
    world.run();
    expect(counts).toEqual([expected]);
  });

  it('counts nothing when the disk has failed', () => {
    const { world, one } = scene([value('a', 5)]);
    const failed = world.addWith(30, withFailedDisk(one.table, world.later));
    const counts: number[] = [];
    failed.replica.drop([claim('a', 5)], (dropped) => counts.push(dropped));
    world.run();
    expect(counts).toEqual([0]);
  });
});
