/** The sessions without sockets: when the services fail, stay silent, or know what no line can say. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LineReader } from '../../../services/legacy/core/line-reader.js';
import { BoundedRingCalls } from '../../../services/legacy/ring/bounded-calls.js';
import { LINE_BYTES_MAX } from '../../../services/legacy/ring/codec.js';
import { monitorPort, peerPort } from '../../../services/legacy/ring/peer-ports.js';
import { hashPort, welcomePort } from '../../../services/legacy/ring/server-ports.js';
import { RingSession } from '../../../services/legacy/ring/session.js';
import type { LineSession, RingCalls, SessionNote } from '../../../services/legacy/core/session.js';
import { FakeClock } from '../../support/fake-clock.js';
import { MemoryRing } from './memory-ring.js';

const PEER = { host: '127.0.0.1', port: 50_000 };

type Port = 'hash' | 'welcome' | 'monitor' | 'peer';

function sessionsOn(
  calls: RingCalls,
  notes: SessionNote[] = [],
): Readonly<Record<Port, LineSession>> {
  const note = (it: SessionNote): void => void notes.push(it);
  return {
    hash: new RingSession({ socket: 'hash', port: hashPort(calls), note }),
    welcome: new RingSession({ socket: 'welcome', port: welcomePort(calls), note }),
    monitor: new RingSession({ socket: 'monitor', port: monitorPort(calls), note }),
    peer: new RingSession({ socket: 'peer', port: peerPort(calls), note }),
  };
}

function answersOf(calls: RingCalls, port: Port, line: string): (readonly string[])[] {
  const answers: (readonly string[])[] = [];
  sessionsOn(calls)[port].answer(line, PEER, (lines) => answers.push(lines));
  return answers;
}

const FAILURES: readonly (readonly [Port, string, readonly string[]])[] = [
  ['hash', '127.0.0.1', ['aht']],
  ['welcome', 'yo:5:127.0.0.1', ['wrq']],
  ['welcome', 'a+:3', ['wrq']],
  ['welcome', 'ip?:3', ['ukh']],
  ['welcome', 'rt?:3', ['ukh']],
  ['welcome', 'li?', ['end']],
  ['monitor', 'rt?', ['end']],
  ['peer', 'rt?', ['end']],
  ['peer', 'yo:5:127.0.0.1', ['Message/Commande incompris(e).']],
  ['peer', 'msg:3:a:b', ["Aucun membre du réseau n'a pour hash : 3", 'message reçu']],
];

describe('a call that fails', () => {
  it.each(FAILURES)('is answered on port %s to %s as %j', (port, line, reply) => {
    const ring = new MemoryRing(16, [{ ringId: 3, host: 'a' }]);
    ring.manner = 'failed';
    expect(answersOf(ring, port, line)).toEqual([reply]);
  });

  it.each(FAILURES)('is one that is not answered in time: port %s, %s', (port, line, reply) => {
    const ring = new MemoryRing(16, [{ ringId: 3, host: 'a' }]);
    ring.manner = 'silent';
    const clock = new FakeClock();
    const calls = new BoundedRingCalls(ring, {
      after: (ms, act) => clock.after(ms, act),
      withinMs: 10_000,
    });
    const answers = answersOf(calls, port, line);
    clock.advance(9_999);
    expect(answers).toEqual([]);
    clock.advance(1);
    expect(answers).toEqual([reply]);
    expect(clock.timerCount).toBe(0);
  });
});

describe('BoundedRingCalls', () => {
  it('hears the first answer only, and leaves no timer behind', () => {
    const ring = new MemoryRing(16);
    const clock = new FakeClock();
    let answerLate: () => void = () => undefined;
    ring.assign = (_, done) => {
      answerLate = () => done(7);
    };
    const bound = { after: clock.after.bind(clock), withinMs: 10 };
    const calls = new BoundedRingCalls(ring, bound);
    const given: unknown[] = [];
    calls.assign('a', (ringId) => given.push(ringId));
    clock.advance(10);
    answerLate();
    calls.assign('b', (ringId) => given.push(ringId));
    answerLate();
    answerLate();
    expect(given).toEqual([undefined, 7]);
    expect(clock.timerCount).toBe(0);
    expect(calls.ringSize).toBe(16);
  });

  it('hears nothing any more once it is closed, and leaves no timer behind', () => {
    const ring = new MemoryRing(16);
    const clock = new FakeClock();
    let answerLate: () => void = () => undefined;
    ring.members = (done) => {
      answerLate = () => done([]);
    };
    const calls = new BoundedRingCalls(ring, { after: clock.after.bind(clock), withinMs: 10 });
    let isHeard = false;
    calls.members(() => (isHeard = true));
    calls.close();
    expect(clock.timerCount).toBe(0);
    answerLate();
    expect(isHeard).toBe(false);
  });
});

describe('what no line can say', () => {
  it('is left out of lists and tables, and unknown', () => {
    const ring = new MemoryRing(2 ** 40, [
      { ringId: 1, host: 'a' },
      { ringId: 2, host: '::1' },
      { ringId: 2 ** 31, host: 'b' },
    ]);
    expect(answersOf(ring, 'welcome', 'li?')).toEqual([['1:a', 'end']]);
    expect(answersOf(ring, 'welcome', 'ip?:2')).toEqual([['ukh']]);
    const [table = []] = answersOf(ring, 'welcome', 'rt?:1');
    expect(table[0]).toBe('1:1:a');
    expect(table.at(-1)).toBe('end');
    expect(table.slice(0, -1).every((row) => /^\d{1,10}:1:a$/.test(row))).toBe(true);
  });

  it('is no ring ID for a text', () => {
    const ring = new MemoryRing(2 ** 40);
    ring.assign = (_, done) => done(2 ** 31);
    expect(answersOf(ring, 'hash', 'a')).toEqual([['aht']]);
    ring.assign = (_, done) => done(2 ** 31 - 1);
    expect(answersOf(ring, 'hash', 'a')).toEqual([['2147483647']]);
  });
});

const field = fc.oneof(
  fc.constantFrom('yo', 'a+', 'ip?', 'rt?', 'li?', 'msg', 'ctr', 'YO', '', ' ', 'end', 'wrq'),
  fc.constantFrom('0', '1', '7', '15', '16', '-0', '+3', '007', '-1', '2147483647', '2147483648'),
  fc.constantFrom('127.0.0.1', 'a', 'é', '\0', '\ud800', '\u0661', 'x'.repeat(300)),
  fc.string({ maxLength: 8 }),
);
const request = fc
  .tuple(
    fc.constantFrom('yo', 'a+', 'ip?', 'rt?', 'li?', 'msg', 'ctr', '', 'x'),
    fc.array(field, { maxLength: 5 }),
    fc.constantFrom('\n', '\r\n', '\r', '', ':\n', '\n\n', '\nli?\n'),
  )
  .map(([command, fields, end]) => Buffer.from([command, ...fields].join(':') + end));
const mutated = fc
  .tuple(request, fc.nat(), fc.nat(255), fc.nat(40))
  .map(([bytes, at, value, length]) => {
    if (bytes.length > 0) bytes[at % bytes.length] = value;
    return bytes.subarray(0, length);
  });
const stream = fc.oneof(
  { weight: 4, arbitrary: request },
  { weight: 3, arbitrary: mutated },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 60 }) },
);

it('answers each of 50,000 lines of chance once, and only with lines', () => {
  const ring = new MemoryRing(16, [{ ringId: 3, host: 'a' }]);
  ring.own = 3;
  ring.rows = [{ start: 3, successor: { ringId: 3, host: 'a' } }];
  const notes: SessionNote[] = [];
  const sessions = Object.values(sessionsOn(ring, notes));
  const seen = new Set<string>();
  let lineCount = 0;
  for (const bytes of fc.sample(stream, { numRuns: 50_000, seed: 7 })) {
    const reader = new LineReader(LINE_BYTES_MAX);
    const line = reader.read(bytes).next().value ?? reader.end();
    if (line === undefined) {
      if (bytes.length > 0) expect.fail(`no line in ${String(bytes)}`);
      continue;
    }
    lineCount += 1;
    for (const session of sessions) {
      const answers: (readonly string[])[] = [];
      session.answer(line, PEER, (lines) => answers.push(lines));
      const [answer = []] = answers;
      const isRight = answers.length === 1 && answer.length > 0 && !/[\n\r]/.test(answer.join(''));
      if (!isRight) expect.fail(`${JSON.stringify(line)} gets ${JSON.stringify(answers)}`);
    }
    for (const { what } of notes.splice(0)) seen.add(what);
    ring.sent.length = 0;
  }
  expect(lineCount).toBeGreaterThan(45_000);
  for (const what of ['enter', 'leave', 'host', 'base-table', 'list', 'message', 'neighbor']) {
    expect(seen).toContain(what);
  }
  for (const what of ['first', 'refused', 'unknown', 'done', 'neighbors', 'passed-on', 'nobody']) {
    expect(seen).toContain(what);
  }
});
