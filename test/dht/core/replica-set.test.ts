import { describe, expect, it } from 'vitest';
import { COPIES_MAX, quorumOf } from '../../../services/dht/core/replica-set.js';

describe('quorumOf', () => {
  it.each([
    { wanted: 2, copies: 3, members: 0, expected: [1, 1, true] },
    { wanted: 1, copies: 3, members: 0, expected: [1, 1, false] },
    { wanted: 1, copies: 3, members: 1, expected: [1, 1, false] },
    { wanted: 2, copies: 3, members: 1, expected: [1, 1, true] },
    { wanted: 2, copies: 3, members: 2, expected: [2, 2, false] },
    { wanted: 3, copies: 3, members: 2, expected: [2, 2, true] },
    { wanted: 2, copies: 3, members: 3, expected: [3, 2, false] },
    { wanted: 3, copies: 3, members: 3, expected: [3, 3, false] },
    { wanted: 2, copies: 3, members: 100, expected: [3, 2, false] },
    { wanted: 4, copies: 3, members: 100, expected: [3, 3, true] },
    { wanted: 1, copies: 1, members: 5, expected: [1, 1, false] },
    { wanted: COPIES_MAX, copies: COPIES_MAX, members: COPIES_MAX, expected: [16, 16, false] },
    { wanted: COPIES_MAX, copies: COPIES_MAX, members: COPIES_MAX - 1, expected: [15, 15, true] },
  ])(
    'answers $expected for $wanted of $copies copies among $members members',
    ({ wanted, copies: configured, members, expected }) => {
      const { copies, required, isCapped } = quorumOf(wanted, configured, members);
      expect([copies, required, isCapped]).toEqual(expected);
    },
  );
});
