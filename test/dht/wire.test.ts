import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  ExchangeRequest,
  ExchangeResponse,
  type TableQuestion as NumberedQuestion,
} from '../../proto/gen/ringbinder/internal/v1/table_service.js';
import { FANOUT, LEAF_LEVEL } from '../../services/dht/core/merkle.js';
import type { TableAnswer } from '../../services/dht/core/messages.js';
import type { TableRecord } from '../../services/dht/core/record.js';
import { answerFromWire, answerToWire, refusalToWire } from '../../services/dht/wire-answer.js';
import {
  questionFromWire,
  questionToWire,
  type PeerQuestion,
  type WireQuestion,
} from '../../services/dht/wire-question.js';
import { answerBytes, questionBytes } from '../../services/dht/wire-size.js';
import { RingbinderError } from '../../services/errors.js';

const RING_SIZE = 2 ** 48;

const text = fc.string({ unit: 'grapheme', maxLength: 40 });
const key = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 40 });
const position = fc.integer({ min: 0, max: RING_SIZE - 1 });
const moment = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER });
const end = fc.option(fc.double({ noDefaultInfinity: true, noNaN: true }), { nil: undefined });
const perhaps = <Value>(value: fc.Arbitrary<Value>) => fc.option(value, { nil: undefined });

const version = fc.record({
  wallMs: moment,
  counter: fc.integer({ min: 0, max: 65_535 }),
  writer: position,
});
const id = fc.record({ key, address: perhaps(text) });
const peer = fc.record({ ringId: position, address: text, incarnation: moment });
const span = fc
  .tuple(position, position)
  .map(([one, other]) => ({ first: Math.min(one, other), last: Math.max(one, other) }));
const set = fc.record({
  range: fc.record({ after: position, upTo: position }),
  peers: fc.array(peer, { maxLength: 4 }),
});
const part = fc.integer({ min: 0, max: LEAF_LEVEL }).chain((level) =>
  fc.record({
    level: fc.constant(level),
    index: fc.integer({ min: 0, max: FANOUT ** level - 1 }),
  }),
);
const uint32 = fc.integer({ min: 0, max: 2 ** 32 - 1 });

const record: fc.Arbitrary<TableRecord> = fc.oneof(
  fc.record({
    key,
    address: fc.constant(undefined),
    version,
    content: fc.record({
      kind: fc.constant('value' as const),
      bytes: fc.uint8Array({ maxLength: 60 }),
    }),
    expiresAtMs: end,
  }),
  fc.record({
    key,
    address: text,
    version,
    content: fc.record({ kind: fc.constant('holder' as const), since: version }),
    expiresAtMs: end,
  }),
  fc.record({
    key,
    address: perhaps(text),
    version,
    content: fc.constant({ kind: 'deleted' as const }),
    expiresAtMs: end,
  }),
);
const records = fc.array(record, { maxLength: 4 });
const someRecords = fc.array(record, { minLength: 1, maxLength: 4 });

const kind = <Kind extends string>(name: Kind) => fc.constant(name);

const QUESTIONS: {
  readonly [Kind in PeerQuestion['kind']]: fc.Arbitrary<Extract<PeerQuestion, { kind: Kind }>>;
} = {
  store: fc.record({
    kind: kind('store'),
    records: someRecords,
    purpose: fc.constantFrom('write', 'hint', 'read-repair', 'transfer'),
  }),
  fetch: fc.record({ kind: kind('fetch'), id, known: perhaps(version) }),
  'fetch-holders': fc.record({ kind: kind('fetch-holders'), key, after: perhaps(text) }),
  watch: fc.record({ kind: kind('watch'), key, known: perhaps(version) }),
  changed: fc.record({ kind: kind('changed'), record }),
  'describe-set': fc.record({ kind: kind('describe-set') }),
  cover: fc.record({ kind: kind('cover'), set, isWhole: fc.boolean() }),
  compare: fc.record({
    kind: kind('compare'),
    parts: fc.array(part, { maxLength: 4 }),
    spans: fc.array(span, { maxLength: 4 }),
  }),
  list: fc.record({ kind: kind('list'), span, after: perhaps(text) }),
  take: fc.record({ kind: kind('take'), ids: fc.array(id, { maxLength: 4 }) }),
  lacking: fc.record({
    kind: kind('lacking'),
    claims: fc.array(fc.record({ id, version }), { maxLength: 4 }),
  }),
};

const ANSWERS: {
  readonly [Kind in TableAnswer['kind']]: fc.Arbitrary<Extract<TableAnswer, { kind: Kind }>>;
} = {
  stored: fc.record({
    kind: kind('stored'),
    results: fc.array(fc.record({ version, wasLive: fc.boolean() }), { maxLength: 4 }),
  }),
  full: fc.record({ kind: kind('full') }),
  ahead: fc.record({ kind: kind('ahead') }),
  'disk-failed': fc.record({ kind: kind('disk-failed') }),
  fetched: fc.record({
    kind: kind('fetched'),
    record: fc.oneof(fc.constantFrom('same', 'damaged', undefined), record),
    isWhole: fc.boolean(),
  }),
  holders: fc.record({
    kind: kind('holders'),
    records,
    next: perhaps(text),
    isWhole: fc.boolean(),
  }),
  set: fc.record({ kind: kind('set'), set }),
  digests: fc.record({
    kind: kind('digests'),
    digests: fc.array(fc.record({ count: uint32, high: uint32, low: uint32 }), { maxLength: 4 }),
    isWhole: fc.boolean(),
  }),
  entries: fc.record({
    kind: kind('entries'),
    entries: fc.array(
      fc.record({
        key,
        address: perhaps(text),
        position,
        version,
        endMs: end,
      }),
      { maxLength: 4 },
    ),
    next: perhaps(text),
  }),
  records: fc.record({ kind: kind('records'), records, looked: uint32 }),
  lacking: fc.record({
    kind: kind('lacking'),
    absent: fc.array(uint32, { maxLength: 4 }),
    older: fc.array(uint32, { maxLength: 4 }),
    newer: fc.array(uint32, { maxLength: 4 }),
    standing: fc.constantFrom('whole', 'partial', 'out-of-touch'),
  }),
  noted: fc.record({ kind: kind('noted') }),
  'not-member': fc.record({ kind: kind('not-member') }),
};

function encoded(question: PeerQuestion): Uint8Array {
  const questions = [{ number: 2 ** 31, question: questionToWire(question) }];
  return ExchangeRequest.encode({ questions }).finish();
}

function encodedAnswer(answer: TableAnswer): Uint8Array {
  const answers = [{ number: 2 ** 31, answer: answerToWire(answer) }];
  return ExchangeResponse.encode({ answers }).finish();
}

/** Bytes are compared as bytes, whether they are a Buffer or not. */
function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return [...value];
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, it]) => [name, plain(it)]));
}

function refusal(question: NumberedQuestion['question']): RingbinderError {
  try {
    questionFromWire(question, RING_SIZE);
  } catch (thrown) {
    if (thrown instanceof RingbinderError) return thrown;
  }
  throw new Error('the question was not refused');
}

const VERSION = { wallMs: 1n, counter: 1, writer: 1n };
const RECORD = {
  key: 'k',
  address: undefined,
  version: VERSION,
  content: { $case: 'value', value: Buffer.from('v') },
  expiresAtMs: undefined,
} as const;
const SPAN = { first: 1n, last: 2n };

describe('questionFromWire', () => {
  it.each(Object.entries(QUESTIONS))('reads back what was asked: %s', (_kind, questions) => {
    fc.assert(
      fc.property(questions as fc.Arbitrary<PeerQuestion>, (question) => {
        const bytes = encoded(question);
        const [wire] = ExchangeRequest.decode(bytes).questions;
        expect(wire!.number).toBe(2 ** 31);
        expect(plain(questionFromWire(wire!.question, RING_SIZE))).toEqual(plain(question));
        expect(bytes.length).toBeLessThanOrEqual(questionBytes(question));
      }),
    );
  });

  const store = (record: object): WireQuestion => ({
    $case: 'store',
    value: { records: [{ ...RECORD, ...record }], purpose: 1 },
  });
  it.each<[string, WireQuestion | undefined, string]>([
    ['that is unknown', undefined, 'question'],
    ['without records', { $case: 'store', value: { records: [], purpose: 1 } }, 'records'],
    [
      'with too many records',
      { $case: 'store', value: { records: Array<typeof RECORD>(257).fill(RECORD), purpose: 1 } },
      'records',
    ],
    ['without a purpose', { $case: 'store', value: { records: [RECORD], purpose: 0 } }, 'purpose'],
    ['with an empty key', store({ key: '' }), 'key'],
    ['with a long key', store({ key: 'ä'.repeat(257) }), 'key'],
    ['with a long address', store({ address: 'a'.repeat(4_097) }), 'address'],
    ['with a value at an address', store({ address: '' }), 'address'],
    [
      'with a holder without address',
      store({ content: { $case: 'since', value: VERSION } }),
      'address',
    ],
    [
      'with a long value',
      store({ content: { $case: 'value', value: Buffer.alloc(2 ** 20 + 1) } }),
      'value',
    ],
    ['without content', store({ content: undefined }), 'content'],
    ['without version', store({ version: undefined }), 'version'],
    ['with a high counter', store({ version: { ...VERSION, counter: 65_536 } }), 'version.counter'],
    ['with a huge time', store({ version: { ...VERSION, wallMs: 2n ** 53n } }), 'version.wall_ms'],
    ['with an end that is none', store({ expiresAtMs: NaN }), 'expires_at_ms'],
    ['without id', { $case: 'fetch', value: {} }, 'id'],
    ['without set', { $case: 'cover', value: { isWhole: true } }, 'set'],
    ['without span', { $case: 'list', value: {} }, 'span'],
    [
      'with a span that runs backwards',
      { $case: 'list', value: { span: { first: 2n, last: 1n } } },
      'span',
    ],
    [
      'with a long place',
      { $case: 'list', value: { span: SPAN, after: 'x'.repeat(8_193) } },
      'after',
    ],
    [
      'with a deep part',
      { $case: 'compare', value: { parts: [{ level: 5, index: 0 }], spans: [] } },
      'level',
    ],
    [
      'with a part that is none',
      { $case: 'compare', value: { parts: [{ level: 1, index: 16 }], spans: [] } },
      'index',
    ],
    [
      'with too many spans',
      { $case: 'compare', value: { parts: [], spans: Array<typeof SPAN>(1_025).fill(SPAN) } },
      'spans',
    ],
    [
      'with too many ids',
      { $case: 'take', value: { ids: Array<{ key: string }>(257).fill({ key: 'k' }) } },
      'ids',
    ],
  ])('refuses a question %s', (_title, question, field) => {
    const error = refusal(question);
    expect(error).toMatchObject({ reason: 'REQUEST_INVALID', facts: { fields: field } });
    expect(error.violations).toMatchObject([{ field }]);
  });

  it('refuses positions that are not on the ring', () => {
    const writer = BigInt(RING_SIZE);
    const error = refusal(store({ version: { ...VERSION, writer } }));
    expect(error.reason).toBe('RING_ID_OUT_OF_RANGE');
  });

  it('takes the longest of everything', () => {
    const question = store({
      key: 'k'.repeat(512),
      content: { $case: 'value', value: Buffer.alloc(2 ** 20) },
    });
    expect(questionFromWire(question, RING_SIZE).kind).toBe('store');
  });
});

describe('questionToWire', () => {
  it('copies no values', () => {
    const bytes = new Uint8Array(new ArrayBuffer(64), 8, 16);
    const content = { kind: 'value', bytes } as const;
    const version = { wallMs: 1, counter: 1, writer: 1 };
    const record = { key: 'k', address: undefined, version, content, expiresAtMs: undefined };
    const wire = questionToWire({ kind: 'changed', record });
    const value = wire.$case === 'changed' && wire.value.content?.value;
    expect(value).toMatchObject({ buffer: bytes.buffer, byteOffset: 8, byteLength: 16 });
  });
});

describe('answerFromWire', () => {
  it.each(Object.entries(ANSWERS))('reads back what was answered: %s', (_kind, answers) => {
    fc.assert(
      fc.property(answers as fc.Arbitrary<TableAnswer>, (answer) => {
        const bytes = encodedAnswer(answer);
        const [wire] = ExchangeResponse.decode(bytes).answers;
        expect(wire!.number).toBe(2 ** 31);
        expect(plain(answerFromWire(wire!.answer, RING_SIZE))).toEqual(plain(answer));
        expect(bytes.length).toBeLessThanOrEqual(answerBytes(answer));
      }),
    );
  });

  it.each<[string, Parameters<typeof answerFromWire>[0]]>([
    ['that is unknown', undefined],
    ['that is a refusal', refusalToWire(new RingbinderError('REQUEST_INVALID', 'no'))],
    ['with a word that is unknown', { $case: 'bare', value: 99 as 0 }],
    [
      'with a standing that is unknown',
      { $case: 'lacking', value: { absent: [], older: [], newer: [], standing: 0 } },
    ],
    [
      'with a copy that is unknown',
      { $case: 'fetched', value: { copy: { $case: 'unsent', value: 0 }, isWhole: true } },
    ],
    [
      'with a record that breaks a rule',
      { $case: 'records', value: { records: [{ ...RECORD, key: '' }], looked: 1 } },
    ],
    [
      'with a position beyond the ring',
      { $case: 'set', value: { after: 0n, upTo: 2n ** 60n, peers: [] } },
    ],
  ])('makes nothing of an answer %s', (_title, answer) => {
    expect(answerFromWire(answer, RING_SIZE)).toEqual({ kind: 'not-member' });
  });
});

describe('refusalToWire', () => {
  it('hides what is not ours', () => {
    const { value } = refusalToWire(new Error('secret')) as { value: { reason: string } };
    expect(value.reason).toBe('INTERNAL');
    expect(JSON.stringify(value)).not.toContain('secret');
  });
});
