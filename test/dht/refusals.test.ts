import { describe, expect, it } from 'vitest';
import type { ReadOutcome } from '../../services/dht/core/read.js';
import { VALUE_BYTES_MAX } from '../../services/dht/core/record.js';
import type { Rests } from '../../services/dht/core/table-member.js';
import type { WriteOutcome } from '../../services/dht/core/write.js';
import {
  doneRead,
  doneWrite,
  keyNotFound,
  tooManyHolders,
  valueTooLarge,
} from '../../services/dht/refusals.js';
import { RingbinderError } from '../../services/errors.js';

const QUORUM = { copies: 3, required: 2, isCapped: false };
const TALLY = { asked: 4, answered: 3, counted: 1 };

const written = (changes: Partial<WriteOutcome> = {}): Rests<WriteOutcome> => ({
  set: undefined,
  quorum: QUORUM,
  outcome: { ...TALLY, wasLive: false, newer: undefined, full: 0, ahead: 0, ...changes },
});

const read = (changes: Partial<ReadOutcome> = {}): Rests<ReadOutcome> => ({
  set: undefined,
  quorum: QUORUM,
  outcome: { ...TALLY, records: [], versions: [], repaired: 0, damaged: 0, ...changes },
});

const noWay = { set: undefined, quorum: QUORUM, outcome: undefined };

/** What was thrown, as far as callers may rely on it. */
function refusalOf(act: () => unknown) {
  try {
    act();
  } catch (caught) {
    const { reason, status, facts, retryAfterMs } = RingbinderError.from(caught);
    return { reason, status, facts, retryAfterMs };
  }
  return undefined;
}

const shapeOf = ({ reason, status, facts, retryAfterMs }: RingbinderError) => ({
  reason,
  status,
  facts,
  retryAfterMs,
});

const SHORT = {
  reason: 'QUORUM_NOT_REACHED',
  status: 'UNAVAILABLE',
  facts: { key: 'a', asked: '4', answered: '3', counted: '1', required: '2' },
  retryAfterMs: 500,
};
const NO_WAY = {
  reason: 'LOOKUP_FAILED',
  status: 'UNAVAILABLE',
  facts: { key: 'a' },
  retryAfterMs: 500,
};

describe('keyNotFound', () => {
  it('names the key', () => {
    expect(shapeOf(keyNotFound('a'))).toEqual({
      reason: 'KEY_NOT_FOUND',
      status: 'NOT_FOUND',
      facts: { key: 'a' },
      retryAfterMs: undefined,
    });
  });
});

describe('valueTooLarge', () => {
  it('names the size and the bound', () => {
    expect(shapeOf(valueTooLarge(VALUE_BYTES_MAX + 1))).toEqual({
      reason: 'VALUE_TOO_LARGE',
      status: 'RESOURCE_EXHAUSTED',
      facts: { valueBytes: '1048577', valueBytesMax: '1048576' },
      retryAfterMs: undefined,
    });
  });
});

describe('tooManyHolders', () => {
  it('names the key and the bound', () => {
    expect(shapeOf(tooManyHolders('a', 1_000))).toEqual({
      reason: 'TABLE_FULL',
      status: 'RESOURCE_EXHAUSTED',
      facts: { key: 'a', holdersMax: '1000' },
      retryAfterMs: undefined,
    });
  });
});

describe('doneWrite', () => {
  it.each([2, 3])('answers with what was done when %i of 2 have it', (counted) => {
    const rests = written({ counted, full: 1 });
    expect(doneWrite('a', rests)).toBe(rests.outcome);
  });

  it.each([
    { title: 'nobody was found', rests: noWay, expected: NO_WAY },
    { title: 'too few answered', rests: written(), expected: SHORT },
    {
      title: 'some took the version for one from the future',
      rests: written({ counted: 3, ahead: 1 }),
      expected: {
        reason: 'QUORUM_NOT_REACHED',
        status: 'UNAVAILABLE',
        facts: { key: 'a', ahead: '1' },
        retryAfterMs: undefined,
      },
    },
    {
      title: 'some had no room',
      rests: written({ full: 2, ahead: 1 }),
      expected: {
        reason: 'TABLE_FULL',
        status: 'RESOURCE_EXHAUSTED',
        facts: { key: 'a', full: '2' },
        retryAfterMs: undefined,
      },
    },
  ])('refuses when $title', ({ rests, expected }) => {
    expect(refusalOf(() => doneWrite('a', rests))).toEqual(expected);
  });
});

describe('doneRead', () => {
  it.each([2, 3])('answers with what was found when %i of 2 have said it', (counted) => {
    const rests = read({ counted, damaged: 1 });
    expect(doneRead('a', rests)).toBe(rests.outcome);
  });

  it.each([
    { title: 'nobody was found', rests: noWay, expected: NO_WAY },
    { title: 'too few have said what they have', rests: read(), expected: SHORT },
    {
      title: 'copies are damaged',
      rests: read({ damaged: 1 }),
      expected: {
        reason: 'RECORD_DAMAGED',
        status: 'DATA_LOSS',
        facts: { key: 'a', damaged: '1' },
        retryAfterMs: undefined,
      },
    },
  ])('refuses when $title', ({ rests, expected }) => {
    expect(refusalOf(() => doneRead('a', rests))).toEqual(expected);
  });
});
