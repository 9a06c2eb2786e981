import type { ServerWritableStream } from '@grpc/grpc-js';
import { describe, expect, it } from 'vitest';
import type {
  Receipt,
  WantRequest,
  WantResponse,
} from '../../proto/gen/ringbinder/v1/dht_service.js';
import { CallError, type WantEvent } from '../../clients/sdk/index.js';
import { collect } from '../support/collect.js';
import { until } from '../support/until.js';
import { DhtServer, refusal, unavailable, wantEvent } from './dht-server.js';

const RECEIPT: Receipt = {
  owner: { ringId: 7n, address: '10.0.0.7:7400', incarnation: 3n },
  asked: 3,
  answered: 2,
  required: 2,
  repaired: 1,
  capped: false,
  versions: ['v2', 'v1'],
};
const PLAIN_RECEIPT = {
  ...RECEIPT,
  owner: { ringId: 7, address: '10.0.0.7:7400', incarnation: 3 },
};
const NO_RECEIPT = {
  owner: undefined,
  asked: 0,
  answered: 0,
  required: 0,
  repaired: 0,
  capped: false,
  versions: [],
};

describe('put', () => {
  it('sends bytes and text, and hands out plain values', async () => {
    const values: Buffer[] = [];
    await using server = await DhtServer.start({
      put({ request }, done) {
        values.push(request.value);
        const expireTime = { seconds: 1_800_000_000n, nanos: 123_456_789 };
        done(null, { version: 'v1', receipt: RECEIPT, expireTime });
      },
    });
    const { dht } = server.sdk;
    expect(await dht.put('key', new Uint8Array([0, 255]))).toEqual({
      version: 'v1',
      expireTime: new Date(1_800_000_000_123),
      receipt: PLAIN_RECEIPT,
    });
    await dht.put('key', 'né');
    await dht.put('key', '');
    expect(values).toEqual([Buffer.from([0, 255]), Buffer.from('né'), Buffer.alloc(0)]);
  });

  it.each([
    [undefined, undefined],
    [250, { seconds: 0, nanos: 250_000_000 }],
    [1.5, { seconds: 0, nanos: 1_500_000 }],
    [1_000.3, { seconds: 1, nanos: 300_000 }],
    [1_999.999_999_9, { seconds: 2, nanos: 0 }],
    [7 * 86_400_000, { seconds: 604_800, nanos: 0 }],
    [3_155_760_000_000, { seconds: 3_155_760_000, nanos: 0 }],
    [-1_500, { seconds: -1, nanos: -500_000_000 }],
  ])('sends a time to live of %j ms as %j', async (ttlMs, ttl) => {
    const seen: unknown[] = [];
    await using server = await DhtServer.start({
      put({ request }, done) {
        seen.push(request);
        done(null, { version: 'v1', receipt: undefined, expireTime: undefined });
      },
    });
    const options = ttlMs === undefined ? {} : { ttlMs, writeQuorum: 3 };
    const stored = await server.sdk.dht.put('key', 'value', options);
    expect(stored).toEqual({ version: 'v1', receipt: NO_RECEIPT });
    expect('expireTime' in stored).toBe(false);
    const wire = ttl && { ...ttl, seconds: BigInt(ttl.seconds) };
    const writeQuorum = ttlMs === undefined ? 0 : 3;
    expect(seen).toMatchObject([{ key: 'key', ttl: wire, writeQuorum }]);
  });

  it('sends no time to live that is no number', async () => {
    await using server = await DhtServer.start({});
    const { dht } = server.sdk;
    await expect(dht.put('key', '', { ttlMs: Number.NaN })).rejects.toThrow(RangeError);
    await expect(dht.put('key', '', { ttlMs: Infinity })).rejects.toThrow(RangeError);
  });
});

describe('get', () => {
  it('is the value with its version and receipt', async () => {
    const seen: unknown[] = [];
    await using server = await DhtServer.start({
      get({ request }, done) {
        seen.push(request);
        const value = Buffer.from([0, 128, 255]);
        done(null, { value, version: 'v2', expireTime: undefined, receipt: RECEIPT });
      },
    });
    expect(await server.sdk.dht.get('key', { readQuorum: 1 })).toEqual({
      value: Buffer.from([0, 128, 255]),
      version: 'v2',
      receipt: PLAIN_RECEIPT,
    });
    await server.sdk.dht.get('other');
    expect(seen).toEqual([
      { key: 'key', readQuorum: 1 },
      { key: 'other', readQuorum: 0 },
    ]);
  });

  it('is undefined when there is no value, and an error for any other reason', async () => {
    await using server = await DhtServer.start({
      get({ request }, done) {
        done(refusal('NOT_FOUND', request.key, { key: request.key }));
      },
    });
    expect(await server.sdk.dht.get('KEY_NOT_FOUND')).toBeUndefined();
    const error = await server.sdk.dht.get('PEER_NOT_FOUND').catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(CallError);
    expect(error).toMatchObject({
      status: 'NOT_FOUND',
      reason: 'PEER_NOT_FOUND',
      facts: { key: 'PEER_NOT_FOUND' },
    });
  });
});

describe('delete, announceHolder and withdrawHolder', () => {
  it('say what they did', async () => {
    const seen: unknown[] = [];
    await using server = await DhtServer.start({
      delete({ request }, done) {
        seen.push(request);
        done(null, { version: 'v3', existed: true, receipt: RECEIPT });
      },
      announceHolder({ request }, done) {
        seen.push(request);
        done(null, { expireTime: { seconds: 1n, nanos: 0 }, receipt: RECEIPT });
      },
      withdrawHolder({ request }, done) {
        seen.push(request);
        done(null, { existed: false, receipt: RECEIPT });
      },
    });
    const { dht } = server.sdk;
    const receipt = PLAIN_RECEIPT;
    expect(await dht.delete('k')).toEqual({ version: 'v3', existed: true, receipt });
    const expireTime = new Date(1_000);
    expect(await dht.announceHolder('k', 'a', { ttlMs: 500 })).toEqual({ expireTime, receipt });
    const withdrawn = await dht.withdrawHolder('k', 'a', { writeQuorum: 2 });
    expect(withdrawn).toEqual({ existed: false, receipt });
    expect(seen).toEqual([
      { key: 'k', writeQuorum: 0 },
      { key: 'k', address: 'a', ttl: { seconds: 0n, nanos: 500_000_000 }, writeQuorum: 0 },
      { key: 'k', address: 'a', writeQuorum: 2 },
    ]);
  });
});

describe('keys and holders', () => {
  it('go through all pages, also empty ones', async () => {
    const expireTime = { seconds: 2n, nanos: 0 };
    const seen: unknown[] = [];
    await using server = await DhtServer.start({
      listKeys({ request }, done) {
        seen.push(request);
        const stored = { sizeBytes: 4, version: 'v' };
        const pages = [
          { keys: [{ key: 'a', ...stored, expireTime }], nextPageToken: '1' },
          { keys: [], nextPageToken: '2' },
          { keys: [{ key: 'b', ...stored, expireTime: undefined }], nextPageToken: '' },
        ];
        done(null, pages[Number(request.pageToken)]);
      },
      listHolders({ request }, done) {
        seen.push(request);
        const receipt = RECEIPT;
        const pages = [
          { holders: [{ address: 'z', expireTime }], nextPageToken: '1', receipt },
          { holders: [{ address: 'y', expireTime: undefined }], nextPageToken: '', receipt },
        ];
        done(null, pages[Number(request.pageToken)]);
      },
    });
    const { dht } = server.sdk;
    expect(await collect(dht.keys({ prefix: 'p' }))).toEqual([
      { key: 'a', sizeBytes: 4, version: 'v', expireTime: new Date(2_000) },
      { key: 'b', sizeBytes: 4, version: 'v' },
    ]);
    expect(await collect(dht.holders('k', { readQuorum: 3 }))).toEqual([
      { address: 'z', expireTime: new Date(2_000) },
      { address: 'y' },
    ]);
    expect(seen).toMatchObject([
      { prefix: 'p', pageToken: '' },
      { prefix: 'p', pageToken: '1' },
      { prefix: 'p', pageToken: '2' },
      { key: 'k', pageToken: '', readQuorum: 3 },
      { key: 'k', pageToken: '1', readQuorum: 3 },
    ]);
  });
});

describe('a call that fails with UNAVAILABLE', () => {
  const failing = (failures: number) => {
    const counts = new Map<string, number>();
    const answer =
      <Response>(name: string, response: Response) =>
      (_call: unknown, done: (error: typeof unavailable | null, value?: Response) => void) => {
        const count = (counts.get(name) ?? 0) + 1;
        counts.set(name, count);
        if (count <= failures) done(unavailable);
        else done(null, response);
      };
    const receipt = undefined;
    const expireTime = undefined;
    const nextPageToken = '';
    const methods = {
      put: answer('put', { version: '', receipt, expireTime }),
      get: answer('get', { value: Buffer.alloc(0), version: '', receipt, expireTime }),
      delete: answer('delete', { version: '', existed: false, receipt }),
      listKeys: answer('listKeys', { keys: [], nextPageToken }),
      announceHolder: answer('announceHolder', { receipt, expireTime }),
      withdrawHolder: answer('withdrawHolder', { existed: true, receipt }),
      listHolders: answer('listHolders', { holders: [], nextPageToken, receipt }),
      introduce: answer('introduce', {}),
      stopServer: answer('stopServer', {}),
    };
    return { counts, methods };
  };

  it('is repeated when a repeat is the same', async () => {
    const { counts, methods } = failing(2);
    await using server = await DhtServer.start(methods);
    const { dht } = server.sdk;
    await Promise.all([
      dht.put('k', 'v'),
      dht.get('k'),
      dht.delete('k'),
      collect(dht.keys()),
      dht.announceHolder('k', 'a'),
      dht.withdrawHolder('k', 'a'),
      collect(dht.holders('k')),
      dht.introduce('10.0.0.1:5000', 'simple-dht'),
    ]);
    expect([...counts.values()]).toEqual(Array(8).fill(3));
  });

  it('is given up after three attempts', async () => {
    const { counts, methods } = failing(3);
    await using server = await DhtServer.start(methods);
    const put = server.sdk.dht.put('k', 'v');
    await expect(put).rejects.toMatchObject({ status: 'UNAVAILABLE', reason: 'LOOKUP_FAILED' });
    expect(counts.get('put')).toBe(3);
  });

  it('is made once when it stops a server', async () => {
    const { counts, methods } = failing(1);
    await using server = await DhtServer.start(methods);
    await expect(server.sdk.dht.stopServer('secret')).rejects.toThrow('LOOKUP_FAILED');
    expect(counts.get('stopServer')).toBe(1);
  });

  it('is not repeated with any other status', async () => {
    let count = 0;
    await using server = await DhtServer.start({
      put(_call, done) {
        count += 1;
        done(refusal('RESOURCE_EXHAUSTED', 'TABLE_FULL'));
      },
    });
    const put = server.sdk.dht.put('k', 'v');
    await expect(put).rejects.toMatchObject({ reason: 'TABLE_FULL' });
    expect(count).toBe(1);
  });
});

type WantCall = ServerWritableStream<WantRequest, WantResponse>;

describe('want', () => {
  const lost = refusal('UNAVAILABLE', 'NODE_STOPPING');

  /** One stream after the other does what its function says; the last one for all that follow. */
  const streams = (...acts: readonly ((call: WantCall) => void)[]) => {
    let count = 0;
    return {
      get count() {
        return count;
      },
      want: (call: WantCall): void => {
        acts[Math.min(count, acts.length - 1)]!(call);
        count += 1;
      },
    };
  };
  const thatGives =
    (end: 'quiet' | Error, ...events: readonly WantResponse[]) =>
    (call: WantCall): void => {
      for (const event of events) call.write(event);
      if (end !== 'quiet') call.emit('error', end);
    };
  const take = async (events: AsyncIterable<WantEvent>, count: number) => {
    const taken: unknown[] = [];
    for await (const event of events) {
      const { kind, version } = event;
      taken.push(kind === 'value' ? [kind, version] : [kind, version, event.isExpired]);
      if (taken.length === count) break;
    }
    return taken;
  };

  it('gives values and deletions, and leaves heartbeats out', async () => {
    const acts = streams(
      thatGives(
        'quiet',
        wantEvent(1),
        { ...wantEvent(2, 'v1'), expireTime: { seconds: 3n, nanos: 0 } },
        wantEvent(3),
        wantEvent(4, 'v1', { $case: 'deleted', value: { expired: true } }),
        wantEvent(5, 'v3', { $case: 'value', value: Buffer.alloc(0) }),
      ),
    );
    await using server = await DhtServer.start({ want: acts.want });
    const events: WantEvent[] = [];
    for await (const event of server.sdk.dht.want('key')) {
      events.push(event);
      if (events.length === 3) break;
    }
    expect(events).toEqual([
      { kind: 'value', value: Buffer.from('v1'), version: 'v1', expireTime: new Date(3_000) },
      { kind: 'deleted', version: 'v1', isExpired: true },
      { kind: 'value', value: Buffer.alloc(0), version: 'v3' },
    ]);
  });

  it('goes on after NODE_STOPPING, and does not repeat the version it gave last', async () => {
    const acts = streams(
      thatGives(lost, wantEvent(1, 'v1')),
      thatGives(lost, wantEvent(1, 'v1'), wantEvent(2, 'v2')),
      thatGives('quiet', wantEvent(1, 'v2'), wantEvent(2, 'v1')),
    );
    await using server = await DhtServer.start({ want: acts.want });
    const reasons: string[] = [];
    const onLost = ({ reason }: CallError): void => void reasons.push(reason);
    expect(await take(server.sdk.dht.want('key', { onLost }), 3)).toEqual([
      ['value', 'v1'],
      ['value', 'v2'],
      ['value', 'v1'],
    ]);
    expect(reasons).toEqual(['NODE_STOPPING', 'NODE_STOPPING']);
    expect(acts.count).toBe(3);
  });

  it('goes on when the node is killed and comes back', async () => {
    await using first = await DhtServer.start({ want: thatGives('quiet', wantEvent(1, 'v1')) });
    const events = first.sdk.dht.want('key');
    expect(await events.next()).toMatchObject({ value: { version: 'v1' } });
    const next = events.next();
    await first.kill();
    await new Promise((wake) => setTimeout(wake, 300));
    await using second = await DhtServer.start(
      { want: thatGives('quiet', wantEvent(1, 'v1'), wantEvent(2, 'v2')) },
      first.port,
    );
    expect(await next).toMatchObject({ value: { version: 'v2' } });
    expect(second.address).toBe(first.address);
    await events.return();
  });

  it('tells of a value that went while the connection was lost, once', async () => {
    const acts = streams(
      thatGives(lost, wantEvent(1, 'v1')),
      thatGives(lost, wantEvent(1)),
      thatGives('quiet', wantEvent(1), wantEvent(2, 'v1')),
    );
    await using server = await DhtServer.start({ want: acts.want });
    expect(await take(server.sdk.dht.want('key'), 3)).toEqual([
      ['value', 'v1'],
      ['deleted', '', undefined],
      ['value', 'v1'],
    ]);
  });

  it('waits between attempts, and for as long as the node asked', async () => {
    const slowly = refusal('UNAVAILABLE', 'PEER_BUSY', {}, 400);
    const acts = streams(
      thatGives(slowly, wantEvent(1, 'v1')),
      thatGives('quiet', wantEvent(1, 'v2')),
    );
    await using server = await DhtServer.start({ want: acts.want });
    const start = performance.now();
    await take(server.sdk.dht.want('key'), 2);
    expect(performance.now() - start).toBeGreaterThan(390);
  });

  it('ends with any other error', async () => {
    const tooSlow = refusal('RESOURCE_EXHAUSTED', 'WATCHER_TOO_SLOW');
    const acts = streams(thatGives(tooSlow, wantEvent(1, 'v1')));
    await using server = await DhtServer.start({ want: acts.want });
    const all = take(server.sdk.dht.want('key'), 9);
    await expect(all).rejects.toMatchObject({ reason: 'WATCHER_TOO_SLOW' });
    expect(acts.count).toBe(1);
  });

  it('ends with the first loss when told not to reconnect', async () => {
    const acts = streams(thatGives(lost, wantEvent(1, 'v1')));
    await using server = await DhtServer.start({ want: acts.want });
    const all = take(server.sdk.dht.want('key', { reconnect: false }), 9);
    await expect(all).rejects.toMatchObject({ reason: 'NODE_STOPPING' });
    expect(acts.count).toBe(1);
  });

  it('fails after three attempts where there was never an event', async () => {
    const acts = streams(thatGives(lost));
    await using server = await DhtServer.start({ want: acts.want });
    const all = take(server.sdk.dht.want('key'), 9);
    await expect(all).rejects.toMatchObject({ reason: 'NODE_STOPPING' });
    expect(acts.count).toBe(3);
  });

  it('ends without an error when its signal says so', async () => {
    const acts = streams(thatGives('quiet', wantEvent(1, 'v1')));
    await using server = await DhtServer.start({ want: acts.want });
    const stop = new AbortController();
    const all = take(server.sdk.dht.want('key', { signal: stop.signal }), 9);
    await until(() => (acts.count === 1 ? true : undefined), 5_000);
    setTimeout(() => stop.abort(), 50);
    expect(await all).toEqual([['value', 'v1']]);
    const never = server.sdk.dht.want('key', { signal: AbortSignal.abort() });
    expect(await take(never, 9)).toEqual([]);
  });

  it('ends when its signal says so between two streams', async () => {
    const slowly = refusal('UNAVAILABLE', 'PEER_BUSY', {}, 900);
    const acts = streams(thatGives(slowly, wantEvent(1, 'v1')));
    await using server = await DhtServer.start({ want: acts.want });
    const stop = new AbortController();
    const onLost = (): void => void setTimeout(() => stop.abort(), 20);
    const start = performance.now();
    const all = take(server.sdk.dht.want('key', { signal: stop.signal, onLost }), 9);
    expect(await all).toEqual([['value', 'v1']]);
    expect(performance.now() - start).toBeLessThan(800);
    expect(acts.count).toBe(1);
  });

  it('is bounded by its deadline over all streams', async () => {
    const acts = streams(thatGives(lost, wantEvent(1, 'v1')));
    await using server = await DhtServer.start({ want: acts.want });
    const start = performance.now();
    const all = take(server.sdk.dht.want('key', { timeoutMs: 500 }), 9);
    await expect(all).rejects.toMatchObject({ status: 'DEADLINE_EXCEEDED' });
    expect(performance.now() - start).toBeLessThan(2_000);
    expect(acts.count).toBeGreaterThan(1);
  });

  it('cancels its call when the loop is left', async () => {
    let isCancelled = false;
    await using server = await DhtServer.start({
      want(call) {
        call.on('cancelled', () => (isCancelled = true));
        call.write(wantEvent(1, 'v1'));
      },
    });
    await take(server.sdk.dht.want('key'), 1);
    await until(() => isCancelled || undefined, 5_000);
  });
});

describe('introduce and stopServer', () => {
  it('send what they are given', async () => {
    const seen: unknown[] = [];
    await using server = await DhtServer.start({
      introduce({ request }, done) {
        seen.push(request);
        done(null, {});
      },
      stopServer({ request }, done) {
        seen.push(request);
        done(refusal('PERMISSION_DENIED', 'PASSWORD_WRONG'));
      },
    });
    const { dht } = server.sdk;
    await dht.introduce('10.0.0.1:5000', 'tlv');
    const stop = dht.stopServer('secret');
    await expect(stop).rejects.toMatchObject({ reason: 'PASSWORD_WRONG' });
    expect(seen).toEqual([{ address: '10.0.0.1:5000', dialect: 'tlv' }, { password: 'secret' }]);
  });
});
