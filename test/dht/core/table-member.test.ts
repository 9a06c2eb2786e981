import { describe, expect, it } from 'vitest';
import { ABSENT_MS_MAX } from '../../../services/dht/core/headcount.js';
import type { TableAnswer } from '../../../services/dht/core/messages.js';
import type { WantedState } from '../../../services/dht/core/wants.js';
import { isNewer } from '../../../services/dht/core/version.js';
import { peer } from '../../peer/ring-text.js';
import { LIMITS, TableWorld, TICK_MS } from './table-world.js';
import { textOf, value, valueId, version } from './sample-records.js';

const FIVE = [10, 30, 50, 70, 90];
const ringOf = (...ringIds: readonly number[]) => new TableWorld(ringIds).settle();
const fetching = (key: string) => ({ kind: 'fetch', id: valueId(key), known: undefined }) as const;

describe('TableMember, reading and writing', () => {
  it.each([1, 2, 3, 4, 5])(
    'reads what was written, in a ring of %i, through any of them',
    (count) => {
      const world = ringOf(...FIVE.slice(0, count));
      for (const [index, node] of world.nodes.entries()) {
        const keys = world.nodes.flatMap(({ self }) => world.keysOf(self.ringId, 2));
        for (const key of keys) {
          const { outcome, quorum } = node.put(key, `${key} ${index}`);
          expect(outcome?.counted).toBe(quorum.required);
          for (const reader of world.nodes) expect(reader.get(key)).toBe(`${key} ${index}`);
        }
      }
    },
  );

  it.each([1, 2, 3, 5])('deletes what was written, in a ring of %i', (count) => {
    const world = ringOf(...FIVE.slice(0, count));
    for (const node of world.nodes) {
      node.put('a', 'text');
      expect(node.delete('a').outcome?.wasLive).toBe(true);
      for (const reader of world.nodes) expect(reader.get('a')).toBe('deleted');
      expect(node.delete('a').outcome?.wasLive).toBe(false);
    }
  });

  it('finds nothing under a key that nobody has written', () => {
    const read = ringOf(...FIVE)
      .at(10)
      .read({ kind: 'record', id: valueId('a') });
    expect(read.outcome).toMatchObject({ counted: 2, records: [], versions: [] });
  });

  it('lists the holders of a key beside its value', () => {
    const world = ringOf(...FIVE);
    world.at(10).announce('a', 'x');
    world.at(70).announce('a', 'y');
    world.at(50).put('a', 'text');
    const { outcome } = world.at(90).read({ kind: 'holders', key: 'a' });
    expect(outcome?.records.map(({ address }) => address).sort()).toEqual(['x', 'y']);
    expect(world.at(90).get('a')).toBe('text');
  });

  it('keeps a record at its owner and the next two, and nowhere else', () => {
    const world = ringOf(...FIVE);
    const [key] = world.keysOf(50, 1);
    expect(world.at(30).put(key!, 'text', 3).outcome?.counted).toBe(3);
    expect(FIVE.filter((ringId) => world.at(ringId).own(key!) === 'text')).toEqual([50, 70, 90]);
    expect(world.at(30).put(key!, 'text').set?.peers[0]).toEqual(peer(50));
  });

  it('asks nobody about its own key when one answer is enough', () => {
    const world = ringOf(...FIVE);
    const [key] = world.keysOf(50, 1);
    world.at(10).put(key!, 'text', 3);
    world.take();
    expect(world.at(50).get(key!, 1)).toBe('text');
    expect(world.take()).toEqual([]);
  });

  it('writes again with a later version when somebody has a newer one, and so wins', () => {
    const world = ringOf(...FIVE);
    const [key] = world.keysOf(50, 1);
    const first = world.at(10).put(key!, 'first', 3);
    world.at(30).aheadMs = -60_000;
    const second = world.at(30).put(key!, 'second', 3);
    expect(isNewer(second.version, first.version)).toBe(true);
    expect(second.outcome).toMatchObject({ counted: 3, newer: undefined, wasLive: true });
    for (const node of world.nodes) expect(node.get(key!)).toBe('second');
    const third = world.at(30).put(key!, 'third', 3);
    expect(isNewer(third.version, second.version)).toBe(true);
  });

  it('takes no version that is far ahead, and says that it was taken for one', () => {
    const world = ringOf(...FIVE);
    const [key] = world.keysOf(50, 1);
    world.at(10).aheadMs = 2 * 60 * 60 * 1_000;
    expect(world.at(10).put(key!, 'text').outcome).toMatchObject({ counted: 1, ahead: 4 });
    for (const ringId of [30, 50, 70, 90]) {
      expect(world.at(ringId).own(key!)).toBeUndefined();
      expect(world.at(ringId).get(key!)).toBeUndefined();
    }
  });

  it('finds no way while nobody owns the key', () => {
    const world = ringOf(...FIVE);
    world.setMembers([]);
    expect(world.at(10).put('a', 'text')).toMatchObject({ set: undefined, outcome: undefined });
    const read = world.at(10).read({ kind: 'record', id: valueId('a') });
    expect(read).toMatchObject({ set: undefined, outcome: undefined });
  });

  it('asks for the set anew when the one it knew is not enough', () => {
    const world = ringOf(...FIVE);
    const [key] = world.keysOf(50, 1);
    expect(world.at(10).get(key!)).toBeUndefined();
    for (const ringId of [50, 70]) world.at(ringId).isUp = false;
    world.setMembers([10, 30, 90]);
    world.pass(20 * TICK_MS);
    const { outcome, set } = world.at(10).put(key!, 'text');
    expect(set?.peers[0]).toEqual(peer(90));
    expect(outcome?.counted).toBe(2);
  });
});

describe('TableMember, counting the members of its ring', () => {
  it.each([
    { count: 1, wanted: 1, expected: { required: 1, isCapped: false } },
    { count: 1, wanted: 2, expected: { required: 1, isCapped: true } },
    { count: 2, wanted: 2, expected: { required: 2, isCapped: false } },
    { count: 2, wanted: 3, expected: { required: 2, isCapped: true } },
    { count: 3, wanted: 3, expected: { required: 3, isCapped: false } },
    { count: 5, wanted: 5, expected: { required: 3, isCapped: true } },
  ])('requires $expected of $wanted in a ring of $count', ({ count, wanted, expected }) => {
    const world = ringOf(...FIVE.slice(0, count));
    const { quorum, outcome } = world.at(10).put('a', 'text', wanted);
    expect(quorum).toMatchObject(expected);
    expect(outcome?.counted).toBe(expected.required);
    const read = world.at(10).read({ kind: 'record', id: valueId('a') }, wanted);
    expect(read.quorum).toMatchObject(expected);
    expect(read.outcome?.counted).toBe(expected.required);
  });

  it('requires as much from the first moment on, before any tick', () => {
    const world = new TableWorld(FIVE);
    const { quorum } = world.at(10).put('a', 'text', 2);
    expect(quorum).toMatchObject({ required: 2, isCapped: false });
  });

  /** p10 is left alone of three, and knows it. */
  function leftAlone() {
    const world = ringOf(10, 30, 50);
    for (const ringId of [30, 50]) world.at(ringId).isUp = false;
    world.setMembers([10]);
    world.pass(TICK_MS);
    return world;
  }

  it('takes no write alone when others were there', () => {
    const world = leftAlone();
    const { quorum, outcome } = world.at(10).put('a', 'text', 2);
    expect(quorum).toMatchObject({ required: 2, isCapped: false });
    expect(outcome).toMatchObject({ counted: 1 });
  });

  it('takes writes alone when the others have left by their own will', () => {
    const world = leftAlone();
    const { member } = world.at(10);
    member.departed(peer(30));
    expect(world.at(10).put('a', 'text', 2).quorum.required).toBe(2);
    member.departed(peer(50));
    const { quorum, outcome } = world.at(10).put('a', 'text', 2);
    expect(quorum).toMatchObject({ required: 1, isCapped: true });
    expect(outcome).toMatchObject({ counted: 1 });
  });

  it('takes writes alone when the others have been away for ten minutes', () => {
    const world = leftAlone();
    world.pass(ABSENT_MS_MAX - 1_000, 1_000);
    expect(world.at(10).put('a', 'text', 2).quorum.required).toBe(2);
    world.pass(1_000, 1_000);
    expect(world.at(10).put('a', 'text', 2).outcome?.counted).toBe(1);
    expect(world.at(10).member.headcount.ringIds).toEqual([10]);
  });

  it('counts on those that it counted before a restart', () => {
    const world = ringOf(10, 30, 50);
    const { ringIds } = world.at(10).member.headcount;
    const again = world.restart(world.at(10));
    again.member.headcount.remember(ringIds, world.nowMs);
    world.setMembers([10]);
    world.pass(TICK_MS);
    expect(again.put('a', 'text', 2).quorum.required).toBe(2);
  });
});

describe('TableMember, having all of its part of the ring or not', () => {
  it('says so from the beginning when it is alone', () => {
    const world = new TableWorld([10]);
    expect(world.at(10).ask(fetching('a'))).toMatchObject({ kind: 'fetched', isWhole: true });
  });

  it('says so once it has compared with the others', () => {
    const world = new TableWorld(FIVE);
    const [key] = world.keysOf(50, 1);
    for (const ringId of FIVE) {
      expect(world.at(ringId).ask(fetching(key!))).toMatchObject({ isWhole: false });
    }
    world.settle();
    const whole = FIVE.filter((ringId) => {
      const answer: TableAnswer = world.at(ringId).ask(fetching(key!));
      return answer.kind === 'fetched' && answer.isWhole;
    });
    expect(whole).toEqual([50, 70, 90]);
  });

  it('gets everything that it is to keep before it says so', () => {
    const world = ringOf(10, 30, 50, 90);
    const keys = world.keysOf(90, 20);
    for (const key of keys) world.at(10).put(key, key, 3);
    const joining = world.add(70);
    world.setMembers(FIVE);
    const mine = keys.filter((key) => world.ownerOf(joining.member.positionOf(key))?.ringId === 70);
    expect(mine).not.toEqual([]);
    for (const key of mine) {
      expect(joining.ask(fetching(key))).toMatchObject({ record: undefined, isWhole: false });
    }
    for (const key of keys) expect(world.at(30).get(key)).toBe(key);
    world.settle();
    for (const key of mine) {
      expect(joining.own(key)).toBe(key);
      expect(joining.ask(fetching(key))).toMatchObject({ isWhole: true });
    }
    for (const key of keys) expect(world.at(30).get(key)).toBe(key);
  });

  it('does not believe a key to be absent on the word of newcomers', () => {
    const world = ringOf(10, 30, 50);
    world.at(10).put('a', 'text', 3);
    const fresh = [70, 90].map((ringId) => world.add(ringId).self.ringId);
    for (const ringId of [10, 30, 50]) world.at(ringId).isUp = false;
    world.setMembers([10, 30, 50, ...fresh]);
    const { outcome } = world.at(70).read({ kind: 'record', id: valueId('a') });
    expect(outcome?.counted ?? 0).toBe(0);
  });
});

describe('TableMember.asked', () => {
  it('answers nothing while it is no member', () => {
    const world = ringOf(10, 30);
    world.setMembers([30]);
    const questions = [
      fetching('a'),
      { kind: 'store', records: [value('a', 1)], purpose: 'write' },
      { kind: 'describe-set' },
      { kind: 'changed', record: value('a', 1) },
    ] as const;
    for (const question of questions) {
      expect(world.at(10).ask(question)).toEqual({ kind: 'not-member' });
    }
  });

  it('tells who keeps what it owns', () => {
    const world = ringOf(...FIVE);
    const set = {
      range: { after: 30, upTo: 50 },
      peers: [50, 70, 90, 10, 30].map((it) => peer(it)),
    };
    expect(world.at(50).ask({ kind: 'describe-set' })).toEqual({ kind: 'set', set });
  });

  it('notes a lease only where it is one of those that keep a copy', () => {
    const world = new TableWorld(FIVE);
    const peers = [50, 70, 90, 10].map((it) => peer(it));
    const [key] = world.keysOf(50, 1);
    const cover = { kind: 'cover', set: { range: { after: 30, upTo: 50 }, peers }, isWhole: true };
    for (const ringId of [90, 10]) {
      expect(world.at(ringId).ask(cover as { kind: 'cover' } & typeof cover)).toEqual({
        kind: 'noted',
      });
    }
    expect(world.at(90).ask(fetching(key!))).toMatchObject({ isWhole: true });
    expect(world.at(10).ask(fetching(key!))).toMatchObject({ isWhole: false });
  });
});

describe('TableMember.unanswered', () => {
  it('tells one no more who did not answer', () => {
    const world = ringOf(...FIVE);
    const [key] = world.keysOf(50, 1);
    const waiting = world.at(10).member.want(key!, { changed: () => 0, failed: () => 0 });
    world.run();
    expect(world.at(50).member.interestCount).toBe(1);
    world.at(10).isUp = false;
    world.at(30).put(key!, 'text');
    expect(world.at(50).member.interestCount).toBe(0);
    waiting();
    expect(world.at(10).member.wantCount).toBe(0);
  });
});

describe('TableMember.want', () => {
  it('hears of every change, wherever it was made', () => {
    const world = ringOf(...FIVE);
    const heard: (string | undefined)[] = [];
    const changed = (state: WantedState) =>
      heard.push(state.kind === 'absent' ? 'absent' : textOf(state.record));
    const stop = world.at(10).member.want('a', { changed, failed: () => heard.push('failed') });
    world.run();
    for (const node of world.nodes) node.put('a', `by ${node.self.ringId}`);
    world.at(30).delete('a');
    stop();
    world.at(30).put('a', 'later');
    expect(heard).toEqual(['absent', ...FIVE.map((ringId) => `by ${ringId}`), 'deleted']);
  });

  it('makes up for events that were lost', () => {
    const world = ringOf(...FIVE);
    const heard: string[] = [];
    const changed = ({ kind }: WantedState) => heard.push(kind);
    world.at(10).member.want('a', { changed, failed: () => heard.push('failed') });
    world.run();
    world.arrives = (_to, { kind }) => kind !== 'changed';
    world.at(30).put('a', 'text');
    expect(heard).toEqual(['absent']);
    world.pass(5_000);
    expect(heard).toEqual(['absent', 'value']);
  });

  it('follows its key to those who keep it by then', () => {
    const world = ringOf(...FIVE);
    const [key] = world.keysOf(50, 1);
    const heard: (string | undefined)[] = [];
    const changed = (state: WantedState) =>
      heard.push(state.kind === 'absent' ? 'absent' : textOf(state.record));
    world.at(10).member.want(key!, { changed, failed: () => heard.push('failed') });
    world.run();
    world.at(50).isUp = false;
    world.setMembers([10, 30, 70, 90]);
    world.pass(10_000);
    world.at(30).put(key!, 'text');
    expect(heard).toEqual(['absent', 'text']);
  });
});

describe('TableMember.handAllOver', () => {
  const KEYS = Array.from({ length: 30 }, (_, index) => `key ${index}`);

  function filled(...ringIds: readonly number[]) {
    const world = ringOf(...ringIds);
    for (const key of KEYS) world.at(10).put(key, key, 3);
    return world;
  }

  it('gives everything to those who keep it afterwards', () => {
    const world = filled(...FIVE);
    expect(world.at(50).handAllOver()).toBe(true);
    world.at(50).isUp = false;
    const rest = [10, 30, 70, 90];
    world.setMembers(rest);
    for (const key of KEYS) {
      const copies = rest.filter((ringId) => world.at(ringId).own(key) === key);
      expect(copies.length).toBeGreaterThanOrEqual(3);
    }
  });

  it('gives what it comes to own while it hands over', () => {
    const world = filled(...FIVE);
    const leaver = world.at(50);
    const { view } = leaver;
    // The one before it has gone, and who is there now is not known yet.
    leaver.view = { ...view, predecessor: undefined };
    leaver.member.tick();
    world.arrives = () => {
      leaver.view = view;
      return true;
    };
    expect(leaver.handAllOver()).toBe(true);
    leaver.isUp = false;
    const rest = [10, 30, 70, 90];
    for (const key of KEYS.filter((it) => leaver.own(it) === it)) {
      const copies = rest.filter((ringId) => world.at(ringId).own(key) === key);
      expect(copies.length).toBeGreaterThanOrEqual(3);
    }
  });

  it('is done at once when it is alone', () => {
    expect(filled(10).at(10).handAllOver()).toBe(true);
  });

  it.each([
    { title: 'alone, before any tick', from: [10], to: [10], ticks: 0 },
    { title: 'when another has just gone', from: [10, 30, 50], to: [10, 30], ticks: 20 },
  ])('sees the ring as it is then: $title', ({ from, to, ticks }) => {
    const world = new TableWorld(from);
    world.pass(ticks * TICK_MS);
    for (const node of world.nodes) node.isUp = to.includes(node.self.ringId);
    world.setMembers(to);
    expect(world.at(10).handAllOver()).toBe(true);
  });

  it('tells when one of those did not take it', () => {
    const world = filled(...FIVE);
    const [key] = world.keysOf(50, 1);
    world.arrives = (to) => to !== 'p10';
    world.at(30).put(key!, 'newer', 3);
    expect(world.at(50).handAllOver()).toBe(false);
  });

  it('waits for the writes that are on their way to its disk', () => {
    const world = ringOf(10, 30, 50, 70);
    const [key] = world.keysOf(10, 1);
    const record = { ...value(key!, world.at(10).wallMs), key: key! };
    world.deliver(
      peer(99),
      world.at(10),
      { kind: 'store', records: [record], purpose: 'write' },
      () => 0,
    );
    expect(world.at(10).own(key!)).toBeUndefined();
    expect(world.at(10).handAllOver()).toBe(true);
    for (const ringId of [30, 50, 70]) expect(world.at(ringId).own(key!)).toBeDefined();
  });

  it('takes no more writes, and vouches for nothing', () => {
    const world = filled(...FIVE);
    const [key] = world.keysOf(50, 1);
    world.at(50).handAllOver();
    const question = { kind: 'store', records: [value(key!, 1)], purpose: 'write' } as const;
    expect(world.at(50).ask(question)).toEqual({ kind: 'not-member' });
    expect(world.at(50).ask(fetching(key!))).toMatchObject({ kind: 'fetched', isWhole: false });
    expect(world.at(10).put(key!, 'newer', 3).outcome).toMatchObject({ counted: 3, asked: 4 });
    expect(world.at(10).get(key!, 2)).toBe('newer');
    expect(world.at(50).own(key!)).not.toBe('newer');
  });
});

describe('TableMember.stay', () => {
  it('takes writes again, and vouches for its part once it has what it missed', () => {
    const world = ringOf(...FIVE);
    const [key] = world.keysOf(50, 1);
    world.at(50).handAllOver();
    world.at(10).put(key!, 'missed', 2);
    world.at(50).member.stay();
    expect(world.at(50).ask(fetching(key!))).toMatchObject({ isWhole: false });
    world.settle();
    expect(world.at(50).ask(fetching(key!))).toMatchObject({ isWhole: true });
    expect(world.at(50).own(key!)).toBe('missed');
    world.at(10).put(key!, 'later', 3);
    expect(world.at(50).own(key!)).toBe('later');
  });
});

describe('TableMember, standing in for others', () => {
  it('keeps what a silent peer is to have, and hands it over when that is back', () => {
    const world = ringOf(...FIVE);
    const [key] = world.keysOf(50, 1);
    world.at(70).isUp = false;
    expect(world.at(30).put(key!, 'text', 3).outcome).toMatchObject({ counted: 3, asked: 4 });
    expect(world.at(10).own(key!)).toBe('text');
    expect(world.at(10).member.counts).toMatchObject({ hinted: 1, handedOver: 0 });
    expect(world.at(10).member.isSettled).toBe(false);
    world.at(70).isUp = true;
    world.settle();
    expect(world.at(70).own(key!)).toBe('text');
    expect(world.at(10).own(key!)).toBeUndefined();
    expect(world.at(10).member.counts).toMatchObject({ handedOver: 1 });
    expect(world.at(10).member.isSettled).toBe(true);
  });

  it('keeps it as long as one of its keepers does not say what it lacks', () => {
    const world = ringOf(...FIVE);
    const [key] = world.keysOf(50, 1);
    world.at(70).isUp = false;
    world.at(30).put(key!, 'text', 3);
    world.pass(20_000);
    expect(world.at(10).own(key!)).toBe('text');
  });

  it('turns to the records of other owners when those of one are not taken', () => {
    const world = ringOf(...FIVE);
    const [waiting, taken] = [world.keysOf(30, 20), world.keysOf(50, 2)];
    const records = [...waiting, ...taken].map((key) => value(key, world.at(10).wallMs));
    world.at(10).ask({ kind: 'store', records, purpose: 'hint' });
    world.arrives = (to, { kind }) => to !== 'p30' || kind !== 'lacking';
    world.pass(10_000);
    expect(waiting.filter((key) => world.at(10).own(key) === undefined)).toEqual([]);
    expect(taken.filter((key) => world.at(10).own(key) !== undefined)).toEqual([]);
  });
});

describe('TableMember.wasInTouchAt', () => {
  /** p50 comes back after so long, with a copy of what was deleted and forgotten meanwhile. */
  function comeBack(awayMs: number) {
    const world = ringOf(...FIVE);
    const [dead, alive, missing] = world.keysOf(50, 3) as [string, string, string];
    for (const key of [dead, alive]) world.at(10).put(key, 'old', 3);
    const { table } = world.at(50);
    const wentAtMs = world.at(50).wallMs;
    world.nodes.splice(world.nodes.indexOf(world.at(50)), 1);
    world.setMembers([10, 30, 70, 90]);
    world.at(10).delete(dead, 3);
    world.at(10).put(missing, 'new', 3);
    world.pass(awayMs, 4_000);
    const again = world.add(50, table, 2);
    again.member.wasInTouchAt(wentAtMs);
    world.setMembers(FIVE);
    return { world, again, dead, alive, missing };
  }

  it('speaks of no records until it knows which are of the dead, and drops those', () => {
    const { world, again, dead, alive, missing } = comeBack(2 * LIMITS.graceMs);
    expect(world.at(70).own(dead)).toBeUndefined();
    expect(again.ask(fetching(dead))).toEqual({ kind: 'not-member' });
    const claims = [{ id: valueId(dead), version: version(1) }];
    expect(again.ask({ kind: 'lacking', claims })).toMatchObject({ standing: 'out-of-touch' });
    for (const reader of world.nodes) expect(reader.get(dead)).toBeUndefined();
    world.settle();
    expect(again.own(dead)).toBeUndefined();
    expect([again.own(alive), again.own(missing)]).toEqual(['old', 'new']);
    for (const reader of world.nodes) {
      expect([dead, alive, missing].map((key) => reader.get(key))).toEqual([
        undefined,
        'old',
        'new',
      ]);
    }
  });

  it('takes its records for granted when it was not away for long', () => {
    const { world, again, dead, alive } = comeBack(LIMITS.graceMs / 2 - 60_000);
    expect(again.ask(fetching(alive))).toMatchObject({ kind: 'fetched', isWhole: false });
    world.settle();
    for (const reader of world.nodes) expect(reader.get(dead)).toBe('deleted');
    expect(again.own(dead)).toBe('deleted');
  });

  it('loses nothing of what another stood in for, while it does not say what it lacks', () => {
    const world = ringOf(...FIVE);
    const [key, ...others] = world.keysOf(50, 5);
    for (const other of others) world.at(30).put(other, 'old', 3);
    for (const ringId of [50, 70, 90]) world.at(ringId).isUp = false;
    world.at(30).put(key!, 'text', 1);
    const holders = () => FIVE.filter((ringId) => world.at(ringId).own(key!) === 'text');
    expect(holders()).toEqual([10]);
    for (const ringId of [50, 70, 90]) {
      world.restart(world.at(ringId)).member.wasInTouchAt(world.at(10).wallMs - LIMITS.graceMs);
    }
    world.setMembers(FIVE);
    for (let ticks = 0; ticks < 300; ticks += 1) {
      world.pass(TICK_MS);
      expect(holders()).not.toEqual([]);
    }
    expect(holders()).toEqual([50, 70, 90]);
  });
});

describe('TableMember.load', () => {
  it('takes up its table, so that a comparison finds nothing to do', () => {
    const world = ringOf(10, 30, 50);
    const keys = Array.from({ length: 40 }, (_, index) => `key ${index}`);
    for (const key of keys) world.at(10).put(key, key, 3);
    const again = world.restart(world.at(30));
    world.setMembers([10, 30, 50]);
    world.settle();
    expect(again.member.counts).toMatchObject({ transferred: 0, given: 0 });
    expect(again.names).toBe(world.at(10).names);
    expect(again.member.counts.comparisons).toBeGreaterThan(0);
  });

  it('gives later versions than those in its table, also when its clock is behind', () => {
    const world = ringOf(10);
    const { version: before } = world.at(10).put('a', 'old');
    const again = world.restart(world.at(10));
    again.aheadMs = -1_000;
    const later = world.restart(again);
    later.aheadMs = -1_000;
    world.setMembers([10]);
    world.pass(TICK_MS);
    const { version: after, outcome } = later.put('a', 'new');
    expect(isNewer(after, before)).toBe(true);
    expect(outcome?.newer).toBeUndefined();
    expect(later.get('a')).toBe('new');
  });

  it('takes up nothing of an empty table', () => {
    expect(new TableWorld([10]).at(10).member.load(undefined)).toBeUndefined();
  });
});

describe('TableMember, collecting the dead', () => {
  it('forgets a tombstone everywhere once its grace is over, and not before', () => {
    const world = ringOf(10, 30, 50);
    world.at(10).put('a', 'text', 3);
    world.at(10).delete('a', 3);
    world.pass(LIMITS.graceMs - 60_000, 4_000);
    for (const node of world.nodes) expect(node.own('a')).toBe('deleted');
    world.pass(120_000, 4_000);
    for (const node of world.nodes) expect(node.own('a')).toBeUndefined();
    const collected = world.nodes.map(({ member }) => member.counts.collected);
    expect(collected).toEqual([1, 1, 1]);
  });
});
