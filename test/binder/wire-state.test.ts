import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Endpoint } from '../../services/binder/core/endpoint.js';
import { decodeState, encodeState } from '../../services/binder/wire-state.js';

const port = fc.option(fc.integer({ min: 1, max: 65_535 }), { nil: undefined });
const method = fc.oneof(
  fc.record({ kind: fc.constant('tcp' as const), port }),
  fc.record({
    kind: fc.constant('grpc' as const),
    service: fc.string(),
    port,
    isTls: fc.boolean(),
  }),
  fc.record({
    kind: fc.constant('http' as const),
    path: fc.constant('/x'),
    port,
    isTls: fc.boolean(),
  }),
);
const threshold = fc.integer({ min: 1, max: 100 });
const ms = fc.integer({ min: 1_000, max: 86_400_000 });
const removal = fc.constantFrom(
  undefined,
  'deregistered' as const,
  'lease-ended' as const,
  'checks-failed' as const,
  'report-proved' as const,
);
const safe = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER });
const endpoint: fc.Arbitrary<Endpoint> = fc.record({
  endpointId: fc.string(),
  registration: fc.record({
    service: fc.string(),
    address: fc.string({ unit: 'grapheme' }),
    ttlMs: ms,
    metadata: fc.dictionary(
      fc.string().filter((key) => key !== '__proto__'),
      fc.string(),
      { noNullPrototype: true },
    ),
    check: fc.option(
      fc.record({
        method,
        intervalMs: ms,
        timeoutMs: ms,
        healthyThreshold: threshold,
        unhealthyThreshold: threshold,
        removalThreshold: threshold,
      }),
      { nil: undefined },
    ),
  }),
  registeredAtMs: safe,
  fencingToken: safe,
  home: fc.string(),
  term: fc.nat(),
  isInherited: fc.boolean(),
  health: fc.constantFrom('unknown' as const, 'healthy' as const, 'unhealthy' as const),
  held: removal,
  removal,
  stamp: safe,
  evidence: fc.array(
    fc.record({
      observer: fc.string(),
      check: fc.constantFrom('LEASE' as const, 'TCP' as const),
      outcome: fc.string({ unit: 'grapheme' }),
      atMs: fc.integer({ min: 0, max: 4_000_000_000_000 }),
      rule: fc.constantFrom(undefined, 'LEASE_ENDED' as const),
    }),
    { maxLength: 3 },
  ),
});

describe('encodeState', () => {
  it('loses nothing', () => {
    fc.assert(
      fc.property(endpoint, (state) => {
        expect(decodeState(encodeState(state))).toEqual(state);
      }),
    );
  });
});
