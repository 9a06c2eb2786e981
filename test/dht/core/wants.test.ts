import { describe, expect, it } from 'vitest';
import type { TableRecord } from '../../../services/dht/core/record.js';
import {
  UNREAD_MS_MAX,
  Wants,
  type WantedState,
  type WantListener,
} from '../../../services/dht/core/wants.js';
import { peers } from '../../peer/ring-text.js';
import { fetched, ScriptedPeers, SELF, stored } from './scripted-peers.js';
import { deleted, holder, nameOfRecord, NOW_MS, value, version } from './sample-records.js';

const RENEW_MS = 4_000;
const RETRY_MS = 500;
const TICK_MS = 100;
const KEEPERS = ['p30', 'p40', 'p50'];

function stateText(state: WantedState): string {
  if (state.kind === 'absent') return 'absent';
  const name = nameOfRecord(state.record);
  if (state.kind === 'value') return name;
  return `${name} ${state.isExpired ? 'expired' : 'deleted'}`;
}

/** The wants of p20, whose keys are kept by p30, p40 and p50; two of them must answer. */
function scene() {
  const scripted = new ScriptedPeers();
  const now = { wallMs: NOW_MS, steadyMs: 0 };
  const ring = { isFound: true };
  const wants = new Wants({
    clock: { wallMs: () => now.wallMs, steadyMs: () => now.steadyMs },
    self: () => SELF,
    quorum: () => ({ copies: 3, required: 2, isCapped: false }),
    findSet: (_key, done) =>
      done(ring.isFound ? { range: { after: 20, upTo: 30 }, peers: peers(30, 40, 50) } : undefined),
    start: scripted.run,
  });
  const listen = (key = 'a') => {
    const heard: string[] = [];
    const listener: WantListener = {
      changed: (state) => heard.push(stateText(state)),
      failed: () => heard.push('failed'),
    };
    const stop = wants.add(key, listener);
    return { stop, take: () => heard.splice(0) };
  };
  const pass = (ms: number) => {
    for (let passed = 0; passed < ms; passed += TICK_MS) {
      now.wallMs += TICK_MS;
      now.steadyMs += TICK_MS;
      wants.tick();
    }
    return scripted.take();
  };
  /** All three answer the read that is under way; the third too late to matter. */
  const answerAll = (...records: readonly (TableRecord | 'same' | undefined)[]) => {
    for (const [index, name] of KEEPERS.entries()) {
      scripted.answer(name, fetched(records[Math.min(index, records.length - 1)]));
    }
  };
  const silenceAll = () => {
    for (const name of KEEPERS) scripted.silence(name);
  };
  return { scripted, wants, now, ring, listen, pass, answerAll, silenceAll };
}

/** One that waits for the key and has heard its first state. */
function reading(record: TableRecord | undefined) {
  const all = scene();
  const listening = all.listen();
  all.answerAll(record);
  const first = listening.take();
  all.scripted.take();
  return { ...all, ...listening, first };
}

describe('Wants.add', () => {
  it('reads the key at once, and asks to hear of changes', () => {
    const { scripted, listen } = scene();
    listen();
    expect(scripted.take()).toEqual(KEEPERS.map((name) => `${name} watch a`));
  });

  it.each([
    { title: 'the value', record: value('a', 5), expected: 'a@5' },
    { title: 'that there is nothing', record: undefined, expected: 'absent' },
    {
      title: 'that there is nothing any more',
      record: deleted(value('a', 5), 6),
      expected: 'absent',
    },
    {
      title: 'that there is nothing any more, when it has expired',
      record: { ...value('a', 5), expiresAtMs: NOW_MS },
      expected: 'absent',
    },
  ])('tells first $title', ({ record, expected }) => {
    expect(reading(record).first).toEqual([expected]);
  });

  it('does not tell that there is nothing before enough have said so', () => {
    const { scripted, listen } = scene();
    const { take } = listen();
    scripted.answer('p30', fetched(undefined));
    scripted.answer('p40', fetched(undefined, false));
    expect(take()).toEqual([]);
    scripted.answer('p50', fetched(undefined));
    expect(take()).toEqual(['absent']);
  });

  it('tells of a value also when too few have answered', () => {
    const { scripted, listen } = scene();
    const { take } = listen();
    scripted.silence('p30');
    scripted.silence('p40');
    scripted.answer('p50', fetched(value('a', 5)));
    expect(take()).toEqual(['a@5']);
  });

  it('tells one that comes later the state at once, and reads nothing for it', () => {
    const { scripted, listen, take, wants } = reading(value('a', 5));
    const late = listen();
    expect(late.take()).toEqual(['a@5']);
    expect(take()).toEqual([]);
    expect(scripted.take()).toEqual([]);
    expect(wants.count).toBe(1);
    wants.hear(value('a', 6));
    expect([take(), late.take()]).toEqual([['a@6'], ['a@6']]);
  });

  it('reads once for two that come before the first answer', () => {
    const { scripted, listen, answerAll } = scene();
    const [one, other] = [listen(), listen()];
    expect(scripted.take()).toHaveLength(3);
    answerAll(value('a', 5));
    expect([one.take(), other.take()]).toEqual([['a@5'], ['a@5']]);
  });

  it('keeps keys apart', () => {
    const { wants, listen } = scene();
    const [one, other] = [listen('a'), listen('b')];
    wants.hear(value('a', 5));
    expect([one.take(), other.take()]).toEqual([['a@5'], []]);
    expect(wants.count).toBe(2);
  });

  it('stops when the last listener has left', () => {
    const { wants, listen, pass, stop, take } = reading(value('a', 5));
    const late = listen();
    late.take();
    stop();
    stop();
    wants.hear(value('a', 6));
    expect([take(), late.take()]).toEqual([[], ['a@6']]);
    late.stop();
    expect(wants.count).toBe(0);
    wants.hear(value('a', 7));
    expect(late.take()).toEqual([]);
    expect(pass(2 * RENEW_MS)).toEqual([]);
  });

  it('begins anew for one that comes after the last has left, whatever comes late', () => {
    const { wants, scripted, listen, answerAll } = scene();
    const one = listen();
    one.stop();
    const other = listen();
    expect(scripted.take()).toHaveLength(6);
    answerAll(value('a', 5));
    expect(one.take()).toEqual([]);
    one.stop();
    expect(wants.count).toBe(1);
    answerAll(value('a', 6));
    expect(other.take()).toEqual(['a@6']);
  });
});

describe('Wants.hear', () => {
  it('tells every change in order, each once', () => {
    const { wants, take } = reading(value('a', 5));
    for (const record of [
      value('a', 6),
      value('a', 6),
      value('a', 5),
      value('a', 8),
      value('a', 7),
    ]) {
      wants.hear(record);
    }
    expect(take()).toEqual(['a@6', 'a@8']);
  });

  it('tells of a deletion, and of a value that comes after it', () => {
    const { wants, take } = reading(value('a', 5));
    wants.hear(deleted(value('a', 5), 6));
    wants.hear(deleted(value('a', 5), 7));
    wants.hear(value('a', 8));
    expect(take()).toEqual(['a@6 deleted', 'a@8']);
  });

  it('tells of a value where there was nothing, and not of its deletion alone', () => {
    const { wants, take } = reading(undefined);
    wants.hear(deleted(value('a', 5), 6));
    wants.hear(value('a', 7));
    expect(take()).toEqual(['a@7']);
  });

  it('tells of a change that comes before the key has been read', () => {
    const { wants, listen, answerAll } = scene();
    const { take } = listen();
    wants.hear(value('a', 6));
    answerAll(value('a', 5));
    expect(take()).toEqual(['a@6']);
  });

  it('takes a value that has expired on its way for one that is gone', () => {
    const { wants, take } = reading(value('a', 5));
    wants.hear({ ...value('a', 6), expiresAtMs: NOW_MS });
    expect(take()).toEqual(['a@6 expired']);
  });

  it('takes holders and other keys for no change', () => {
    const { wants, take } = reading(value('a', 5));
    wants.hear(holder('a', 'h', 6));
    wants.hear(value('b', 6));
    expect(take()).toEqual([]);
  });
});

describe('Wants.tick', () => {
  it('tells that a value has expired, once, at its end', () => {
    const { pass, take } = reading({ ...value('a', 5), expiresAtMs: NOW_MS + 3 * TICK_MS });
    pass(2 * TICK_MS);
    expect(take()).toEqual([]);
    pass(TICK_MS);
    expect(take()).toEqual(['a@5 expired']);
    pass(5 * TICK_MS);
    expect(take()).toEqual([]);
  });

  it('tells of a value that was renewed before its end', () => {
    const { wants, pass, take } = reading({ ...value('a', 5), expiresAtMs: NOW_MS + TICK_MS });
    wants.hear({ ...value('a', 6), expiresAtMs: NOW_MS + 10 * TICK_MS });
    expect(take()).toEqual(['a@6']);
    pass(9 * TICK_MS);
    expect(take()).toEqual([]);
  });

  it('reads again now and then, and makes up for events that were lost', () => {
    const { scripted, pass, take, answerAll } = reading(value('a', 5));
    expect(pass(RENEW_MS - TICK_MS)).toEqual([]);
    expect(pass(TICK_MS)).toEqual(KEEPERS.map((name) => `${name} watch a`));
    answerAll(value('a', 9), value('a', 7));
    scripted.answer('p40', stored(version(9)));
    expect(take()).toEqual(['a@9']);
    expect(pass(RENEW_MS)).toHaveLength(3);
    answerAll(deleted(value('a', 9), 10));
    expect(take()).toEqual(['a@10 deleted']);
  });

  it('tells nothing when a later read finds the same', () => {
    const { pass, take, answerAll } = reading(value('a', 5));
    pass(RENEW_MS);
    answerAll(value('a', 5));
    expect(take()).toEqual([]);
  });

  it('keeps what it knows when a later read finds nothing', () => {
    const { pass, take, answerAll, listen } = reading(value('a', 5));
    pass(RENEW_MS);
    answerAll(undefined);
    expect(take()).toEqual([]);
    expect(listen().take()).toEqual(['a@5']);
  });

  it('tries soon again when too few have answered', () => {
    const { pass, silenceAll } = reading(value('a', 5));
    pass(RENEW_MS);
    silenceAll();
    expect(pass(RETRY_MS - TICK_MS)).toEqual([]);
    expect(pass(TICK_MS)).toHaveLength(3);
  });

  it('tries soon again when nobody was found who keeps the key', () => {
    const { pass, ring, scripted, listen } = scene();
    ring.isFound = false;
    listen();
    expect(scripted.take()).toEqual([]);
    ring.isFound = true;
    expect(pass(RETRY_MS)).toHaveLength(3);
  });

  it('does not read a key twice at once', () => {
    const { pass } = reading(value('a', 5));
    expect(pass(RENEW_MS)).toHaveLength(3);
    expect(pass(2 * RENEW_MS)).toEqual([]);
  });

  it('ends a want whose key could not be read for too long, and nothing follows', () => {
    const { wants, ring, pass, take, listen } = reading(value('a', 5));
    const late = listen();
    late.take();
    ring.isFound = false;
    pass(UNREAD_MS_MAX);
    expect([take(), late.take()]).toEqual([[], []]);
    pass(TICK_MS);
    expect([take(), late.take()]).toEqual([['failed'], ['failed']]);
    expect(wants.count).toBe(0);
    wants.hear(value('a', 6));
    pass(UNREAD_MS_MAX);
    expect(take()).toEqual([]);
  });

  it('ends a want whose first read has no end', () => {
    const { pass, listen } = scene();
    const { take } = listen();
    pass(UNREAD_MS_MAX);
    expect(take()).toEqual([]);
    pass(TICK_MS);
    expect(take()).toEqual(['failed']);
  });

  it('goes on with a want whose key is read now and then', () => {
    const { pass, take, answerAll, wants } = reading(value('a', 5));
    for (let reads = 0; reads < 10; reads += 1) {
      pass(RENEW_MS);
      answerAll(value('a', 5));
    }
    expect(take()).toEqual([]);
    expect(wants.count).toBe(1);
  });
});
