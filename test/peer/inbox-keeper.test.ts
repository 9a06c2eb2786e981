import { describe, expect, it } from 'vitest';
import type { Letter } from '../../services/peer/core/messages.js';
import { InboxKeeper } from '../../services/peer/inbox-keeper.js';
import { HEARTBEAT_MS } from '../../services/limits.js';
import { FakeClock } from '../support/fake-clock.js';
import { settle } from './lone-driver.js';

const LETTERS_MAX = 3;

const letter = (messageId: string): Letter => ({
  messageId,
  fromRingId: 20,
  payload: Buffer.of(1),
  path: [],
});

function create() {
  const clock = new FakeClock();
  const limits = { lettersMax: LETTERS_MAX, bytesMax: 1_000, rememberedMax: 100 };
  const keeper = new InboxKeeper({ clock, limits });
  const deliver = (...ids: readonly string[]) => ids.map((id) => keeper.deliver(letter(id)));
  return { keeper, clock, deliver };
}

/** A watcher that reads all that comes; a quiet item is noted as `-`. */
function watch(keeper: InboxKeeper) {
  const ending = new AbortController();
  const read: string[] = [];
  const sequences: number[] = [];
  const reading = (async () => {
    for await (const { event, sequence } of keeper.watch(ending.signal)) {
      read.push(event?.messageId ?? '-');
      sequences.push(sequence);
    }
  })();
  return { read, sequences, reading, end: () => ending.abort() };
}

describe('InboxKeeper.deliver', () => {
  it('keeps letters while nobody watches, as many as there is room for', () => {
    const { deliver } = create();
    expect(deliver('a', 'b', 'c', 'd')).toEqual([
      'delivered',
      'delivered',
      'delivered',
      'inbox-full',
    ]);
  });

  it('acknowledges a repeat, also when there is no room', () => {
    const { deliver } = create();
    deliver('a', 'b', 'c');
    expect(deliver('a', 'd')).toEqual(['delivered', 'inbox-full']);
  });

  it('makes room as fast as somebody reads', async () => {
    const { keeper, deliver } = create();
    const { read } = watch(keeper);
    await settle();
    for (const id of ['a', 'b', 'c', 'd', 'e']) {
      expect(deliver(id)).toEqual(['delivered']);
      await settle();
    }
    expect(read).toEqual(['-', 'a', 'b', 'c', 'd', 'e']);
  });
});

describe('InboxKeeper.watch', () => {
  it('says first that it watches, then what has waited, then what comes', async () => {
    const { keeper, deliver } = create();
    deliver('a', 'b');
    const { read, sequences } = watch(keeper);
    await settle();
    expect(read).toEqual(['-', 'a', 'b']);
    deliver('c');
    await settle();
    expect(read).toEqual(['-', 'a', 'b', 'c']);
    expect(sequences).toEqual([1, 2, 3, 4]);
  });

  it('says at once that it watches when nothing waits', async () => {
    const { keeper } = create();
    const { read } = watch(keeper);
    await settle();
    expect(read).toEqual(['-']);
  });

  it('hands what has waited to the first watcher only, and what comes to every one', async () => {
    const { keeper, deliver } = create();
    deliver('a');
    const [one, other] = [watch(keeper), watch(keeper)];
    await settle();
    deliver('b');
    await settle();
    expect([one.read, other.read]).toEqual([
      ['-', 'a', 'b'],
      ['-', 'b'],
    ]);
  });

  it('hands no repeat out', async () => {
    const { keeper, deliver } = create();
    deliver('a');
    const { read } = watch(keeper);
    await settle();
    expect(deliver('a', 'b', 'b')).toEqual(['delivered', 'delivered', 'delivered']);
    await settle();
    expect(read).toEqual(['-', 'a', 'b']);
  });

  it('lets letters wait again when the last watcher has gone', async () => {
    const { keeper, deliver, clock } = create();
    const first = watch(keeper);
    await settle();
    first.end();
    await first.reading;
    expect(deliver('a', 'b', 'c', 'd').at(-1)).toBe('inbox-full');
    expect(first.read).toEqual(['-']);
    const second = watch(keeper);
    await settle();
    expect(second.read).toEqual(['-', 'a', 'b', 'c']);
    second.end();
    await second.reading;
    expect(clock.timerCount).toBe(0);
  });

  it('says that it is quiet at every heartbeat interval', async () => {
    const { keeper, clock } = create();
    const { read, sequences } = watch(keeper);
    await settle();
    clock.advance(HEARTBEAT_MS - 1);
    await settle();
    expect(read).toEqual(['-']);
    clock.advance(1);
    await settle();
    expect(read).toEqual(['-', '-']);
    expect(sequences).toEqual([1, 2]);
  });

  it('refuses what a watcher that does not read has no room for', async () => {
    const { keeper, deliver } = create();
    const items = keeper.watch(new AbortController().signal);
    await items.next();
    const ids = Array.from({ length: LETTERS_MAX + 1 }, (_, index) => String(index));
    const expected = ids.map((_, index) => (index < LETTERS_MAX ? 'delivered' : 'inbox-full'));
    expect(deliver(...ids)).toEqual(expected);
  });

  it('keeps for the next watcher what the last one did not read', async () => {
    const { keeper, deliver } = create();
    deliver('a');
    const end = new AbortController();
    const items = keeper.watch(end.signal);
    await items.next();
    deliver('b');
    end.abort();
    await items.next();
    const { read } = watch(keeper);
    await settle();
    expect(read).toEqual(['-', 'a', 'b']);
  });
});
