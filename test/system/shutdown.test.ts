import { EventEmitter } from 'node:events';
import { describe, expect, it } from 'vitest';
import { onShutdownSignals, type ShutdownSignal } from '../../services/system/shutdown.js';
import { FakeClock } from '../support/fake-clock.js';

class FakeHost extends EventEmitter {
  readonly exitCodes: number[] = [];
  exit(code: number): void {
    this.exitCodes.push(code);
  }
}

function watchSignals() {
  const host = new FakeHost();
  const clock = new FakeClock();
  const handled: ShutdownSignal[] = [];
  const cancel = onShutdownSignals(async (signal) => void handled.push(signal), { host, clock });
  return { host, clock, handled, cancel };
}

describe('onShutdownSignals', () => {
  it.each<{ first: ShutdownSignal; second: ShutdownSignal; code: number }>([
    { first: 'SIGTERM', second: 'SIGTERM', code: 143 },
    { first: 'SIGTERM', second: 'SIGINT', code: 130 },
    { first: 'SIGINT', second: 'SIGINT', code: 130 },
    { first: 'SIGINT', second: 'SIGTERM', code: 143 },
  ])('stops gracefully at $first, and exits with $code at $second', (example) => {
    const { host, clock, handled } = watchSignals();
    host.emit(example.first);
    expect({ handled, exitCodes: host.exitCodes }).toEqual({
      handled: [example.first],
      exitCodes: [],
    });
    clock.advance(200);
    host.emit(example.second);
    expect({ handled, exitCodes: host.exitCodes }).toEqual({
      handled: [example.first],
      exitCodes: [example.code],
    });
  });

  it('takes the same signal at the same moment for one request, and another for a second', () => {
    const { host, clock } = watchSignals();
    host.emit('SIGINT');
    clock.advance(199);
    clock.jump(60_000);
    host.emit('SIGINT');
    expect(host.exitCodes).toEqual([]);
    host.emit('SIGTERM');
    expect(host.exitCodes).toEqual([143]);
  });

  it('listens to these two signals and to nothing else, until it is cancelled', () => {
    const { host, cancel } = watchSignals();
    expect(host.eventNames()).toEqual(['SIGTERM', 'SIGINT']);
    cancel();
    expect(host.eventNames()).toEqual([]);
  });

  it('listens to the process when it is told no other', () => {
    const before = process.listenerCount('SIGTERM');
    const cancel = onShutdownSignals(async () => undefined);
    expect(process.listenerCount('SIGTERM')).toBe(before + 1);
    cancel();
    expect(process.listenerCount('SIGTERM')).toBe(before);
  });
});
