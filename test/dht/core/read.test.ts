import { describe, expect, it } from 'vitest';
import type { TableAnswer } from '../../../services/dht/core/messages.js';
import { readRecords, type ReadTarget } from '../../../services/dht/core/read.js';
import type { TableRecord } from '../../../services/dht/core/record.js';
import type { Quorum } from '../../../services/dht/core/replica-set.js';
import { peers } from '../../peer/ring-text.js';
import { fetched, NOT_MEMBER, ScriptedPeers, SELF, stored } from './scripted-peers.js';
import { deleted, holder, nameOfRecord, value, valueId, version } from './sample-records.js';

const RECORD: ReadTarget = { kind: 'record', id: valueId('a') };
const HOLDERS: ReadTarget = { kind: 'holders', key: 'a' };
const OLD = value('a', 5);
const NEW = value('a', 9);

type Changes = Partial<Quorum> & {
  readonly target?: ReadTarget;
  readonly ringIds?: readonly number[];
  /** What p20 itself has. */
  readonly mine?: TableAnswer;
};

/** p20 reads from p30, p40 and p50; p60 and p70 stand behind them. */
function read({ target = RECORD, ringIds = [30, 40, 50, 60, 70], mine, ...changes }: Changes = {}) {
  const scripted = new ScriptedPeers((question) =>
    question.kind === 'store' ? stored(NEW.version) : (mine ?? NOT_MEMBER),
  );
  const quorum = { copies: 3, required: 2, isCapped: false, ...changes };
  const talking = scripted.start(readRecords(target, SELF, peers(...ringIds), quorum));
  return { scripted, talking, first: scripted.take() };
}

const page = (records: readonly TableRecord[], next?: string, isWhole = true): TableAnswer => ({
  kind: 'holders',
  records,
  next,
  isWhole,
});

describe('readRecords', () => {
  it('ends when enough have said what they have', () => {
    const { scripted, talking, first } = read();
    expect(first).toEqual(['p30 fetch a', 'p40 fetch a', 'p50 fetch a']);
    scripted.answer('p30', fetched(OLD));
    expect(talking.result).toBeUndefined();
    expect(scripted.answer('p50', fetched(OLD))).toEqual([]);
    expect(talking.result).toEqual({
      asked: 3,
      answered: 2,
      counted: 2,
      records: [OLD],
      versions: [OLD.version],
      repaired: 0,
      damaged: 0,
    });
  });

  it('finds nothing where nobody has anything', () => {
    const { scripted, talking } = read();
    scripted.answer('p30', fetched(undefined));
    scripted.answer('p40', fetched(undefined));
    expect(talking.result).toMatchObject({ counted: 2, records: [], versions: [], repaired: 0 });
  });

  it('asks those behind for each that fails and leaves too few', () => {
    const { scripted, talking } = read();
    expect(scripted.silence('p30')).toEqual([]);
    expect(scripted.answer('p40', NOT_MEMBER)).toEqual(['p60 fetch a']);
    scripted.answer('p50', fetched(OLD));
    scripted.answer('p60', fetched(OLD));
    expect(talking.result).toMatchObject({ asked: 4, answered: 3, counted: 2 });
  });

  it('does not count one that lacks a part of the ring, but believes what it has', () => {
    const { scripted, talking } = read();
    scripted.answer('p30', fetched(NEW, false));
    scripted.answer('p40', fetched(undefined, false));
    scripted.answer('p50', fetched(OLD));
    const repairs = scripted.answer('p60', fetched(OLD));
    expect(repairs).toEqual([
      'p40 store a@9 as read-repair',
      'p50 store a@9 as read-repair',
      'p60 store a@9 as read-repair',
    ]);
    for (const name of ['p40', 'p50', 'p60']) scripted.answer(name, stored(NEW.version));
    expect(talking.result).toMatchObject({
      answered: 4,
      counted: 2,
      records: [NEW],
      versions: [NEW.version, OLD.version],
      repaired: 3,
    });
  });

  it('believes a deletion that is newer than a value', () => {
    const { scripted, talking } = read();
    scripted.answer('p30', fetched(OLD));
    scripted.answer('p40', fetched(deleted(OLD, 6)));
    scripted.answer('p30', stored(version(6)));
    expect(talking.result?.records).toEqual([deleted(OLD, 6)]);
  });

  it('names at most one version of those that are the same', () => {
    const { scripted, talking } = read({ required: 3 });
    for (const name of ['p30', 'p40', 'p50']) scripted.answer(name, fetched(OLD));
    expect(talking.result?.versions).toEqual([OLD.version]);
  });

  it('ends without enough when nobody is left', () => {
    const { scripted, talking } = read({ ringIds: [30, 40] });
    scripted.silence('p30');
    scripted.answer('p40', fetched(OLD));
    expect(talking.result).toMatchObject({ asked: 2, counted: 1, records: [OLD] });
  });
});

describe('readRecords, at a peer that has a copy itself', () => {
  const ringIds = [30, 20, 40, 60];

  it('asks nobody else when its own copy is enough', () => {
    const { talking, first } = read({ ringIds, required: 1, mine: fetched(OLD) });
    expect(first).toEqual(['p20 fetch a']);
    expect(talking.result).toMatchObject({ asked: 1, answered: 1, counted: 1, records: [OLD] });
  });

  it('tells the others what it has, and need not be sent the same again', () => {
    const { scripted, talking, first } = read({ ringIds, mine: fetched(OLD) });
    expect(first).toEqual(['p20 fetch a', 'p30 fetch a known 5', 'p40 fetch a known 5']);
    scripted.answer('p30', fetched('same'));
    expect(talking.result).toMatchObject({
      asked: 3,
      counted: 2,
      records: [OLD],
      versions: [OLD.version],
      repaired: 0,
    });
  });

  it('repairs its own copy when it lags behind', () => {
    const { scripted, talking } = read({ ringIds, mine: fetched(OLD) });
    expect(scripted.answer('p40', fetched(NEW))).toEqual(['p20 store a@9 as read-repair']);
    expect(talking.result).toMatchObject({ records: [NEW], repaired: 1 });
  });

  it('repairs one that has what it had itself when another has something newer', () => {
    const { scripted, talking } = read({ ringIds, required: 3, mine: fetched(OLD) });
    scripted.answer('p30', fetched(NEW));
    const repairs = scripted.answer('p40', fetched('same'));
    expect(repairs).toEqual(['p40 store a@9 as read-repair', 'p20 store a@9 as read-repair']);
    scripted.answer('p40', stored(NEW.version));
    expect(talking.result).toMatchObject({ versions: [NEW.version, OLD.version], repaired: 2 });
  });

  it('does not count its own copy while it lacks a part of the ring', () => {
    const { scripted, talking, first } = read({ ringIds, mine: fetched(OLD, false) });
    expect(first.slice(1)).toEqual(['p30 fetch a known 5', 'p40 fetch a known 5']);
    scripted.answer('p30', fetched('same'));
    expect(talking.result).toBeUndefined();
    scripted.answer('p40', fetched('same'));
    expect(talking.result).toMatchObject({ asked: 3, answered: 3, counted: 2 });
  });

  it('asks those behind when its own copy, the only one, does not count', () => {
    const changes = { ringIds: [20, 30], copies: 1, required: 1, mine: fetched(undefined, false) };
    const { scripted, talking, first } = read(changes);
    expect(first).toEqual(['p20 fetch a', 'p30 fetch a']);
    scripted.answer('p30', fetched(OLD));
    expect(talking.result).toMatchObject({ counted: 1, records: [OLD] });
  });

  it('does not ask itself where it stands behind those that keep a copy', () => {
    const { first } = read({ ringIds: [30, 40, 50, 20], mine: fetched(OLD) });
    expect(first).toEqual(['p30 fetch a', 'p40 fetch a', 'p50 fetch a']);
  });
});

describe('readRecords, of damaged copies', () => {
  it('does not count them, and repairs them', () => {
    const { scripted, talking } = read();
    scripted.answer('p30', fetched('damaged'));
    scripted.answer('p40', fetched(OLD));
    expect(scripted.answer('p50', fetched(OLD))).toEqual(['p30 store a@5 as read-repair']);
    scripted.answer('p30', stored(OLD.version));
    expect(talking.result).toMatchObject({
      answered: 3,
      counted: 2,
      damaged: 1,
      records: [OLD],
      repaired: 1,
    });
  });

  it('has nothing to repair with when all are damaged', () => {
    const { scripted, talking } = read({ ringIds: [30, 40] });
    scripted.answer('p30', fetched('damaged'));
    scripted.answer('p40', fetched('damaged'));
    expect(talking.result).toMatchObject({ counted: 0, damaged: 2, records: [], repaired: 0 });
  });
});

describe('readRecords, repairing', () => {
  it('gives those that lag behind what they lack, and waits for each of them', () => {
    const { scripted, talking } = read({ required: 3 });
    scripted.answer('p30', fetched(OLD));
    scripted.answer('p40', fetched(NEW));
    const repairs = scripted.answer('p50', fetched(undefined));
    expect(repairs).toEqual(['p30 store a@9 as read-repair', 'p50 store a@9 as read-repair']);
    scripted.silence('p50');
    expect(talking.result).toBeUndefined();
    scripted.answer('p30', stored(NEW.version));
    expect(talking.result).toMatchObject({ records: [NEW], repaired: 1 });
  });

  it('does not take a late answer to the reading for that of a repair', () => {
    const { scripted, talking } = read();
    scripted.answer('p30', fetched(NEW));
    expect(scripted.answer('p40', fetched(OLD))).toEqual(['p40 store a@9 as read-repair']);
    scripted.answer('p50', fetched(OLD));
    expect(talking.result).toBeUndefined();
    scripted.answer('p40', stored(NEW.version));
    expect(talking.result).toMatchObject({ counted: 2, records: [NEW], repaired: 1 });
  });

  it('leaves those alone that have not answered', () => {
    const { scripted, talking } = read({ required: 1 });
    scripted.answer('p40', fetched(NEW));
    expect(talking.result).toMatchObject({ counted: 1, records: [NEW], repaired: 0 });
  });

  it.each<{ title: string; answer: TableAnswer }>([
    { title: 'is full', answer: { kind: 'full' } },
    { title: 'has lost its disk', answer: { kind: 'disk-failed' } },
    { title: 'is a member no more', answer: NOT_MEMBER },
  ])('does not count a peer as repaired that $title', ({ answer }) => {
    const { scripted, talking } = read();
    scripted.answer('p30', fetched(undefined));
    scripted.answer('p40', fetched(NEW));
    scripted.answer('p30', answer);
    expect(talking.result).toMatchObject({ counted: 2, repaired: 0 });
  });
});

describe('readRecords, of a key that is waited for', () => {
  it('asks to be told of changes', () => {
    const target = { kind: 'watched', key: 'a' } as const;
    const { scripted, talking, first } = read({
      target,
      ringIds: [20, 30, 40],
      mine: fetched(OLD),
    });
    expect(first).toEqual(['p20 watch a', 'p30 watch a known 5', 'p40 watch a known 5']);
    scripted.answer('p30', fetched('same'));
    expect(talking.result).toMatchObject({ records: [OLD], counted: 2 });
  });
});

describe('readRecords, of the holders of a key', () => {
  const [one, two, three] = ['x', 'y', 'z'].map((address) => holder('a', address, 5)) as [
    TableRecord,
    TableRecord,
    TableRecord,
  ];

  it('reads page after page, and counts a peer with its last one', () => {
    const { scripted, talking, first } = read({ target: HOLDERS });
    expect(first[0]).toBe('p30 fetch-holders a');
    expect(scripted.answer('p30', page([one], 'x'))).toEqual(['p30 fetch-holders a after x']);
    expect(scripted.answer('p30', page([two], 'y'))).toEqual(['p30 fetch-holders a after y']);
    scripted.answer('p30', page([three]));
    expect(talking.result).toBeUndefined();
    scripted.answer('p40', page([one, two, three]));
    expect(talking.result).toMatchObject({
      answered: 2,
      counted: 2,
      records: [one, two, three],
      versions: [],
      repaired: 0,
    });
  });

  it('has the newest of each holder that anyone has, and gives each what it lacks', () => {
    const newer = holder('a', 'x', 8);
    const gone = deleted(two, 9);
    const { scripted, talking } = read({ target: HOLDERS });
    scripted.answer('p30', page([newer, two]));
    const repairs = scripted.answer('p50', page([one, gone, three]));
    expect(repairs).toEqual([
      'p30 store a#y@9 a#z@5 as read-repair',
      'p50 store a#x@8 as read-repair',
    ]);
    scripted.answer('p30', stored(gone.version));
    scripted.answer('p50', stored(newer.version));
    expect(talking.result?.records.map(nameOfRecord)).toEqual(['a#x@8', 'a#y@9', 'a#z@5']);
    expect(talking.result?.repaired).toBe(2);
  });

  it('does not count one that lacks a part of the ring, but believes what it has', () => {
    const { scripted, talking } = read({ target: HOLDERS, required: 1, ringIds: [30] });
    scripted.answer('p30', page([one], undefined, false));
    expect(talking.result).toMatchObject({ answered: 1, counted: 0, records: [one] });
  });

  it('does not count one that falls silent between two pages', () => {
    const { scripted, talking } = read({ target: HOLDERS, required: 1, ringIds: [30], copies: 1 });
    scripted.answer('p30', page([one], 'x'));
    scripted.silence('p30');
    expect(talking.result).toMatchObject({ answered: 0, counted: 0, records: [one] });
  });

  it('takes nothing for lacking at one whose other pages have not come', () => {
    const { scripted, talking } = read({ target: HOLDERS });
    scripted.answer('p30', page([one], 'x'));
    scripted.answer('p40', page([one, two]));
    expect(scripted.answer('p50', page([one, two]))).toEqual([]);
    expect(talking.result).toMatchObject({ counted: 2, repaired: 0 });
  });

  it('repairs no more at once than fits into one message', () => {
    const many = Array.from({ length: 300 }, (_, index) => holder('a', `h${index}`, 5));
    const { scripted } = read({ target: HOLDERS });
    scripted.answer('p30', page(many));
    scripted.answer('p40', page([]));
    const question = scripted.questions.at(-1);
    expect(question?.kind === 'store' && question.records.length).toBe(256);
  });
});
