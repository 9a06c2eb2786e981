import { connect, createServer, type Socket } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import {
  TableServiceService,
  type ExchangeRequest,
} from '../../proto/gen/ringbinder/internal/v1/table_service.js';
import type { TableAnswer, TableQuestion } from '../../services/dht/core/messages.js';
import type { TableRecord } from '../../services/dht/core/record.js';
import { LINK_LIMITS } from '../../services/dht/link.js';
import { TableLinks, type TableLinksDeps } from '../../services/dht/links.js';
import {
  createTableHandler,
  EXCHANGE_LIMITS,
  type TableHandlerDeps,
} from '../../services/dht/table-handler.js';
import { RingbinderError } from '../../services/errors.js';
import { LINK_IDLE_MS } from '../../services/limits.js';
import type { PeerRef } from '../../services/peer/core/ring-space.js';
import { callUnary } from '../../services/rpc/channel.js';
import { connectTo } from '../../services/rpc/node-client.js';
import { RpcServer } from '../../services/rpc/server.js';
import { systemClock } from '../../services/system/clock.js';
import { captureLog, streamFailure, until } from '../rpc/started-server.js';
import { FakeClock } from '../support/fake-clock.js';

const RING_SIZE = 2 ** 32;
const ME: PeerRef = { ringId: 7, address: '127.0.0.1:1', incarnation: 3 };
const NOTED: TableAnswer = { kind: 'noted' };
const REFUSED = { kind: 'answered', answer: { kind: 'not-member' } };

type Asked = TableHandlerDeps['asked'];

const report = {
  counts: {
    written: 1,
    hinted: 2,
    readRepaired: 3,
    transferred: 4,
    given: 5,
    handedOver: 6,
    collected: 7,
    comparisons: 8,
  },
  size: { records: 9, bytes: 10 },
  wantedKeys: 11,
  interests: 12,
  isSettled: true,
};

/** A peer that answers as the test says, until the test is over. */
async function startPeer(
  asked: Asked,
  { address = '127.0.0.1:0', ...deps }: Partial<TableHandlerDeps> & { address?: string } = {},
) {
  const { log, lines } = captureLog();
  const server = new RpcServer({ log, clock: systemClock });
  let streams = 0;
  const messages: number[] = [];
  const handlers = createTableHandler({
    asked,
    ringName: () => 'ring',
    ringSize: () => RING_SIZE,
    stats: () => report,
    ...deps,
  });
  server.add(TableServiceService, {
    ...handlers,
    exchange: (requests, context) => {
      streams += 1;
      return handlers.exchange(counted(requests, messages), context);
    },
  });
  const bound = await server.listen(address);
  const stop = () => server.drain(0);
  onTestFinished(stop);
  const to: PeerRef = { ringId: 9, address: bound, incarnation: 1 };
  return { to, stop, lines, messages, streams: () => streams };
}

async function* counted(requests: AsyncIterable<ExchangeRequest>, messages: number[]) {
  for await (const request of requests) {
    messages.push(request.questions.length);
    yield request;
  }
}

function openLinks(deps: Partial<TableLinksDeps> = {}): TableLinks {
  const links = new TableLinks({
    clock: systemClock,
    answerTimeoutMs: 5_000,
    ringName: 'ring',
    ringSize: RING_SIZE,
    ...deps,
  });
  onTestFinished(() => links.close());
  return links;
}

function recordOf(key: string, bytes: Uint8Array = Buffer.from('value')): TableRecord {
  const version = { wallMs: 1_800_000_000_000, counter: 0, writer: 7 };
  return {
    key,
    address: undefined,
    version,
    content: { kind: 'value', bytes },
    expiresAtMs: undefined,
  };
}

const storeOf = (key: string, bytes?: Uint8Array): TableQuestion => ({
  kind: 'store',
  records: [recordOf(key, bytes)],
  purpose: 'write',
});
const fetchOf = (key: string): TableQuestion => ({
  kind: 'fetch',
  id: { key, address: undefined },
  known: undefined,
});

const DESCRIBE: TableQuestion = { kind: 'describe-set' };

const wait = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));
const nothing = (): void => undefined;

/** An answer that names the key that was asked for. */
const echo: Asked = async (_from, question) => {
  if (question.kind === 'fetch') {
    return { kind: 'fetched', record: recordOf(question.id.key), isWhole: true };
  }
  return NOTED;
};

function keyIn(answer: TableAnswer): string {
  if (answer.kind !== 'fetched' || typeof answer.record !== 'object') return '';
  return answer.record.key;
}

describe('TableLinks', () => {
  it('asks many at once, and each gets its own answer, in any order', async () => {
    const peer = await startPeer(async (from, question) => {
      if (question.kind === 'fetch' && Number(question.id.key) % 3 === 0) await wait(20);
      return echo(from, question);
    });
    const links = openLinks();
    const keys = Array.from({ length: 1_000 }, (_, index) => String(index));
    const order: string[] = [];
    const replies = keys.map(async (key) => {
      const reply = await links.ask(ME, peer.to, fetchOf(key));
      order.push(key);
      return reply.kind === 'answered' ? keyIn(reply.answer) : 'silence';
    });
    expect(await Promise.all(replies)).toEqual(keys);
    expect(order).not.toEqual(keys);
    expect(peer.streams()).toBe(1);
    expect(peer.messages).toEqual([1_000]);
  });

  it('says who asks, also when that changes', async () => {
    const seen: PeerRef[] = [];
    const peer = await startPeer(async (from) => {
      seen.push(from);
      return NOTED;
    });
    const links = openLinks();
    const later = { ...ME, incarnation: 4 };
    const asks = [ME, ME, later, ME].map((from) => links.ask(from, peer.to, DESCRIBE));
    await Promise.all(asks);
    expect(seen).toEqual([ME, ME, later, ME]);
    expect(peer.messages).toEqual([2, 1, 1]);
  });

  it('carries the largest value, and lists that are longer than a request', async () => {
    const address = 'a'.repeat(4_090);
    const bytes = Buffer.alloc(2 ** 20, 7);
    const version = recordOf('k').version;
    const entries = Array.from({ length: 1_000 }, (_, index) => {
      const key = String(index).padStart(512, '0');
      return { key, address, position: index, version, endMs: undefined };
    });
    const peer = await startPeer(async (_from, question) => {
      if (question.kind === 'list') return { kind: 'entries', entries, next: undefined };
      if (question.kind !== 'store') return NOTED;
      return { kind: 'records', records: question.records, looked: 1 };
    });
    const links = openLinks();
    const list: TableQuestion = { kind: 'list', span: { first: 0, last: 9 }, after: undefined };
    const [listed, ...stored] = await Promise.all([
      links.ask(ME, peer.to, list),
      ...['a', 'b', 'c'].map((key) => links.ask(ME, peer.to, storeOf(key, bytes))),
    ]);
    expect(listed).toMatchObject({ kind: 'answered', answer: { kind: 'entries', entries } });
    for (const reply of stored) {
      if (reply.kind !== 'answered' || reply.answer.kind !== 'records') throw new Error('silence');
      const [record] = reply.answer.records;
      if (record?.content.kind !== 'value') throw new Error('no value');
      expect(bytes.equals(record.content.bytes)).toBe(true);
    }
    expect(peer.messages).toEqual([1, 1, 1, 1]);
  });

  it('never asks another peer to drop records, nor what is too large', async () => {
    const peer = await startPeer(echo);
    const links = openLinks();
    const reply = await links.ask(ME, peer.to, { kind: 'drop', claims: [] });
    expect(reply).toMatchObject(REFUSED);
    const records = Array.from({ length: 5 }, () => recordOf('k', Buffer.alloc(2 ** 20)));
    const question: TableQuestion = { kind: 'store', records, purpose: 'transfer' };
    expect(await links.ask(ME, peer.to, question)).toMatchObject(REFUSED);
    expect(peer.streams()).toBe(0);
  });

  it('hears a refusal of one question, and the stream goes on', async () => {
    const peer = await startPeer(async (from, question) => {
      if (question.kind === 'watch') throw new RingbinderError('PEER_BUSY', 'not now');
      if (question.kind === 'describe-set') throw new Error('a fault');
      return echo(from, question);
    });
    const links = openLinks();
    const replies = await Promise.all([
      links.ask(ME, peer.to, fetchOf('')),
      links.ask(ME, peer.to, { kind: 'store', records: [], purpose: 'write' }),
      links.ask(ME, peer.to, { kind: 'watch', key: 'k', known: undefined }),
      links.ask(ME, peer.to, DESCRIBE),
      links.ask(ME, peer.to, fetchOf('good')),
    ]);
    for (const refused of replies.slice(0, 4)) expect(refused).toMatchObject(REFUSED);
    expect(replies[4]).toMatchObject({ answer: { kind: 'fetched' } });
    expect(peer.streams()).toBe(1);
    expect(peer.lines).toMatchObject([{ msg: 'a question about the table failed' }]);
  });

  it('hears of an answer that is too long to be sent, and the stream goes on', async () => {
    const peer = await startPeer(async (from, question) => {
      if (question.kind !== 'take') return echo(from, question);
      const records = Array.from({ length: 8 }, () => recordOf('k', Buffer.alloc(2 ** 20)));
      return { kind: 'records', records, looked: 8 };
    });
    const links = openLinks();
    expect(await links.ask(ME, peer.to, { kind: 'take', ids: [] })).toMatchObject(REFUSED);
    expect(await links.ask(ME, peer.to, fetchOf('k'))).toMatchObject({ kind: 'answered' });
    expect(peer.streams()).toBe(1);
  });

  it.each([
    { reason: 'RING_MISMATCH', ringName: () => 'another' },
    {
      reason: 'PEER_NOT_MEMBER',
      ringSize: () => {
        throw new RingbinderError('PEER_NOT_MEMBER', 'not yet');
      },
    },
  ])('takes $reason for an answer to everything', async (deps) => {
    const peer = await startPeer(echo, deps);
    const links = openLinks();
    const asks = ['a', 'b'].map((key) => links.ask(ME, peer.to, fetchOf(key)));
    for (const reply of await Promise.all(asks)) expect(reply).toMatchObject(REFUSED);
    expect(await links.ask(ME, peer.to, DESCRIBE)).toMatchObject(REFUSED);
    expect(peer.streams()).toBe(2);
  });

  it.each(['ROLE_NOT_SERVED', 'RPC_NOT_IMPLEMENTED'])('takes %s for the same', async (reason) => {
    const server = new RpcServer({ log: captureLog().log, clock: systemClock });
    if (reason === 'ROLE_NOT_SERVED') server.addNotServed(TableServiceService);
    const to = { ...ME, address: await server.listen('127.0.0.1:0') };
    onTestFinished(() => server.drain(0));
    expect(await openLinks().ask(ME, to, DESCRIBE)).toMatchObject(REFUSED);
  });

  it('hears at once that a peer stops', async () => {
    let asked = 0;
    const peer = await startPeer(() => {
      asked += 1;
      return new Promise(nothing);
    });
    const links = openLinks();
    const reply = links.ask(ME, peer.to, DESCRIBE);
    await until(() => asked === 1, 'the question arrived');
    await peer.stop();
    expect(await reply).toMatchObject(REFUSED);
  });

  it('gives up a question that is not answered in time, and ignores a late answer', async () => {
    const peer = await startPeer(async (from, question) => {
      if (question.kind === 'describe-set') await wait(200);
      return echo(from, question);
    });
    const links = openLinks({ answerTimeoutMs: 100 });
    const slow = links.ask(ME, peer.to, DESCRIBE);
    await wait(50);
    expect(await links.ask(ME, peer.to, fetchOf('k'))).toMatchObject({ kind: 'answered' });
    const reply = await slow;
    expect(reply.kind).toBe('unanswered');
    expect(reply.elapsedMs).toBeGreaterThan(95);
    expect(reply.elapsedMs).toBeLessThan(190);
    await wait(150);
    expect(await links.ask(ME, peer.to, fetchOf('k'))).toMatchObject({ kind: 'answered' });
    expect(peer.streams()).toBe(1);
  });

  it('finds out soon that nobody is there', async () => {
    const peer = await startPeer(echo);
    await peer.stop();
    const links = openLinks();
    for (const round of ['first', 'second', 'third']) {
      const replies = await Promise.all([
        links.ask(ME, peer.to, fetchOf(round)),
        links.ask(ME, peer.to, DESCRIBE),
      ]);
      for (const { kind, elapsedMs } of replies) {
        expect(kind).toBe('unanswered');
        expect(elapsedMs).toBeLessThan(500);
      }
    }
  });

  it('sends what was under way once more when the connection breaks', async () => {
    const peer = await startPeer(async (from, question) => {
      if (question.kind === 'describe-set') await wait(300);
      return echo(from, question);
    });
    const relay = await startRelay(peer.to.address);
    const links = openLinks();
    const to = { ...peer.to, address: relay.address };
    await links.ask(ME, to, fetchOf('k'));
    const slow = links.ask(ME, to, DESCRIBE);
    await wait(50);
    relay.cut();
    const later = links.ask(ME, to, fetchOf('later'));
    expect(await later).toMatchObject({ kind: 'answered' });
    expect(await slow).toMatchObject({ kind: 'answered', answer: NOTED });
    expect(peer.streams()).toBe(2);
  });

  it('sends a question no third time', async () => {
    let asked = 0;
    const peer = await startPeer(async (from, question) => {
      if (question.kind !== 'describe-set') return echo(from, question);
      asked += 1;
      return new Promise(nothing);
    });
    const relay = await startRelay(peer.to.address);
    const links = openLinks();
    const to = { ...peer.to, address: relay.address };
    await links.ask(ME, to, fetchOf('k'));
    const reply = links.ask(ME, to, DESCRIBE);
    for (const times of [1, 2]) {
      await until(() => asked === times, 'the question arrived');
      await links.ask(ME, to, fetchOf('k'));
      relay.cut();
    }
    expect(await reply).toMatchObject({ kind: 'unanswered' });
    expect(await links.ask(ME, to, fetchOf('k'))).toMatchObject({ kind: 'answered' });
    expect(asked).toBe(2);
  });

  it('finds a peer again that died and came back at the same address', async () => {
    const first = await startPeer(echo);
    const links = openLinks();
    expect(await links.ask(ME, first.to, fetchOf('a'))).toMatchObject({ kind: 'answered' });
    await first.stop();
    const lost = await links.ask(ME, first.to, fetchOf('b'));
    expect(lost.kind).toBe('unanswered');
    await startPeer(echo, { address: first.to.address });
    const back = performance.now();
    let reply = await links.ask(ME, first.to, fetchOf('c'));
    while (reply.kind === 'unanswered') reply = await links.ask(ME, first.to, fetchOf('c'));
    expect(performance.now() - back).toBeLessThan(2_000);
  });

  it('keeps no more questions than its bounds say', async () => {
    const peer = await startPeer(() => new Promise(nothing));
    const links = openLinks();
    const value = Buffer.alloc(2 ** 20);
    const settled: string[] = [];
    const ask = (question: TableQuestion) =>
      void links.ask(ME, peer.to, question).then(({ kind }) => settled.push(kind));
    for (let index = 0; index < LINK_LIMITS.questionsMax; index += 1) ask(DESCRIBE);
    await wait(20);
    expect(settled).toEqual([]);
    ask(DESCRIBE);
    await until(() => settled.length === 1, 'one is too many');
    expect(settled).toEqual(['unanswered']);
    const other = await startPeer(() => new Promise(nothing));
    const replies = Array.from({ length: 17 }, () => links.ask(ME, other.to, storeOf('k', value)));
    expect(await replies[16]).toMatchObject({ kind: 'unanswered', elapsedMs: 0 });
    expect(settled).toHaveLength(1);
  });

  it('closes a link that was not used for long, and opens it again', async () => {
    const clock = new FakeClock();
    const peer = await startPeer(echo);
    const links = openLinks({ clock });
    await links.ask(ME, peer.to, fetchOf('a'));
    clock.advance(LINK_IDLE_MS - 1);
    await links.ask(ME, peer.to, fetchOf('b'));
    clock.advance(1);
    await links.ask(ME, peer.to, fetchOf('c'));
    expect(peer.streams()).toBe(1);
    clock.advance(2 * LINK_IDLE_MS);
    await links.ask(ME, peer.to, fetchOf('d'));
    expect(peer.streams()).toBe(2);
  });

  it('lets nothing run on when it is closed', async () => {
    const clock = new FakeClock();
    const peer = await startPeer(() => new Promise(nothing));
    const links = openLinks({ clock });
    const reply = links.ask(ME, peer.to, DESCRIBE);
    await until(() => peer.streams() === 1, 'the stream is open');
    links.close();
    expect(await reply).toMatchObject({ kind: 'unanswered' });
    expect(await links.ask(ME, peer.to, DESCRIBE)).toMatchObject({ kind: 'unanswered' });
    expect(clock.timerCount).toBe(0);
  });
});

describe('createTableHandler', () => {
  const callerOf = (ringName: string) => ({
    peer: { ringId: 7n, address: '127.0.0.1:1', incarnation: 3n },
    ringName,
    expectedIncarnation: 0n,
  });
  const openExchange = (address: string) => {
    const client = connectTo(address);
    onTestFinished(() => client.close());
    const { path, requestSerialize, responseDeserialize } = TableServiceService.exchange;
    return client.makeBidiStreamRequest(path, requestSerialize, responseDeserialize);
  };
  const describeSet = (number: number) =>
    ({ number, question: { $case: 'describeSet', value: {} } }) as const;

  it('says what the peer has and has done', async () => {
    const peer = await startPeer(echo);
    const client = connectTo(peer.to.address);
    onTestFinished(() => client.close());
    const options = { timeoutMs: 5_000 };
    const stats = await callUnary(client, TableServiceService.getTableStats, {}, options);
    expect(stats).toEqual({
      records: 9n,
      bytes: 10n,
      wantedKeys: 11n,
      interests: 12n,
      isSettled: true,
      counts: Object.fromEntries(
        Object.entries(report.counts).map(([name, count]) => [name, BigInt(count)]),
      ),
    });
  });

  it.each([
    { title: 'nobody asks', caller: undefined, reason: 'REQUEST_INVALID' },
    {
      title: 'the asker is not named',
      caller: { ...callerOf('ring'), peer: undefined },
      reason: 'REQUEST_INVALID',
    },
    {
      title: 'the asker is beyond the ring',
      caller: { ...callerOf(''), peer: { ringId: 2n ** 60n, address: 'a', incarnation: 0n } },
      reason: 'RING_ID_OUT_OF_RANGE',
    },
    { title: 'another ring is meant', caller: callerOf('other'), reason: 'RING_MISMATCH' },
  ])('ends the stream with $reason when $title', async ({ caller, reason }) => {
    const peer = await startPeer(echo);
    const stream = openExchange(peer.to.address);
    stream.write({ caller, questions: [describeSet(1)] });
    expect((await streamFailure(stream)).refusal).toMatchObject({ reason });
  });

  it('answers everything before it ends with the caller', async () => {
    const peer = await startPeer(async () => {
      await wait(50);
      return NOTED;
    });
    const stream = openExchange(peer.to.address);
    const numbers: number[] = [];
    stream.write({ caller: callerOf('ring'), questions: [describeSet(1), describeSet(2)] });
    stream.end();
    for await (const { answers } of stream as AsyncIterable<{
      answers: readonly { number: number }[];
    }>) {
      numbers.push(...answers.map(({ number }) => number));
    }
    expect(numbers.sort()).toEqual([1, 2]);
  });

  it('reads no further while too many questions are under way', async () => {
    const waiting: ((answer: TableAnswer) => void)[] = [];
    let asked = 0;
    const peer = await startPeer(() => {
      asked += 1;
      return new Promise((resolve) => waiting.push(resolve));
    });
    const stream = openExchange(peer.to.address);
    stream.on('data', nothing);
    stream.on('error', nothing);
    const questions = Array.from({ length: 100 }, (_, index) => describeSet(index));
    for (let times = 0; times < 50; times += 1) {
      stream.write({ caller: callerOf('ring'), questions });
    }
    const { questionsMax } = EXCHANGE_LIMITS;
    await until(() => asked >= questionsMax, 'as many as allowed are asked');
    await wait(50);
    expect(asked).toBeLessThan(questionsMax + 100);
    await until(() => {
      for (const answer of waiting.splice(0)) answer(NOTED);
      return asked === 5_000;
    }, 'all are asked');
    stream.cancel();
  });

  it('lets go when the caller is gone while it is not read', async () => {
    let asked = 0;
    const peer = await startPeer(() => {
      asked += 1;
      return new Promise(nothing);
    });
    const stream = openExchange(peer.to.address);
    stream.on('error', nothing);
    const { questionsMax } = EXCHANGE_LIMITS;
    const questions = Array.from({ length: questionsMax }, (_, index) => describeSet(index));
    stream.write({ caller: callerOf('ring'), questions });
    await until(() => asked === questionsMax, 'all are asked');
    stream.cancel();
    await wait(50);
    await peer.stop();
    expect(peer.lines).toEqual([]);
  });
});

/** Passes bytes on, until it is told to cut the connections it has. */
async function startRelay(address: string) {
  const sockets = new Set<Socket>();
  const [host, port] = address.split(':');
  const server = createServer((near) => {
    const far = connect(Number(port), host);
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.on('error', nothing);
      socket.on('close', () => sockets.delete(socket));
    }
    near.pipe(far).pipe(near);
  });
  const cut = () => {
    for (const socket of sockets) socket.destroy();
  };
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.close();
    cut();
  });
  const bound = server.address();
  if (bound === null || typeof bound === 'string') throw new Error('no port');
  return { address: `127.0.0.1:${bound.port}`, cut };
}
