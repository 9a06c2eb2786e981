import { describe, expect, it } from 'vitest';
import {
  onceAfter,
  pause,
  systemClock,
  TIMER_MS_MAX,
  type Clock,
  within,
} from '../../services/system/clock.js';
import { FakeClock } from '../support/fake-clock.js';

describe.each<{ name: string; clock: Clock }>([
  { name: 'systemClock', clock: systemClock },
  { name: 'FakeClock', clock: new FakeClock() },
])('$name', ({ clock }) => {
  it.each([
    { title: 'below zero', ms: -1 },
    { title: 'a fraction', ms: 0.5 },
    { title: 'not a number', ms: Number.NaN },
    { title: 'longer than the timers of the system run', ms: TIMER_MS_MAX + 1 },
  ])('refuses a timer that is $title', ({ ms }) => {
    expect(() => clock.after(ms, () => undefined)).toThrow(RangeError);
    expect(() => clock.every(ms, () => undefined)).toThrow(RangeError);
  });

  it('accepts the longest timer, and none for a repeat without a pause', () => {
    clock.after(TIMER_MS_MAX, () => undefined)();
    expect(() => clock.every(0, () => undefined)).toThrow(RangeError);
  });

  it('reads an integer since the epoch, and a time that never runs back', () => {
    expect(Number.isInteger(clock.now())).toBe(true);
    expect(clock.now()).toBeGreaterThan(Date.UTC(2025, 0));
    expect(clock.monotonicMs()).toBeLessThanOrEqual(clock.monotonicMs());
  });
});

describe('systemClock', () => {
  it('calls once, or again and again until it is cancelled', async () => {
    const calls: string[] = [];
    await new Promise<void>((resolve) => {
      systemClock.after(0, () => void calls.push('once'));
      systemClock.after(0, () => void calls.push('never'))();
      const cancel = systemClock.every(1, () => {
        if (calls.push('again') < 4) return;
        cancel();
        cancel();
        resolve();
      });
    });
    expect(calls.toSorted()).toEqual(['again', 'again', 'again', 'once']);
  });
});

describe('FakeClock', () => {
  it('calls what is due, in the order of the due times and then of the setting', () => {
    const clock = new FakeClock();
    const calls: string[] = [];
    const note = (name: string) => () => void calls.push(`${name} at ${clock.monotonicMs()}`);
    clock.after(30, note('late'));
    clock.after(10, note('first'));
    clock.every(10, note('tick'));
    clock.after(31, note('never'))();
    clock.after(10, () => clock.after(5, note('nested')));
    clock.advance(30);
    expect(calls).toEqual([
      'first at 10',
      'tick at 10',
      'nested at 15',
      'tick at 20',
      'late at 30',
      'tick at 30',
    ]);
    expect(clock.timerCount).toBe(1);
  });

  it('stops a repeat that cancels itself', () => {
    const clock = new FakeClock();
    let count = 0;
    const cancel = clock.every(1, () => {
      count += 1;
      if (count === 3) cancel();
    });
    clock.advance(10);
    expect(count).toBe(3);
    expect(clock.timerCount).toBe(0);
  });

  it('moves only the time of day when that is set', () => {
    const clock = new FakeClock();
    const before = clock.now();
    let isCalled = false;
    clock.after(10, () => (isCalled = true));
    clock.jump(-5_000);
    expect([clock.now() - before, clock.monotonicMs(), isCalled]).toEqual([-5_000, 0, false]);
    clock.advance(10);
    expect([clock.now() - before, clock.monotonicMs(), isCalled]).toEqual([-4_990, 10, true]);
  });

  it('calls late what became due while the process stood still', () => {
    const clock = new FakeClock();
    let calledMs = 0;
    clock.after(10, () => (calledMs = clock.monotonicMs()));
    clock.stall(50);
    expect(calledMs).toBe(0);
    clock.advance(0);
    expect(calledMs).toBe(50);
  });

  it('lets promises settle between steps', async () => {
    const clock = new FakeClock();
    const seen: number[] = [];
    const tick = async (): Promise<void> => {
      await Promise.resolve();
      seen.push(clock.monotonicMs());
    };
    clock.every(10, () => void tick());
    await clock.advanceInSteps(25, 10);
    expect(seen).toEqual([10, 20]);
    expect(clock.monotonicMs()).toBe(25);
  });
});

describe('onceAfter', () => {
  const calls = (end: (clock: FakeClock, stop: AbortController, finish: () => void) => void) => {
    const clock = new FakeClock();
    const stop = new AbortController();
    let count = 0;
    const finish = onceAfter(clock, 100, stop.signal, () => (count += 1));
    end(clock, stop, finish);
    return count;
  };

  it.each<{ title: string; end: Parameters<typeof calls>[0] }>([
    { title: 'after so long', end: (clock) => clock.advance(100) },
    { title: 'when the signal says so', end: (_clock, stop) => stop.abort() },
    { title: 'when it is told to', end: (_clock, _stop, finish) => finish() },
  ])('calls once $title, and never again', ({ end }) => {
    const everyEnd = (clock: FakeClock, stop: AbortController, finish: () => void) => {
      end(clock, stop, finish);
      clock.advance(200);
      stop.abort();
      finish();
    };
    expect(calls(end)).toBe(1);
    expect(calls(everyEnd)).toBe(1);
  });

  it('does not call before', () => {
    expect(calls((clock) => clock.advance(99))).toBe(0);
  });
});

describe('pause', () => {
  it('ends after so long', async () => {
    const clock = new FakeClock();
    const paused = pause(clock, 100, new AbortController().signal);
    clock.advance(100);
    await paused;
  });

  it('ends at once when the signal has said so, or says so', async () => {
    const clock = new FakeClock();
    const stop = new AbortController();
    const paused = pause(clock, 100, stop.signal);
    stop.abort();
    await paused;
    await pause(clock, 100, stop.signal);
  });
});

describe('within', () => {
  it('answers with what the promise brings, and keeps no timer', async () => {
    const clock = new FakeClock();
    expect(await within(clock, 100, Promise.resolve('done'))).toBe('done');
    clock.advance(200);
    await expect(within(clock, 100, Promise.reject(new Error('no')))).rejects.toThrow('no');
  });

  it('answers with nothing when that takes longer', async () => {
    const clock = new FakeClock();
    const waited = within(clock, 100, new Promise<string>(() => undefined));
    clock.advance(100);
    expect(await waited).toBeUndefined();
  });
});
