import { describe, expect, it } from 'vitest';
import type { Quorum } from '../../../services/dht/core/replica-set.js';
import { writeRecord } from '../../../services/dht/core/write.js';
import { peers } from '../../peer/ring-text.js';
import { NOT_MEMBER, ScriptedPeers, SELF, stored } from './scripted-peers.js';
import { value, version } from './sample-records.js';

const RECORD = value('a', 5);
const STORED = stored(RECORD.version);

function write(changes: Partial<Quorum> = {}, ringIds: readonly number[] = [30, 40, 50, 60, 70]) {
  const scripted = new ScriptedPeers(() => stored(RECORD.version, true));
  const quorum = { copies: 3, required: 2, isCapped: false, ...changes };
  return { scripted, talking: scripted.start(writeRecord(RECORD, peers(...ringIds), quorum)) };
}

describe('writeRecord', () => {
  it('sends the record to all that keep it, and ends when enough have it', () => {
    const { scripted, talking } = write();
    expect(scripted.take()).toEqual([
      'p30 store a@5 as write',
      'p40 store a@5 as write',
      'p50 store a@5 as write',
    ]);
    scripted.answer('p40', STORED);
    expect(talking.result).toBeUndefined();
    scripted.answer('p30', STORED);
    expect(talking.result).toEqual({
      asked: 3,
      answered: 2,
      counted: 2,
      wasLive: false,
      newer: undefined,
      full: 0,
      ahead: 0,
    });
  });

  it('has others step in with a hint for those that fail', () => {
    const { scripted, talking } = write();
    scripted.take();
    expect(scripted.silence('p30')).toEqual([]);
    expect(scripted.answer('p40', NOT_MEMBER)).toEqual(['p60 store a@5 as hint']);
    expect(scripted.answer('p60', { kind: 'disk-failed' })).toEqual(['p70 store a@5 as hint']);
    scripted.answer('p50', STORED);
    scripted.answer('p70', STORED);
    expect(talking.result).toMatchObject({ asked: 5, answered: 4, counted: 2 });
  });

  it('writes to itself as to any other', () => {
    const { scripted, talking } = write({}, [30, SELF.ringId, 40]);
    expect(scripted.take().at(-1)).toBe('p20 store a@5 as write');
    scripted.answer('p40', STORED);
    expect(talking.result).toMatchObject({ counted: 2, wasLive: true });
  });

  it('tells how many had no room, and how many took the version for one from the future', () => {
    const { scripted, talking } = write({ required: 3 });
    scripted.answer('p30', { kind: 'full' });
    scripted.answer('p40', { kind: 'full' });
    scripted.answer('p50', { kind: 'ahead' });
    scripted.answer('p60', STORED);
    scripted.silence('p70');
    expect(talking.result).toMatchObject({ asked: 5, answered: 4, counted: 1, full: 2, ahead: 1 });
  });

  it('tells the newest version that one of them has instead, and counts it as written', () => {
    const { scripted, talking } = write({ required: 3 });
    scripted.answer('p30', stored(version(8)));
    scripted.answer('p40', stored(version(9)));
    scripted.answer('p50', stored(version(7)));
    expect(talking.result).toMatchObject({ counted: 3, newer: version(9) });
  });

  it.each([
    { title: 'its own version', there: RECORD.version },
    { title: 'an older version', there: version(4) },
  ])('takes $title for nothing newer', ({ there }) => {
    const { scripted, talking } = write({ required: 1 });
    scripted.answer('p30', stored(there));
    expect(talking.result).toMatchObject({ newer: undefined });
  });

  it('tells whether one that answered had something live', () => {
    const { scripted, talking } = write();
    scripted.answer('p30', stored(RECORD.version, true));
    scripted.answer('p50', STORED);
    expect(talking.result).toMatchObject({ wasLive: true });
  });

  it('takes an answer without a result for a failure', () => {
    const { scripted, talking } = write({ copies: 1, required: 1 }, [30]);
    scripted.answer('p30', { kind: 'stored', results: [] });
    expect(talking.result).toMatchObject({ answered: 1, counted: 0 });
  });
});
