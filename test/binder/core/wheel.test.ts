import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Wheel } from '../../../services/binder/core/wheel.js';

const SLOT_MS = 50;

describe('Wheel', () => {
  it('gives nothing out before its time, and everything within a slot after', () => {
    const wheel = new Wheel<string>(SLOT_MS);
    wheel.set('a', 1_000);
    expect(wheel.takeDue(999)).toEqual([]);
    expect(wheel.takeDue(1_000 + SLOT_MS)).toEqual(['a']);
    expect(wheel.takeDue(5_000)).toEqual([]);
  });

  it('follows a time that is put off, brought forward, or taken back', () => {
    const wheel = new Wheel<string>(SLOT_MS);
    wheel.set('off', 100);
    wheel.set('off', 900);
    wheel.set('forward', 900);
    wheel.set('forward', 100);
    wheel.set('back', 100);
    wheel.delete('back');
    expect(wheel.takeDue(500)).toEqual(['forward']);
    expect(wheel.takeDue(1_000)).toEqual(['off']);
  });

  it('does what a plain map of times does', () => {
    const step = fc.oneof(
      fc.record({
        kind: fc.constant('set' as const),
        key: fc.nat({ max: 5 }),
        inMs: fc.nat({ max: 600 }),
      }),
      fc.record({ kind: fc.constant('delete' as const), key: fc.nat({ max: 5 }), inMs: fc.nat(0) }),
      fc.record({ kind: fc.constant('pass' as const), key: fc.nat(0), inMs: fc.nat({ max: 300 }) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const wheel = new Wheel<number>(SLOT_MS);
        const plain = new Map<number, number>();
        let nowMs = 0;
        for (const { kind, key, inMs } of steps) {
          if (kind === 'set') {
            wheel.set(key, nowMs + inMs);
            plain.set(key, nowMs + inMs);
          } else if (kind === 'delete') {
            wheel.delete(key);
            plain.delete(key);
          } else {
            nowMs += inMs;
            for (const due of wheel.takeDue(nowMs)) {
              expect(plain.get(due)).toBeLessThanOrEqual(nowMs);
              plain.delete(due);
            }
            for (const atMs of plain.values()) expect(atMs).toBeGreaterThan(nowMs - SLOT_MS);
          }
        }
      }),
    );
  });
});
