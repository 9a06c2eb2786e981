import { describe, expect, it } from 'vitest';
import { handOver } from '../../../services/dht/core/hand-over.js';
import type { TableAnswer } from '../../../services/dht/core/messages.js';
import type { TableRecord } from '../../../services/dht/core/record.js';
import { peers } from '../../peer/ring-text.js';
import { Replicas, withDamaged, withFailedDisk } from './replicas.js';
import { NOTED, ScriptedPeers, SELF, stored } from './scripted-peers.js';
import { deleted, holder, value, version } from './sample-records.js';

const MINE = [value('a', 5), holder('a', 'h', 5), deleted(value('b', 4), 5)];
const NAMES = 'a#h@5 a@5 b@5';
const YOUNG = { isOld: () => false, isForgettable: () => false };
const OLD = { isOld: () => true, isForgettable: () => true };

/** p20 hands over all it has to p30 and p40, who have these records. */
function scene(at30: readonly TableRecord[] = [], at40: readonly TableRecord[] = []) {
  const world = new Replicas();
  const one = world.add(20, MINE);
  const [p30, p40] = [world.add(30, at30), world.add(40, at40)];
  const run = (ages = YOUNG) => {
    const { self, table, entries } = one;
    const keepers = [p30.self, p40.self];
    return world.have(one, handOver({ self, keepers, entries, table, ...ages }));
  };
  return { world, one, p30, p40, run };
}

describe('handOver', () => {
  it('gives each keeper what it lacks, and drops its own copies then', () => {
    const { world, one, p30, p40, run } = scene([], [value('a', 5), holder('a', 'h', 4)]);
    expect(run()).toEqual({ isDone: true, given: 5 });
    expect([one.names, p30.names, p40.names]).toEqual(['', NAMES, NAMES]);
    expect(p30.stats.counts.transferred).toBe(3);
    expect(world.take().map((line) => line.split(' ').slice(0, 2).join(' '))).toEqual([
      'p30 lacking',
      'p40 lacking',
      'p30 store',
      'p40 store',
    ]);
  });

  it('gives nothing to those that have all, or something newer', () => {
    const { one, p30, p40, run } = scene(MINE, [...MINE, value('a', 9)]);
    expect(run()).toEqual({ isDone: true, given: 0 });
    expect([one.names, p30.names, p40.names]).toEqual(['', NAMES, 'a#h@5 a@9 b@5']);
  });

  it.each([1, 2, 3, 4])('drops nothing when question %i is met with silence', (silent) => {
    const { world, one, run } = scene();
    let asked = 0;
    world.arrives = () => ++asked !== silent;
    expect(run().isDone).toBe(false);
    expect(one.names).toBe(NAMES);
    world.arrives = () => true;
    expect(run().isDone).toBe(true);
    expect(one.names).toBe('');
  });

  it('drops nothing when a keeper has no room', () => {
    const world = new Replicas();
    const [one, p30, p40] = [world.add(20, MINE), world.add(30), world.add(40, [], 1)];
    const { self, table, entries } = one;
    const keepers = [p30.self, p40.self];
    expect(world.have(one, handOver({ self, keepers, entries, table, ...YOUNG }))).toEqual({
      isDone: false,
      given: 3,
    });
    expect(one.names).toBe(NAMES);
  });

  it('drops nothing when the disk of a keeper has failed', () => {
    const world = new Replicas();
    const one = world.add(20, MINE);
    const failed = withFailedDisk(world.add(50).table, world.later);
    const { self, table, entries } = one;
    const keepers = [world.addWith(30, failed).self];
    expect(world.have(one, handOver({ self, keepers, entries, table, ...YOUNG })).isDone).toBe(
      false,
    );
    expect(one.names).toBe(NAMES);
  });

  it.each(['lacking', 'store'])(
    'keeps what came meanwhile, while a keeper was asked: %s',
    (meanwhile) => {
      const { world, one, p30, p40, run } = scene();
      world.arrives = (to, { kind }) => {
        if (to === 'p40' && kind === meanwhile) {
          const writes = [{ kind: 'merge', record: value('a', 9) } as const];
          one.table.write(writes, () => undefined, one.wallMs);
        }
        return true;
      };
      expect(run().isDone).toBe(true);
      expect(one.names).toBe('a@9');
      expect(p30.names).toBe(NAMES);
      expect(p40.names).toContain('a#h@5');
    },
  );

  it.each([
    { title: 'drops what all lack', at40: [], isWhole: true, left: '', isDone: true, given: 0 },
    { title: 'waits', at40: [], isWhole: false, left: NAMES, isDone: false, given: 0 },
    { title: 'gives what one has', at40: MINE, isWhole: false, left: '', isDone: true, given: 3 },
  ])('$title, of old records, when somebody has everything: $isWhole', (it) => {
    const { world, one, p30, p40 } = scene([], it.at40);
    p30.isWhole = false;
    p40.isWhole = it.isWhole;
    const { self, table, entries } = one;
    const keepers = [p30.self, p40.self];
    const talk = handOver({ self, keepers, entries, table, ...OLD });
    expect(world.have(one, talk)).toEqual({ isDone: it.isDone, given: it.given });
    expect([one.names, p30.names]).toEqual([it.left, it.given > 0 ? NAMES : '']);
  });

  it.each([
    { isOld: true, at30: 'b@5', given: 1 },
    { isOld: false, at30: 'a@5 b@5', given: 2 },
  ])('gives one of which another has a newer one unless it is old: $isOld', (it) => {
    const world = new Replicas();
    const one = world.add(20, [value('a', 5), value('b', 5)]);
    const [p30, p40] = [world.add(30), world.add(40, [value('a', 9), value('b', 5)])];
    const { self, table, entries } = one;
    const keepers = [p30.self, p40.self];
    const talk = handOver({ self, keepers, entries, table, ...YOUNG, isOld: () => it.isOld });
    expect(world.have(one, talk)).toEqual({ isDone: true, given: it.given });
    expect([one.names, p30.names]).toEqual(['', it.at30]);
  });

  it('drops an old one at once of which another has a newer one, though a third is silent', () => {
    const { world, one, run } = scene([value('a', 9)], []);
    world.arrives = (to) => to !== 'p40';
    expect(run({ ...YOUNG, isOld: () => true })).toEqual({ isDone: false, given: 2 });
    expect(one.names).toBe('a#h@5 b@5');
  });

  it('drops a record that is damaged when all keepers have it', () => {
    const world = new Replicas();
    const whole = world.add(50, MINE);
    const one = world.addWith(20, withDamaged(whole.table, 'b'));
    const p30 = world.add(30, [deleted(value('b', 4), 5)]);
    const { self, table, entries } = one;
    const talk = handOver({ self, keepers: [p30.self], entries, table, ...YOUNG });
    expect(world.have(one, talk)).toEqual({ isDone: true, given: 2 });
    expect(one.entries).toEqual([]);
  });
});

describe('handOver, to a keeper that does not say what it lacks', () => {
  const entries = new Replicas().add(20, [value('a', 5)]).entries;

  /** p20 hands a@5 over to p30 and p40; p30 answers this. */
  function offer(answer: TableAnswer) {
    const scripted = new ScriptedPeers(() => NOTED);
    const { table } = new Replicas().add(20, [value('a', 5)]);
    const keepers = peers(30, 40);
    const talking = scripted.start(handOver({ self: SELF, keepers, entries, table, ...YOUNG }));
    expect(scripted.take()).toEqual(['p30 lacking a@5']);
    return { scripted, talking, next: scripted.answer('p30', answer) };
  }

  it.each<{ title: string; answer: TableAnswer }>([
    { title: 'is no member', answer: { kind: 'not-member' } },
    {
      title: 'was out of touch',
      answer: { kind: 'lacking', absent: [], older: [], newer: [], standing: 'out-of-touch' },
    },
  ])('gives the others what they lack, and drops nothing, when it $title', ({ answer }) => {
    const { scripted, talking, next } = offer(answer);
    expect(next).toEqual(['p40 lacking a@5']);
    const lacking = { kind: 'lacking', absent: [0], older: [], newer: [] } as const;
    const given = scripted.answer('p40', { ...lacking, standing: 'whole' });
    expect(given).toEqual(['p40 store a@5 as transfer']);
    scripted.answer('p40', stored(version(5)));
    expect(talking.result).toEqual({ isDone: false, given: 1 });
  });

  it('believes one that has not got everything yet about what it has', () => {
    const { next } = offer({
      kind: 'lacking',
      absent: [],
      older: [],
      newer: [],
      standing: 'partial',
    });
    expect(next).toEqual(['p40 lacking a@5']);
  });
});
