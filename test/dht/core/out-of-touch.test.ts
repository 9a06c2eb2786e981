import { describe, expect, it } from 'vitest';
import type { Standing, TableAnswer } from '../../../services/dht/core/messages.js';
import { findForgotten, OldRecords } from '../../../services/dht/core/out-of-touch.js';
import { peers } from '../../peer/ring-text.js';
import { Replicas } from './replicas.js';
import { NOT_MEMBER, ScriptedPeers, SELF } from './scripted-peers.js';
import { NOW_MS, value } from './sample-records.js';

const RECORDS = [value('a', 5), value('b', 5), value('c', 5)];
const ENTRIES = new Replicas().add(20, RECORDS).entries;
const KEYS = ENTRIES.map(({ key }) => key);

const indexesOf = (keys: string) =>
  KEYS.flatMap((key, index) => (keys.includes(key) ? [index] : []));

/** What a peer says: which of the three it lacks, and of which it has something newer. */
const lacking = (
  keys: string,
  { newer = '', standing = 'whole' }: { newer?: string; standing?: Standing } = {},
): TableAnswer => ({
  kind: 'lacking',
  absent: indexesOf(keys),
  older: [],
  newer: indexesOf(newer),
  standing,
});

const SILENT = 'silent';

/** Asks p30 and p40; returns what may be forgotten, as keys. */
function forgottenAfter(...voices: readonly (TableAnswer | typeof SILENT)[]) {
  const scripted = new ScriptedPeers();
  const keepers = peers(...voices.map((_, index) => 30 + 10 * index));
  const talking = scripted.start(findForgotten({ entries: ENTRIES, keepers }));
  for (const [index, voice] of voices.entries()) {
    const name = `p${30 + 10 * index}`;
    if (voice === SILENT) scripted.silence(name);
    else scripted.answer(name, voice);
  }
  const { claims, word } = talking.result ?? { claims: [], word: undefined };
  return { word, keys: claims.map(({ id }) => id.key).sort() };
}

describe('findForgotten', () => {
  it.each([
    { title: 'nothing that all have', voices: [lacking(''), lacking('')], expected: [] },
    {
      title: 'what everyone lacks who has everything',
      voices: [lacking('ab'), lacking('bc')],
      expected: ['b'],
    },
    {
      title: 'what the only one lacks who answers',
      voices: [lacking('a'), SILENT],
      expected: ['a'],
    },
    {
      title: 'nothing on the word of those that have not got everything yet',
      voices: [lacking('a'), lacking('abc', { standing: 'partial' })],
      expected: ['a'],
    },
    {
      title: 'what one has in a newer version, though it has not got everything yet',
      voices: [lacking(''), lacking('', { newer: 'c', standing: 'partial' })],
      expected: ['c'],
    },
    {
      title: 'each of them once',
      voices: [lacking('a', { newer: 'b' }), lacking('ab', { newer: 'c' })],
      expected: ['a', 'b', 'c'],
    },
    {
      title: 'nothing on the word of those that were out of touch themselves',
      voices: [lacking('', { standing: 'out-of-touch' }), lacking('c')],
      expected: ['c'],
    },
  ])('forgets $title', ({ voices, expected }) => {
    expect(forgottenAfter(...(voices as (TableAnswer | typeof SILENT)[]))).toEqual({
      word: 'settled',
      keys: expected,
    });
  });

  it.each<{ title: string; voices: readonly (TableAnswer | typeof SILENT)[] }>([
    { title: 'all are silent', voices: [SILENT, SILENT] },
    { title: 'one is silent', voices: [lacking('abc', { standing: 'partial' }), SILENT] },
    { title: 'one is no member', voices: [NOT_MEMBER, lacking('a', { standing: 'partial' })] },
  ])('waits when $title, and nobody has everything', ({ voices }) => {
    expect(forgottenAfter(...voices)).toEqual({ word: 'somebody-silent', keys: [] });
  });

  it.each<{ title: string; voices: readonly TableAnswer[] }>([
    { title: 'there is nobody else', voices: [] },
    { title: 'nobody has everything yet', voices: [lacking('abc', { standing: 'partial' })] },
    {
      title: 'all were out of touch',
      voices: [
        lacking('', { standing: 'out-of-touch' }),
        lacking('', { standing: 'out-of-touch' }),
      ],
    },
  ])('tells that nobody has everything when $title', ({ voices }) => {
    expect(forgottenAfter(...voices)).toEqual({ word: 'nobody-whole', keys: [] });
  });

  it.each<{ word: string; voices: readonly (TableAnswer | typeof SILENT)[] }>([
    { word: 'nobody-whole', voices: [lacking('a', { newer: 'b', standing: 'partial' })] },
    {
      word: 'somebody-silent',
      voices: [lacking('a', { newer: 'b', standing: 'partial' }), SILENT],
    },
  ])('forgets what one has in a newer version, though the rest is open: $word', (it) => {
    expect(forgottenAfter(...it.voices)).toEqual({ word: it.word, keys: ['b'] });
  });

  it('names the versions that may be forgotten, and no others', () => {
    const scripted = new ScriptedPeers();
    const talking = scripted.start(findForgotten({ entries: ENTRIES, keepers: peers(30) }));
    expect(scripted.take()).toEqual([`p30 lacking ${KEYS.map((key) => `${key}@5`).join(' ')}`]);
    scripted.answer('p30', lacking('b'));
    const [claim, ...others] = talking.result?.claims ?? [];
    expect(claim).toMatchObject({ id: { key: 'b' }, version: RECORDS[1]?.version });
    expect(others).toEqual([]);
  });

  it('asks real copies, and keeps exactly what they have', () => {
    const world = new Replicas();
    const one = world.add(20, RECORDS);
    const p30 = world.add(30, [value('a', 5), value('c', 9)]);
    const talk = findForgotten({ entries: one.entries, keepers: [p30.self] });
    const { claims } = world.have(one, talk);
    expect(claims.map(({ id }) => id.key).sort()).toEqual(['b', 'c']);
  });
});

describe('OldRecords', () => {
  const GRACE_MS = 60_000;
  /** How long it waits for somebody to have everything. */
  const NOBODY_WHOLE_MS = 10_000;
  const TICK_MS = 500;

  /** p20, which was away for long; p30 keeps the same records, and has not got everything yet. */
  function scene() {
    const scripted = new ScriptedPeers();
    const clock = { nowMs: 2 * GRACE_MS };
    const dropped: string[] = [];
    const old = new OldRecords({
      ring: {
        ringSize: 2 ** 31,
        view: () => ({ self: SELF, isMember: true, predecessor: undefined, successors: [] }),
        findOwner: () => undefined,
      },
      limits: { copies: 2, graceMs: GRACE_MS },
      table: new Replicas().add(20, RECORDS).table,
      clock: { wallMs: () => NOW_MS, steadyMs: () => clock.nowMs },
      start: scripted.run,
      findSet: (_position, done) => done({ range: { after: 0, upTo: 0 }, peers: peers(20, 30) }),
      drop: (claims) => dropped.push(...claims.map(({ id }) => id.key)),
    });
    old.wasInTouchAt(NOW_MS - 2 * GRACE_MS);
    const pass = (ms: number, answer: TableAnswer) => {
      for (let passed = 0; passed < ms; passed += TICK_MS) {
        if (old.isOutOfTouch) old.tick();
        if (scripted.take().length > 0) scripted.answer('p30', answer);
        clock.nowMs += TICK_MS;
      }
    };
    return { old, clock, dropped, pass };
  }

  it('counts the time from when it is a member and asks, not from its start', () => {
    const { old, clock, dropped, pass } = scene();
    clock.nowMs += 2 * NOBODY_WHOLE_MS;
    pass(NOBODY_WHOLE_MS, lacking('abc', { standing: 'partial' }));
    expect(old.isOutOfTouch).toBe(true);
    pass(2 * TICK_MS, lacking('abc', { standing: 'partial' }));
    expect(old.isOutOfTouch).toBe(false);
    expect(dropped).toEqual([]);
  });

  it.each([
    { awayMs: GRACE_MS, ageMs: GRACE_MS, isForgettable: true },
    { awayMs: 2 * GRACE_MS, ageMs: GRACE_MS, isForgettable: true },
    { awayMs: GRACE_MS - 1, ageMs: GRACE_MS, isForgettable: false },
    { awayMs: GRACE_MS, ageMs: GRACE_MS - 1, isForgettable: false },
  ])(
    'takes a record for forgettable: $isForgettable, of $ageMs ms, out of touch for $awayMs ms',
    (it) => {
      const { old } = scene();
      old.wasInTouchAt(NOW_MS - it.awayMs);
      const [entry] = new Replicas().add(20, [value('a', NOW_MS - it.ageMs)]).entries;
      expect(entry && old.isForgettable(entry)).toBe(it.isForgettable);
      old.comeInTouch();
      expect(entry && old.isForgettable(entry)).toBe(false);
    },
  );

  it('drops at once what another one has in a newer version, and asks again', () => {
    const { old, dropped, pass } = scene();
    pass(TICK_MS, lacking('a', { newer: 'b', standing: 'partial' }));
    expect(dropped).toEqual(['b']);
    expect(old.isOutOfTouch).toBe(true);
    pass(4 * TICK_MS, lacking('a'));
    expect(dropped).toEqual(['b', 'a']);
    expect(old.isOutOfTouch).toBe(false);
  });
});
