import { describe, expect, it } from 'vitest';
import {
  Binder,
  type BinderEffect,
  type BinderLimits,
} from '../../../services/binder/core/binder.js';
import type { CheckOrder } from '../../../services/binder/core/checks.js';
import type { Endpoint } from '../../../services/binder/core/endpoint.js';
import type { HealthCheck } from '../../../services/binder/core/health-check.js';
import { BINDER_LIMITS } from '../../../services/binder/core/limits.js';
import type { Verdict } from '../../../services/binder/core/watchman.js';
import { RingbinderError } from '../../../services/errors.js';
import { endpointOf, registrationOf } from './endpoints.js';

const EPOCH_MS = 1_750_000_000_000;
const HOUR_MS = 3_600_000;
const CHECK: HealthCheck = {
  method: { kind: 'tcp', port: undefined },
  intervalMs: 5_000,
  timeoutMs: 1_000,
  healthyThreshold: 2,
  unhealthyThreshold: 2,
  removalThreshold: 4,
};

/** A binder whose time a test moves, and what it has done. */
class Bench {
  nowMs = 0;
  readonly effects: BinderEffect[] = [];
  readonly binder: Binder;

  constructor(limits: Partial<BinderLimits> = {}) {
    let ids = 0;
    this.binder = new Binder({
      self: 'b1',
      limits: { ...BINDER_LIMITS, ...limits },
      clock: { steadyMs: () => this.nowMs, wallMs: () => EPOCH_MS + this.nowMs },
      newId: () => `e${(ids += 1)}`,
      perform: (effect) => this.effects.push(effect),
    });
    this.binder.fellowship.name(['b1', 'b2', 'b3'], 0);
  }

  /** Lets time pass in beats; others that are named here go on speaking. */
  pass(ms: number, speaking: readonly string[] = ['b2', 'b3']): void {
    for (const endMs = this.nowMs + ms; this.nowMs < endMs;) {
      this.nowMs = Math.min(this.nowMs + 50, endMs);
      for (const other of speaking) this.binder.fellowship.hear(other, this.nowMs);
      this.binder.tick();
    }
  }

  /** Checks that were begun and not taken yet. */
  takeChecks(): readonly CheckOrder[] {
    const checks = this.effects.filter((effect) => effect.kind === 'check');
    this.effects.splice(0);
    return checks.map(({ order }) => order);
  }

  /** Ends the one check that runs. */
  finishCheck(hasPassed: boolean): void {
    const [order, ...others] = this.takeChecks();
    expect(others).toEqual([]);
    const text = hasPassed ? 'passed' : 'connection refused';
    this.binder.checked(order!.checkId, { hasPassed, text });
  }

  at(address = '10.0.0.1:80', service = 'orders'): Endpoint | undefined {
    return this.binder.registry.get(service, address);
  }

  rules(address?: string): readonly unknown[] {
    return this.at(address)!.evidence.map(({ rule }) => rule);
  }
}

function reasonOf(act: () => unknown): string {
  try {
    act();
  } catch (thrown) {
    if (thrown instanceof RingbinderError) return thrown.reason;
    throw thrown;
  }
  throw new Error('it was not refused');
}

describe('a lease', () => {
  it('ends when its TTL is over, and not before', () => {
    const bench = new Bench();
    bench.binder.register(registrationOf({ ttlMs: 2_000 }));
    bench.pass(1_950);
    expect(bench.at()?.removal).toBeUndefined();
    bench.pass(150);
    expect(bench.at()).toMatchObject({ removal: 'lease-ended' });
    expect(bench.rules()).toEqual(['REGISTERED', 'LEASE_ENDED']);
  });

  it('lives on by renewal, and leaves no trace of that', () => {
    const bench = new Bench();
    const { endpointId, fencingToken } = bench.binder.register(registrationOf({ ttlMs: 2_000 }));
    for (let round = 0; round < 5; round += 1) {
      bench.pass(1_900);
      expect(bench.binder.renew(endpointId, fencingToken)).toEqual({
        kind: 'renewed',
        ttlMs: 2_000,
      });
    }
    expect(bench.effects).toHaveLength(1);
  });

  it('gets a full TTL when the process stood still', () => {
    const bench = new Bench();
    bench.binder.register(registrationOf({ ttlMs: 2_000 }));
    bench.pass(100);
    bench.nowMs += 60_000;
    bench.binder.tick();
    expect(bench.at()?.removal).toBeUndefined();
    bench.pass(1_900);
    expect(bench.at()?.removal).toBeUndefined();
    bench.pass(300);
    expect(bench.at()?.removal).toBe('lease-ended');
  });

  it('whose home lives is renewed there, and is taken over when the home is dead', () => {
    const bench = new Bench();
    const stamp = EPOCH_MS * 1_024;
    const theirs = endpointOf({ home: 'b2', fencingToken: stamp, stamp });
    bench.binder.merge([theirs]);
    const { endpointId, fencingToken } = theirs;
    expect(bench.binder.renew(endpointId, fencingToken)).toEqual({ kind: 'elsewhere', home: 'b2' });
    bench.pass(BINDER_LIMITS.fellowship.silentMs + 100, ['b3']);
    const renewal = bench.binder.renew(endpointId, fencingToken);
    expect(renewal).toEqual({ kind: 'renewed', ttlMs: 15_000 });
    expect(bench.at()).toMatchObject({ home: 'b1', term: 1, endpointId, fencingToken });
  });

  it('goes to others when the binder leaves', () => {
    const bench = new Bench();
    bench.binder.register(registrationOf());
    bench.binder.leave();
    expect(['b2', 'b3']).toContain(bench.at()?.home);
    expect(bench.at()?.removal).toBeUndefined();
  });
});

describe('another binder', () => {
  /** What lives here, and what somebody else says of it. */
  function contradicted(parts: Partial<Endpoint>): Bench {
    const bench = new Bench();
    const mine = bench.binder.register(registrationOf());
    bench.pass(1_000);
    bench.binder.merge([{ ...mine, home: 'b2', term: 1, stamp: mine.stamp + 1_024, ...parts }]);
    return bench;
  }

  it.each([
    ['gave up for want of renewals', { removal: 'lease-ended' as const }],
    ['gave up by its checks', { removal: 'checks-failed' as const }],
    ['took over as if its home were dead', { isInherited: true }],
  ])('does not take what lives here and it %s', (_, parts) => {
    const bench = contradicted(parts);
    expect(bench.at()).toMatchObject({ home: 'b1', term: 2, isInherited: false });
    expect(bench.at()?.removal).toBeUndefined();
  });

  it.each([
    ['removes what fails the check after a complaint', { removal: 'report-proved' as const }],
    ['removes what was deregistered there', { removal: 'deregistered' as const }],
  ])('%s', (_, parts) => {
    expect(contradicted(parts).at()?.removal).toBe(parts.removal);
  });

  it('takes over what was renewed there, and is told of the renewals here', () => {
    const bench = contradicted({});
    expect(bench.at()).toMatchObject({ home: 'b2', term: 1 });
    expect(bench.effects.at(-1)).toMatchObject({ kind: 'pass-on', home: 'b2' });
  });

  it('is not believed about a third one that lives', () => {
    const bench = new Bench();
    const stamp = EPOCH_MS * 1_024;
    const theirs = endpointOf({ home: 'b2', fencingToken: stamp, stamp });
    bench.binder.merge([theirs]);
    const gone = { ...theirs, home: 'b3', term: 1, removal: 'lease-ended' as const };
    bench.pass(1_000);
    bench.binder.merge([{ ...gone, stamp: stamp + 1_024 }]);
    expect(bench.at()?.removal).toBeUndefined();
    bench.pass(BINDER_LIMITS.fellowship.silentMs + 100, ['b3']);
    bench.binder.merge([{ ...gone, term: 9, stamp: stamp + 1_024 }]);
    expect(bench.at()?.removal).toBe('lease-ended');
  });

  it('is not believed when it speaks of the day after tomorrow', () => {
    const bench = new Bench();
    const stamp = (EPOCH_MS + 24 * HOUR_MS) * 1_024;
    bench.binder.merge([endpointOf({ home: 'b2', fencingToken: stamp, stamp })]);
    expect(bench.at()).toBeUndefined();
  });
});

describe('a health check', () => {
  function checked(parts: Partial<HealthCheck> = {}): Bench {
    const bench = new Bench();
    bench.binder.register(registrationOf({ ttlMs: HOUR_MS, check: { ...CHECK, ...parts } }));
    bench.effects.splice(0);
    bench.pass(100);
    return bench;
  }

  it('is made at once, and decides whether the endpoint is handed out', () => {
    const bench = checked();
    expect(bench.at()?.health).toBe('unknown');
    expect(reasonOf(() => bench.binder.resolve('orders'))).toBe('NO_HEALTHY_ENDPOINT');
    bench.finishCheck(true);
    expect(bench.binder.resolve('orders').health).toBe('healthy');
    expect(bench.rules()).toEqual(['REGISTERED', 'FIRST_CHECK']);
  });

  it('is made every second until it has passed once, and removes as late as it would otherwise', () => {
    const bench = checked();
    for (let second = 0; second < 19; second += 1) {
      bench.finishCheck(false);
      bench.pass(1_050);
    }
    expect(bench.at()?.removal).toBeUndefined();
    bench.finishCheck(false);
    expect(bench.at()?.removal).toBe('checks-failed');
  });

  it('follows its thresholds', () => {
    const bench = checked();
    bench.finishCheck(true);
    const health: unknown[] = [];
    for (const hasPassed of [false, false, true, false, true, true, false, false, false]) {
      bench.pass(5_100);
      bench.finishCheck(hasPassed);
      health.push(bench.at()?.health);
    }
    expect(health.map(String)).toEqual([
      'healthy',
      'unhealthy',
      'unhealthy',
      'unhealthy',
      'unhealthy',
      'healthy',
      'healthy',
      'unhealthy',
      'unhealthy',
    ]);
    bench.pass(5_100);
    bench.finishCheck(false);
    expect(bench.at()?.removal).toBe('checks-failed');
  });

  it('of a registration that was made anew counts for that one only', () => {
    const bench = checked();
    const [order] = bench.takeChecks();
    bench.binder.register(registrationOf({ ttlMs: HOUR_MS, check: undefined }));
    bench.binder.checked(order!.checkId, { hasPassed: false, text: 'too late' });
    expect(bench.at()?.health).toBe('healthy');
  });
});

describe('a complaint', () => {
  function complain(bench: Bench): Verdict[] {
    const verdicts: Verdict[] = [];
    bench.binder.report('orders', '10.0.0.1:80', (verdict) => verdicts.push(verdict));
    return verdicts;
  }

  it('shares the check of those before it', () => {
    const bench = new Bench();
    bench.binder.register(registrationOf());
    bench.effects.splice(0);
    const [one, other] = [complain(bench), complain(bench)];
    bench.finishCheck(false);
    expect([...one, ...other].map(({ kind }) => kind)).toEqual(['removed', 'removed']);
    expect(other[0]?.evidence).toEqual(one[0]?.evidence);
    expect(bench.rules()).toEqual(['REGISTERED', 'REPORT_PROVED']);
  });

  it('about one that lives changes nothing, and is remembered', () => {
    const bench = new Bench();
    bench.binder.register(registrationOf());
    bench.effects.splice(0);
    const verdicts = complain(bench);
    bench.finishCheck(true);
    expect(verdicts[0]).toMatchObject({
      kind: 'still-alive',
      evidence: [{ rule: 'REPORT_REFUTED' }],
    });
    expect(bench.effects).toEqual([]);
    const { evidence } = bench.binder.explain('orders', '10.0.0.1:80');
    expect(evidence.map(({ rule }) => rule)).toEqual(['REGISTERED', 'REPORT_REFUTED']);
  });

  it('does not touch one that registers while it is looked into', () => {
    const bench = new Bench();
    bench.binder.register(registrationOf());
    bench.effects.splice(0);
    const verdicts = complain(bench);
    const [order] = bench.takeChecks();
    bench.binder.register(registrationOf());
    bench.binder.checked(order!.checkId, { hasPassed: false, text: 'refused' });
    expect(verdicts[0]?.kind).toBe('still-alive');
    expect(bench.at()?.removal).toBeUndefined();
  });

  it('waits when as many checks run as may', () => {
    const bench = new Bench({ checksMax: 1 });
    bench.binder.register(registrationOf());
    bench.binder.register(registrationOf({ address: '10.0.0.2:80' }));
    bench.effects.splice(0);
    complain(bench);
    bench.binder.report('orders', '10.0.0.2:80', () => undefined);
    bench.finishCheck(true);
    expect(bench.takeChecks().map(({ address }) => address)).toEqual(['10.0.0.2:80']);
  });
});

describe('what was removed', () => {
  it('is remembered for an hour', () => {
    const bench = new Bench();
    bench.binder.register(registrationOf({ ttlMs: 1_000 }));
    bench.pass(1_200);
    expect(reasonOf(() => bench.binder.resolve('orders'))).toBe('NO_HEALTHY_ENDPOINT');
    expect(bench.binder.explain('orders', '10.0.0.1:80').evidence).toHaveLength(2);
    bench.nowMs += HOUR_MS;
    bench.binder.tick();
    expect(reasonOf(() => bench.binder.resolve('orders'))).toBe('SERVICE_UNKNOWN');
    expect(reasonOf(() => bench.binder.explain('orders', '10.0.0.1:80'))).toBe('ENDPOINT_UNKNOWN');
    expect(bench.effects.at(-1)).toMatchObject({ kind: 'forgotten' });
  });

  it('is forgotten earlier when it is too much', () => {
    const bench = new Bench({ endpointsMax: 10 });
    for (let index = 0; index < 30; index += 1) {
      const address = `10.0.0.${index}:80`;
      bench.binder.register(registrationOf({ address }));
      bench.binder.deregister({ service: 'orders', address }, undefined);
      bench.pass(50);
    }
    expect([...bench.binder.registry.all()]).toHaveLength(10);
    expect(bench.at('10.0.0.29:80')?.removal).toBe('deregistered');
  });

  it('is not brought back by one who has not heard of it', () => {
    const bench = new Bench();
    const before = bench.binder.register(registrationOf());
    bench.binder.deregister({ endpointId: before.endpointId }, undefined);
    bench.binder.merge([{ ...before, home: 'b2', term: 5, stamp: before.stamp + 1_024 }]);
    expect(bench.at()?.removal).toBe('deregistered');
  });
});
