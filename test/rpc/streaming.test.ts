import { once } from 'node:events';
import type { Readable } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import { status } from '@grpc/grpc-js';
import { describe, expect, it } from 'vitest';
import type { WatchMessagesResponse } from '../../proto/gen/ringbinder/v1/peer_service.js';
import { RingbinderError } from '../../services/errors.js';
import type { CallContext } from '../../services/rpc/handlers.js';
import { SLOW_READER_MS } from '../../services/rpc/limits.js';
import { FakeClock } from '../support/fake-clock.js';
import { startServer, streamFailure, until } from './started-server.js';

const KIB = 1_024;

function event(sequence: number, payloadBytes = 0): WatchMessagesResponse {
  const payload = Buffer.alloc(payloadBytes);
  const value = { messageId: 'm', fromRingId: 1n, payload, path: [] };
  return { sequence: BigInt(sequence), event: { $case: 'message', value } };
}

/** A handler whose end is seen, and how many events were taken from it. */
function watched(events: (context: CallContext) => AsyncIterable<WatchMessagesResponse>) {
  const seen = { taken: 0, isClosed: false, context: undefined as CallContext | undefined };
  async function* watchMessages(_request: unknown, context: CallContext) {
    seen.context = context;
    try {
      for await (const each of events(context)) {
        seen.taken += 1;
        yield each;
      }
    } finally {
      seen.isClosed = true;
    }
  }
  return { seen, peer: { watchMessages } };
}

async function* endless(payloadBytes: number) {
  for (let sequence = 1; ; sequence += 1) yield event(sequence, payloadBytes);
}

/** One event, then silence until the caller is gone. */
async function* oneThenSilence({ signal }: CallContext) {
  yield event(1);
  await new Promise((resolve) => signal.addEventListener('abort', resolve));
}

/** Resolves when a number has stayed the same for some turns. */
async function steady(read: () => number): Promise<number> {
  for (let before = -1, same = 0; same < 50; same = read() === before ? same + 1 : 0) {
    before = read();
    await setImmediate();
  }
  return read();
}

/** After one event: before its first read, a client of grpc-js takes everything. */
async function stopReading(stream: Readable): Promise<void> {
  await once(stream, 'data');
  stream.pause();
}

describe('serverStreaming', () => {
  it('sends all that the handler yields, in order, and ends with it', async () => {
    const { seen, peer } = watched(async function* () {
      for (let sequence = 1; sequence <= 2_000; sequence += 1) yield event(sequence, 10);
    });
    await using node = await startServer({ peer });
    const sequences: bigint[] = [];
    for await (const each of node.peer.watchMessages({})) {
      sequences.push((each as WatchMessagesResponse).sequence);
    }
    expect(sequences).toEqual(Array.from({ length: 2_000 }, (_, index) => BigInt(index + 1)));
    expect(seen.isClosed).toBe(true);
  });

  it('ends with the refusal that the handler throws, after what it yielded', async () => {
    const { peer } = watched(async function* () {
      yield event(1);
      yield event(2);
      throw new RingbinderError('PEER_NOT_MEMBER', 'this peer has left');
    });
    await using node = await startServer({ peer });
    const stream = node.peer.watchMessages({});
    let count = 0;
    stream.on('data', () => (count += 1));
    expect((await streamFailure(stream)).refusal).toMatchObject({ reason: 'PEER_NOT_MEMBER' });
    expect(count).toBe(2);
  });

  it.each([
    { title: 'throws', events: () => endlessFailure() },
    {
      title: 'yields what can not be encoded',
      events: async function* () {
        yield { sequence: -1n };
      },
    },
  ])('masks and logs once when the handler $title', async (failing) => {
    const { seen, peer } = watched(() => failing.events());
    await using node = await startServer({ peer });
    const error = await streamFailure(node.peer.watchMessages({}));
    expect(error.code).toBe(status.INTERNAL);
    expect(error.refusal).toMatchObject({ reason: 'INTERNAL' });
    await until(() => seen.isClosed, 'the handler is closed');
    expect(node.lines).toHaveLength(1);
    expect(node.lines[0]).toHaveProperty('err.stack');
  });

  it('takes no more from the handler than a reader that does not read allows', async () => {
    const { seen, peer } = watched(() => endless(16 * KIB));
    await using node = await startServer({ peer });
    const stream = node.peer.watchMessages({});
    await stopReading(stream);
    const taken = await steady(() => seen.taken);
    // 64 KiB here, as much in the window of HTTP/2, 16 events in grpc-js at the reader.
    expect(taken).toBeLessThan(40);
    stream.resume();
    await until(() => seen.taken > 1_000, 'events flow again');
    stream.on('error', () => undefined);
    stream.cancel();
    await until(() => seen.isClosed, 'the handler is closed');
  });

  it('cuts a reader that does not read for 30 seconds', async () => {
    const clock = new FakeClock();
    const { seen, peer } = watched(() => endless(16 * KIB));
    await using node = await startServer({ peer }, { clock });
    const stream = node.peer.watchMessages({});
    await stopReading(stream);
    await steady(() => seen.taken);
    clock.advance(SLOW_READER_MS - 1);
    await setImmediate();
    expect(seen.isClosed).toBe(false);
    clock.advance(1);
    await until(() => seen.isClosed, 'the handler is closed');
    expect(seen.context!.signal.reason).toMatchObject({ reason: 'WATCHER_TOO_SLOW' });
    const error = await streamFailure(stream);
    expect(error.code).toBe(status.RESOURCE_EXHAUSTED);
    expect(error.refusal).toMatchObject({
      reason: 'WATCHER_TOO_SLOW',
      facts: { waitedMs: '30000' },
    });
    expect(clock.timerCount).toBe(0);
  });

  it('leaves a reader alone that has nothing to read', async () => {
    const clock = new FakeClock();
    const { seen, peer } = watched(oneThenSilence);
    await using node = await startServer({ peer }, { clock });
    const stream = node.peer.watchMessages({});
    await once(stream, 'data');
    clock.advance(10 * SLOW_READER_MS);
    await setImmediate();
    expect(seen.isClosed).toBe(false);
    stream.on('error', () => undefined);
    stream.cancel();
    await until(() => seen.isClosed, 'the handler is closed');
  });

  it.each([
    { title: 'between events', events: oneThenSilence },
    { title: 'in the middle of them', events: () => endless(KIB) },
  ])('closes the handler when the caller cancels $title', async ({ events }) => {
    const { seen, peer } = watched(events);
    await using node = await startServer({ peer });
    const stream = node.peer.watchMessages({});
    stream.on('error', () => undefined);
    await once(stream, 'data');
    stream.cancel();
    await until(() => seen.isClosed, 'the handler is closed');
    const taken = seen.taken;
    await setImmediate();
    expect(seen.taken).toBe(taken);
    expect(node.lines).toEqual([]);
  });

  it('closes the handler when the connection breaks', async () => {
    const { seen, peer } = watched(oneThenSilence);
    await using node = await startServer({ peer });
    const stream = node.peer.watchMessages({});
    stream.on('error', () => undefined);
    await once(stream, 'data');
    node.peer.close();
    stream.cancel();
    await until(() => seen.isClosed, 'the handler is closed');
  });

  it('does not wait for a handler that ignores the signal', async () => {
    const { peer } = watched(() => stuck());
    await using node = await startServer({ peer });
    const stream = node.peer.watchMessages({});
    stream.on('error', () => undefined);
    await once(stream, 'data');
    stream.cancel();
    await node.server.drain(60_000);
  });

  it('closes the handler when the deadline passes', async () => {
    const { seen, peer } = watched(oneThenSilence);
    await using node = await startServer({ peer });
    const stream = node.peer.watchMessages({}, { deadline: Date.now() + 100 });
    expect((await streamFailure(stream)).code).toBe(status.DEADLINE_EXCEEDED);
    await until(() => seen.isClosed, 'the handler is closed');
    expect(seen.context!.signal.aborted).toBe(true);
  });
});

async function* stuck() {
  yield event(1);
  await new Promise(() => undefined);
}

async function* endlessFailure() {
  yield event(1);
  throw new Error('disk full');
}
