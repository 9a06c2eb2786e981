import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { positionOfKey } from '../../../services/hash/core/digest.js';
import { idText, merge, type TableRecord } from '../../../services/dht/core/record.js';
import { isInSpans, union, type Span } from '../../../services/dht/core/span.js';
import {
  BATCH_BYTES_MAX,
  BATCH_RECORDS_MAX,
  collect,
  give,
  synchronize,
  type SyncResult,
} from '../../../services/dht/core/synchronize.js';
import { Replicas, withDamaged, type ReplicaPeer } from './replicas.js';
import { ScriptedPeers, SELF } from './scripted-peers.js';
import { deleted, holder, idOf, nameOfRecord, value, valueId } from './sample-records.js';

const RING_SIZE = 2 ** 31;
const ALL: readonly Span[] = [{ first: 0, last: RING_SIZE - 1 }];

/** Many records, by index, all of the same version. */
const many = (count: number, from = 0) =>
  Array.from({ length: count }, (_, index) => value(`m${from + index}`, 1, ''));

/** p20 and p30 with these records, and how p20 synchronizes with p30. */
function pair(
  mine: readonly TableRecord[],
  theirs: readonly TableRecord[],
  { ringSize = RING_SIZE, spans = ALL }: { ringSize?: number; spans?: readonly Span[] } = {},
) {
  const world = new Replicas(ringSize);
  const [one, other] = [world.add(20, mine), world.add(30, theirs)];
  const sync = (direction: 'both' | 'push' = 'both'): SyncResult => {
    const { self, tree, table } = one;
    const partner = other.self;
    return world.have(one, synchronize({ self, partner, spans, direction, tree, table }));
  };
  return { world, one, other, sync };
}

const kindsOf = (asked: readonly string[]) => asked.map((line) => line.split(' ')[1]);

describe('synchronize', () => {
  it.each([0, 1, 3_000])('asks one question about %i records that are the same', (count) => {
    const { world, sync } = pair(many(count), many(count));
    expect(sync()).toEqual({ isDone: true, wasPartnerWhole: true, given: 0, taken: 0 });
    expect(kindsOf(world.take())).toEqual(['compare']);
  });

  it('finds one record among a hundred thousand with few questions, whoever lacks it', () => {
    const { world, one, other, sync } = pair(many(100_000), many(100_000));
    for (const [lacking, from] of [
      [one, 'taken'],
      [other, 'given'],
    ] as const) {
      const [entry] = lacking.entries;
      world.answer(lacking, { kind: 'drop', claims: [{ id: entry!, version: entry!.version }] });
      expect(sync()).toMatchObject({ isDone: true, given: 0, taken: 0, [from]: 1 });
      expect(world.take().length).toBeLessThanOrEqual(8);
      expect(lacking.table.size.records).toBe(100_000);
    }
  });

  it('gives everything to one that has nothing, without comparing it piece by piece', () => {
    const { world, one, other, sync } = pair(many(3_000), []);
    expect(sync()).toMatchObject({ isDone: true, given: 3_000, taken: 0 });
    expect(other.names).toBe(one.names);
    const asked = kindsOf(world.take());
    expect(asked.slice(0, 2)).toEqual(['compare', 'list']);
    expect(asked.filter((kind) => kind === 'store')).toHaveLength(12);
    expect(asked).toHaveLength(14);
  });

  it('takes everything when it has nothing itself', () => {
    const { world, one, other, sync } = pair([], many(3_000));
    expect(sync()).toMatchObject({ isDone: true, given: 0, taken: 3_000 });
    expect(one.names).toBe(other.names);
    expect(kindsOf(world.take()).filter((kind) => kind === 'compare')).toHaveLength(1);
  });

  it('keeps the newer version of each, wherever it is', () => {
    const theirs = [value('a', 9), deleted(value('b', 5), 6), holder('c', 'h', 5), value('d', 9)];
    const { one, other, sync } = pair([value('a', 5), value('b', 5), holder('c', 'h', 7)], theirs);
    expect(sync()).toEqual({ isDone: true, wasPartnerWhole: true, given: 1, taken: 3 });
    expect(one.names).toBe('a@9 b@6 c#h@7 d@9');
    expect(other.names).toBe(one.names);
    expect(sync()).toMatchObject({ given: 0, taken: 0 });
  });

  it('counts what it is given and gives as transferred', () => {
    const { one, other, sync } = pair([value('a', 9)], [value('b', 5)]);
    sync();
    expect(one.stats.counts).toMatchObject({ written: 1, transferred: 1 });
    expect(other.stats.counts).toMatchObject({ written: 1, transferred: 1 });
  });

  it('takes nothing when it only pushes', () => {
    const { one, other, sync } = pair(
      [value('a', 5), value('b', 7)],
      [value('a', 9), value('c', 1)],
    );
    expect(sync('push')).toMatchObject({ isDone: true, given: 1, taken: 0 });
    expect(one.names).toBe('a@5 b@7');
    expect(other.names).toBe('a@9 b@7 c@1');
  });

  it('sends large records one at a time, and small ones together', () => {
    const large = ['a', 'b', 'c'].map((key) => value(key, 1, 'x'.repeat(BATCH_BYTES_MAX)));
    const { world, one, other, sync } = pair(large, [value('d', 1, 'x'.repeat(BATCH_BYTES_MAX))]);
    expect(sync()).toMatchObject({ isDone: true, given: 3, taken: 1 });
    expect(kindsOf(world.take()).filter((kind) => kind === 'store')).toHaveLength(3);
    expect(other.names).toBe(one.names);
  });

  it('goes on past a record that is damaged on the other side', () => {
    const world = new Replicas();
    const one = world.add(20);
    const whole = world.add(40, [value('a', 1), value('b', 1)]);
    const other = world.addWith(30, withDamaged(whole.table, 'a'));
    for (const entry of whole.entries) other.tree.add(entry);
    const { self, tree, table } = one;
    const options = {
      self,
      partner: other.self,
      spans: ALL,
      direction: 'both',
      tree,
      table,
    } as const;
    expect(world.have(one, synchronize(options))).toMatchObject({ isDone: true, taken: 1 });
    expect(one.names).toBe('b@1');
  });

  it('is not done when the partner has no room', () => {
    const world = new Replicas();
    const [one, other] = [world.add(20, many(5)), world.add(30, [], 2)];
    const { self, tree, table } = one;
    const options = {
      self,
      partner: other.self,
      spans: ALL,
      direction: 'both',
      tree,
      table,
    } as const;
    expect(world.have(one, synchronize(options))).toMatchObject({
      isDone: false,
      wasPartnerWhole: false,
    });
    expect(one.table.size.records).toBe(5);
  });
});

describe('synchronize, asking whether the partner has everything', () => {
  it.each([true, false])('tells what it says: %s', (isWhole) => {
    const { other, sync } = pair([value('a', 1)], [value('b', 1)]);
    other.isWhole = isWhole;
    expect(sync()).toMatchObject({ isDone: true, wasPartnerWhole: isWhole });
  });

  it('believes only one that had everything from the beginning', () => {
    const { world, one, other, sync } = pair(many(600), many(600, 300));
    one.isWhole = false;
    other.isWhole = false;
    let compared = 0;
    world.arrives = (_to, { kind }) => {
      if (kind === 'compare') other.isWhole = compared++ > 0;
      return true;
    };
    expect(sync()).toMatchObject({ isDone: true, wasPartnerWhole: false });
    expect(compared).toBeGreaterThan(1);
  });

  it('believes only one that has everything until the end', () => {
    const { world, other, sync } = pair(many(600), many(600, 300));
    world.arrives = (_to, { kind }) => {
      if (kind === 'compare') world.later(() => (other.isWhole = false));
      return true;
    };
    expect(sync()).toMatchObject({ isDone: true, wasPartnerWhole: false });
  });

  it('asks also about spans that are smaller than the smallest part', () => {
    const spans = [{ first: 5, last: 9 }];
    const { sync } = pair([], [], { ringSize: 2 ** 53, spans });
    expect(sync()).toMatchObject({ isDone: true, wasPartnerWhole: true });
  });

  it('takes an answer with too few digests for none', () => {
    const { one } = pair([value('a', 1)], []);
    const scripted = new ScriptedPeers();
    const { tree, table } = one;
    const partner = { ringId: 30, address: 'p30', incarnation: 1 };
    const options = { self: SELF, partner, spans: ALL, direction: 'both', tree, table } as const;
    const talking = scripted.start(synchronize(options));
    scripted.answer('p30', { kind: 'digests', digests: [], isWhole: true });
    expect(talking.result).toMatchObject({ isDone: false, wasPartnerWhole: false });
  });
});

/** The body follows from the version: no two bodies have the same one. */
function recordOf(number: number, wallMs: number): TableRecord {
  const key = `k${number}`;
  const record = number % 3 === 0 ? holder(key, 'h', wallMs) : value(key, wallMs);
  return wallMs % 4 === 3 ? deleted(record, wallMs) : record;
}

const recordSets = fc
  .uniqueArray(fc.tuple(fc.nat(30), fc.integer({ min: 1, max: 4 })), {
    maxLength: 25,
    selector: ([number]) => number,
  })
  .map((pairs) => pairs.map(([number, wallMs]) => recordOf(number, wallMs)));

/** Two peers' records on a ring, and the spans that they are to agree on. */
const scenes = fc.constantFrom(1, 7, 65_536, RING_SIZE).chain((ringSize) => {
  const position = fc.integer({ min: 0, max: ringSize - 1 });
  const span = fc
    .tuple(position, position)
    .map(([one, other]) => ({ first: Math.min(one, other), last: Math.max(one, other) }));
  return fc.record({
    ringSize: fc.constant(ringSize),
    spans: fc.array(span, { maxLength: 3 }).map(union),
    mine: recordSets,
    theirs: recordSets,
  });
});

const byId = (records: readonly TableRecord[]) =>
  new Map(records.map((record) => [idText(record), record]));

const sorted = (records: Iterable<TableRecord>) => [...records].map(nameOfRecord).sort();

/** What a table has to have once it agrees with another one about the spans. */
function agreed(
  own: readonly TableRecord[],
  others: readonly TableRecord[],
  isMeant: (record: TableRecord) => boolean,
): readonly string[] {
  const expected = byId(own);
  for (const record of others.filter(isMeant)) {
    const known = expected.get(idText(record));
    expected.set(idText(record), known === undefined ? record : merge(known, record));
  }
  return sorted(expected.values());
}

describe('synchronize, of any two tables', () => {
  it('leaves both with the newest of each record of the spans, and the others as they were', () => {
    fc.assert(
      fc.property(scenes, ({ ringSize, spans, mine, theirs }) => {
        const { one, other, sync } = pair(mine, theirs, { ringSize, spans });
        const isMeant = ({ key }: TableRecord) => isInSpans(positionOfKey(key, ringSize), spans);
        expect(sync().isDone).toBe(true);
        expect(sorted(one.records)).toEqual(agreed(mine, theirs, isMeant));
        expect(sorted(other.records)).toEqual(agreed(theirs, mine, isMeant));
      }),
      { numRuns: 100 },
    );
  });

  it('loses nothing and is not done when the partner falls silent midway', () => {
    fc.assert(
      fc.property(scenes, fc.integer({ min: 0, max: 6 }), (scene, answers) => {
        const { mine, theirs } = scene;
        const { world, one, other, sync } = pair(mine, theirs, scene);
        let arrived = 0;
        world.arrives = () => ++arrived <= answers;
        const { isDone, wasPartnerWhole } = sync();
        expect(isDone).toBe(arrived <= answers);
        if (!isDone) expect(wasPartnerWhole).toBe(false);
        expectNoLoss(one, mine);
        expectNoLoss(other, theirs);
      }),
      { numRuns: 100 },
    );
  });

  it('ends what a silent partner left undone the next time', () => {
    fc.assert(
      fc.property(
        recordSets,
        recordSets,
        fc.integer({ min: 0, max: 4 }),
        (mine, theirs, answers) => {
          const { world, one, other, sync } = pair(mine, theirs);
          let arrived = 0;
          world.arrives = () => ++arrived <= answers;
          sync();
          world.arrives = () => true;
          expect(sync().isDone).toBe(true);
          expect(one.names).toBe(other.names);
        },
      ),
      { numRuns: 50 },
    );
  });
});

function expectNoLoss({ table }: ReplicaPeer, before: readonly TableRecord[]): void {
  for (const record of before) {
    const now = table.read(record);
    expect(typeof now === 'object' && now.version.wallMs >= record.version.wallMs).toBe(true);
  }
}

describe('collect', () => {
  const ids = (records: readonly TableRecord[]) => records.map(idOf);

  it.each([
    { count: 0, taken: 0 },
    { count: 1, taken: 1 },
    { count: BATCH_RECORDS_MAX, taken: BATCH_RECORDS_MAX },
    { count: BATCH_RECORDS_MAX + 1, taken: BATCH_RECORDS_MAX },
  ])('takes $taken of $count records', ({ count, taken }) => {
    const { table } = new Replicas().add(20, many(count));
    const { records, looked } = collect(table, ids(many(count)));
    expect([records.length, looked]).toEqual([taken, taken]);
  });

  it('ends with the record that makes it large enough', () => {
    const half = ['a', 'b', 'c'].map((key) => value(key, 1, 'x'.repeat(BATCH_BYTES_MAX / 2)));
    const { table } = new Replicas().add(20, half);
    const { records, looked } = collect(table, ids(half));
    expect({ names: records.map(nameOfRecord), looked }).toEqual({
      names: ['a@1', 'b@1'],
      looked: 2,
    });
  });

  it('looks past what is gone and what is damaged', () => {
    const { table } = new Replicas().add(20, [value('a', 1), value('c', 1)]);
    const found = collect(withDamaged(table, 'c'), ['a', 'b', 'c'].map(valueId));
    expect(found).toEqual({ records: [value('a', 1)], looked: 3 });
  });
});

describe('give', () => {
  it('asks nothing when there is nothing to give', () => {
    const world = new Replicas();
    const [one, other] = [world.add(20), world.add(30)];
    const { table } = one;
    const ids = [valueId('a')];
    const talk = give({ table, to: other.self, ids, purpose: 'transfer' });
    expect(world.have(one, talk)).toBe(0);
    expect(world.take()).toEqual([]);
  });

  it('sends all, in as many batches as it takes, and ends at the first refusal', () => {
    const world = new Replicas();
    const [one, other] = [world.add(20, many(600)), world.add(30)];
    const { table } = one;
    const options = { table, to: other.self, ids: many(600).map(idOf), purpose: 'hint' } as const;
    let stores = 0;
    world.arrives = () => ++stores !== 2;
    expect(world.have(one, give(options))).toBeUndefined();
    expect(stores).toBe(2);
    expect(other.table.size.records).toBe(BATCH_RECORDS_MAX);
    expect(world.have(one, give(options))).toBe(600);
    expect(stores).toBe(5);
    expect(other.stats.counts.hinted).toBe(600);
  });
});
