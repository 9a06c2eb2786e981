import { getEventListeners } from 'node:events';
import { describe, expect, it } from 'vitest';
import { WatchQueue } from '../../services/rpc/watch-queue.js';
import { FakeClock } from '../support/fake-clock.js';
import { settle } from './lone-driver.js';

const HEARTBEAT_MS = 1_000;

function create(eventsMax = 3) {
  const clock = new FakeClock();
  const ending = new AbortController();
  const { signal } = ending;
  const queue = new WatchQueue<string>({ clock, signal, heartbeatMs: HEARTBEAT_MS, eventsMax });
  const start = clock.now();
  const read: string[] = [];
  let isOver = false;
  const reading = (async () => {
    for await (const { sequence, observedAtMs, event } of queue.items()) {
      read.push(`${sequence} ${observedAtMs - start} ${event ?? '-'}`);
    }
    isOver = true;
  })();
  return { queue, clock, ending, read, reading, isOver: () => isOver };
}

describe('WatchQueue', () => {
  it('yields events in order, with the time at which they came', async () => {
    const { queue, clock, read } = create();
    queue.push('a');
    clock.advance(5);
    queue.push('b');
    await settle();
    queue.push('c');
    clock.advance(5);
    await settle();
    expect(read).toEqual(['1 0 a', '2 5 b', '3 5 c']);
  });

  it('says that nothing happened after an interval of silence, no sooner', async () => {
    const { queue, clock, read } = create();
    await settle();
    clock.advance(HEARTBEAT_MS - 1);
    await settle();
    queue.push('a');
    await settle();
    clock.advance(HEARTBEAT_MS - 1);
    await settle();
    expect(read).toEqual([`1 ${HEARTBEAT_MS - 1} a`]);
    clock.advance(1);
    await settle();
    clock.advance(HEARTBEAT_MS);
    await settle();
    const quietAt = [2 * HEARTBEAT_MS - 1, 3 * HEARTBEAT_MS - 1];
    expect(read.slice(1)).toEqual([`2 ${quietAt[0]} -`, `3 ${quietAt[1]} -`]);
  });

  it('lets as many events wait as its bound', async () => {
    const { queue, read } = create();
    for (const event of ['a', 'b', 'c']) queue.push(event);
    await settle();
    expect(read).toEqual(['1 0 a', '2 0 b', '3 0 c']);
  });

  it('cuts off a watcher for which one more waits', async () => {
    const { queue, read, reading } = create();
    const refusal = expect(reading).rejects.toMatchObject({
      reason: 'WATCHER_TOO_SLOW',
      facts: { eventsMax: '3' },
    });
    for (const event of ['a', 'b', 'c', 'd', 'e']) queue.push(event);
    await refusal;
    expect(read).toEqual([]);
  });

  it.each([
    { title: 'while it is quiet', isQuiet: true },
    { title: 'while events wait', isQuiet: false },
  ])('ends when its signal says so, $title', async ({ isQuiet }) => {
    const { queue, clock, ending, read, reading, isOver } = create();
    if (isQuiet) await settle();
    else queue.push('a');
    expect(isOver()).toBe(false);
    ending.abort();
    await reading;
    expect(read).toEqual([]);
    expect(clock.timerCount).toBe(0);
  });

  it('yields nothing when its signal came before it began', async () => {
    const { clock } = create();
    const queue = new WatchQueue({
      clock,
      signal: AbortSignal.abort(),
      heartbeatMs: HEARTBEAT_MS,
      eventsMax: 3,
    });
    queue.push('a');
    expect(await queue.items().next()).toEqual({ done: true, value: undefined });
  });

  it('leaves neither timer nor listener behind for each event', async () => {
    const { queue, clock, ending, read } = create();
    for (let count = 0; count < 20; count += 1) {
      await settle();
      queue.push('a');
    }
    await settle();
    expect(read).toHaveLength(20);
    expect(clock.timerCount).toBe(1);
    expect(getEventListeners(ending.signal, 'abort')).toHaveLength(1);
  });
});
