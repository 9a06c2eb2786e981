/** The table of real nodes with data directories: every call of DhtService, as its proto says. */
import { Client, credentials, Metadata } from '@grpc/grpc-js';
import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CallError, Ringbinder, type WantEvent } from '../../clients/sdk/index.js';
import { DhtServiceService as Dht } from '../../proto/gen/ringbinder/v1/dht_service.js';
import { collect } from '../support/collect.js';
import { TestNet, type TestNode } from '../support/nodes.js';
import { again, callAsIs, keepersOf, lastingRing, statsOf } from '../support/table.js';
import { until } from '../support/until.js';

const VALUE_BYTES_MAX = 2 ** 20;
const YEAR_MS = 365.25 * 24 * 3_600_000;
const ON_ALL = { writeQuorum: 3 } as const;
const FROM_ALL = { readQuorum: 3 } as const;
const WAITERS = 1_000;
const WAITER_CONNECTIONS = 4;
/** Far more than on a quiet machine, where it is below 150 ms. */
const ARRIVAL_MS_MAX = 1_500;

let net: TestNet;
let one: TestNode;
let two: TestNode[];
let three: TestNode[];
let five: TestNode[];

beforeAll(async () => {
  net = new TestNet();
  [[one], two, three, five] = (await Promise.all([
    lastingRing(net, 'one', 1),
    lastingRing(net, 'two', 2),
    lastingRing(net, 'three', 3),
    lastingRing(net, 'five', 5),
  ])) as [[TestNode], TestNode[], TestNode[], TestNode[]];
}, 60_000);

afterAll(async () => net[Symbol.asyncDispose]());

/** What a call that must be refused is refused with. */
async function refusalOf(call: Promise<unknown>): Promise<CallError> {
  const thrown: unknown = await call.then(
    () => new Error('the call succeeded'),
    (error: unknown) => error,
  );
  if (!(thrown instanceof CallError)) throw thrown;
  return thrown;
}

/** Events of a want that goes on until the test has seen enough. */
class Waiter {
  readonly events: WantEvent[] = [];
  readonly arrivedAtMs: number[] = [];
  readonly #end = new AbortController();
  readonly #over: Promise<unknown>;

  constructor(sdk: Ringbinder, key: string) {
    this.#over = this.#read(sdk, key).catch((thrown: unknown) => thrown);
  }

  /** What came, as text. */
  get told(): readonly string[] {
    return this.events.map((event) => {
      if (event.kind === 'value') return Buffer.from(event.value).toString();
      return event.isExpired === true ? '(expired)' : '(deleted)';
    });
  }

  async stop(): Promise<void> {
    this.#end.abort();
    expect(await this.#over).toBeUndefined();
  }

  async #read(sdk: Ringbinder, key: string): Promise<void> {
    for await (const event of sdk.dht.want(key, { signal: this.#end.signal })) {
      this.arrivedAtMs.push(performance.now());
      this.events.push(event);
    }
  }
}

async function allHave(waiters: readonly Waiter[], count: number, withinMs = 5_000): Promise<void> {
  const enough = (): boolean => waiters.every(({ events }) => events.length >= count);
  const told = (): string => waiters.map((waiter) => waiter.told.join(', ')).join('; ');
  await until(() => (enough() ? true : undefined), withinMs, told);
}

describe('Want', () => {
  const outsiderOf = (key: string): TestNode => {
    const keepers = keepersOf(key, five);
    return five.find((node) => !keepers.includes(node))!;
  };

  it('gives the value at once, then every change, on a keeper and on a node without a copy', async () => {
    const nodes = [keepersOf('changes', five)[1]!, outsiderOf('changes')];
    await five[0]!.sdk.dht.put('changes', 'one');
    const waiters = nodes.map(({ sdk }) => new Waiter(sdk, 'changes'));
    await allHave(waiters, 1);
    const versions = [(await five[1]!.sdk.dht.put('changes', 'two')).version];
    await allHave(waiters, 2);
    versions.push((await five[2]!.sdk.dht.delete('changes')).version);
    await allHave(waiters, 3);
    versions.push((await five[3]!.sdk.dht.put('changes', 'three', { ttlMs: YEAR_MS })).version);
    await allHave(waiters, 4);
    for (const { told, events } of waiters) {
      expect(told).toEqual(['one', 'two', '(deleted)', 'three']);
      expect(events.slice(1).map(({ version }) => version)).toEqual(versions);
      expect(events.map((event) => 'expireTime' in event)).toEqual([false, false, false, true]);
    }
    for (const waiter of waiters) await waiter.stop();
  });

  it('waits for what does not exist yet, with a heartbeat first', async () => {
    const call = new Client(outsiderOf('later').address, credentials.createInsecure());
    const stream = call.makeServerStreamRequest(
      Dht.want.path,
      Dht.want.requestSerialize,
      Dht.want.responseDeserialize,
      { key: 'later' },
      new Metadata(),
    );
    const seen: string[] = [];
    for await (const { sequence, version, event } of stream as AsyncIterable<
      ReturnType<typeof Dht.want.responseDeserialize>
    >) {
      seen.push(`${sequence} ${event?.$case ?? ''} ${version === '' ? 'without' : 'with'} version`);
      if (seen.length === 1) await five[0]!.sdk.dht.put('later', 'now');
      else break;
    }
    stream.cancel();
    call.close();
    expect(seen).toEqual(['1 heartbeat without version', '2 value with version']);
  });

  it('says on every node that a value has expired', async () => {
    const put = await three[0]!.sdk.dht.put('brief', 'v', { ttlMs: 1_500, ...ON_ALL });
    const waiters = three.map(({ sdk }) => new Waiter(sdk, 'brief'));
    await allHave(waiters, 1);
    for (const { sdk } of three) {
      expect(await sdk.dht.get('brief')).toMatchObject({ expireTime: put.expireTime });
    }
    await allHave(waiters, 2);
    expect(Date.now()).toBeGreaterThanOrEqual(put.expireTime!.getTime());
    for (const waiter of waiters) {
      expect(waiter.told).toEqual(['v', '(expired)']);
      await waiter.stop();
    }
    for (const { sdk } of three) {
      expect(await sdk.dht.get('brief')).toBeUndefined();
      expect(await collect(sdk.dht.keys({ prefix: 'brief' }))).toEqual([]);
    }
  });

  it('gives a value to a thousand who wait for it on one node', async () => {
    const node = outsiderOf('popular');
    const connections = Array.from(
      { length: WAITER_CONNECTIONS },
      () => new Ringbinder(node.address),
    );
    node.sdkClients.push(...connections);
    await statsOf(node);
    const waiters = Array.from(
      { length: WAITERS },
      (_, index) => new Waiter(connections[index % WAITER_CONNECTIONS]!, 'popular'),
    );
    await keepersOf('popular', five)[0]!.sdk.dht.put('popular', 'not yet');
    await allHave(waiters, 1, 15_000);
    await five[0]!.sdk.dht.put('popular', 'now');
    const answeredAtMs = performance.now();
    await allHave(waiters, 2, 15_000);
    const late = waiters.map(({ arrivedAtMs }) => arrivedAtMs[1]! - answeredAtMs);
    late.sort((a, b) => a - b);
    const [p50, p99, last] = [0.5, 0.99, 1].map((part) => late[Math.ceil(part * WAITERS) - 1]!);
    process.stderr.write(
      `${WAITERS} waiters had the value ${Math.round(p50!)} ms (median), ${Math.round(p99!)} ms (p99), ` +
        `${Math.round(last!)} ms (last) after the answer to Put\n`,
    );
    for (const { told } of waiters) expect(told).toEqual(['not yet', 'now']);
    expect(p99).toBeLessThan(ARRIVAL_MS_MAX);
    expect((await statsOf(node)).wantedKeys).toBe(1n);
    await Promise.all(waiters.map((waiter) => waiter.stop()));
    await until(async () => ((await statsOf(node)).wantedKeys === 0n ? true : undefined), 5_000);
  }, 60_000);

  it('goes on when the owner of the key is killed', async () => {
    const [owner, keeper] = keepersOf('orphan', five);
    const nodes = [keeper!, outsiderOf('orphan')];
    const waiters = nodes.map(({ sdk }) => new Waiter(sdk, 'orphan'));
    await five.find((node) => node !== owner)!.sdk.dht.put('orphan', 'before');
    await allHave(waiters, 1);
    await owner!.end('SIGKILL');
    five = five.filter((node) => node !== owner);
    const start = performance.now();
    await until(async () => {
      const put = nodes[1]!.sdk.dht.put('orphan', 'after').catch((thrown: unknown) => thrown);
      const result = await put;
      if (result instanceof CallError && result.status === 'UNAVAILABLE') return undefined;
      if (result instanceof Error) throw result;
      return true;
    }, 15_000);
    const putMs = performance.now() - start;
    await allHave(waiters, 2, 15_000);
    const seenMs = performance.now() - start;
    process.stderr.write(
      `after the owner's death: Put done ${Math.round(putMs)} ms, seen ${Math.round(seenMs)} ms\n`,
    );
    for (const waiter of waiters) {
      expect(waiter.told.at(0)).toBe('before');
      expect(waiter.told.at(-1)).toBe('after');
      await waiter.stop();
    }
  }, 60_000);
});

describe('values', () => {
  it.each([
    ['of no bytes', 0],
    ['of one byte', 1],
    ['of 1 MiB', VALUE_BYTES_MAX],
  ])('%s come back from every node', async (_title, size) => {
    const value = randomBytes(size);
    const { version } = await three[0]!.sdk.dht.put(`size ${size}`, value, ON_ALL);
    for (const { sdk } of three) {
      const got = await sdk.dht.get(`size ${size}`, FROM_ALL);
      expect(Buffer.from(got!.value).equals(value)).toBe(true);
      expect(got!.version).toBe(version);
      const [stored] = await collect(sdk.dht.keys({ prefix: `size ${size}` }));
      expect(stored).toEqual({ key: `size ${size}`, sizeBytes: size, version });
    }
  });

  it('of a byte more are refused', async () => {
    const put = three[0]!.sdk.dht.put('too large', randomBytes(VALUE_BYTES_MAX + 1));
    expect(await refusalOf(put)).toMatchObject({
      status: 'RESOURCE_EXHAUSTED',
      reason: 'VALUE_TOO_LARGE',
      facts: { valueBytes: '1048577', valueBytesMax: '1048576' },
    });
    expect(await three[0]!.sdk.dht.get('too large')).toBeUndefined();
  });

  it('replace each other, newest last, through different nodes', async () => {
    for (let round = 0; round < 12; round += 1) {
      const { version } = await three[round % 3]!.sdk.dht.put('rewritten', `round ${round}`);
      const got = await three[(round + 1) % 3]!.sdk.dht.get('rewritten');
      expect(Buffer.from(got!.value).toString()).toBe(`round ${round}`);
      expect(got).toMatchObject({ version, receipt: { asked: expect.any(Number) as number } });
    }
  });
});

describe('keys', () => {
  const LONGEST = 'ü€😀'.repeat(56) + '12345678';

  it('of 512 bytes of UTF-8 are kept as they are, with what looks alike apart', async () => {
    expect(Buffer.byteLength(LONGEST)).toBe(512);
    const keys = [LONGEST, '\u0000', 'é', 'e\u0301', ' ', '\u{10ffff}'];
    for (const key of keys) await three[0]!.sdk.dht.put(key, `under ${key}`);
    for (const key of keys) {
      const got = await three[1]!.sdk.dht.get(key);
      expect(Buffer.from(got!.value).toString()).toBe(`under ${key}`);
    }
    expect((await collect(three[0]!.sdk.dht.keys({ prefix: LONGEST }))).length).toBe(1);
  });

  it.each([
    ['empty', ''],
    ['of 513 bytes', `${LONGEST}1`],
    ['of 257 characters and 514 bytes', 'ü'.repeat(257)],
  ])('%s are refused by every call', async (_title, key) => {
    const { dht } = three[0]!.sdk;
    const calls = [
      dht.put(key, ''),
      dht.get(key),
      dht.delete(key),
      dht.want(key).next(),
      dht.announceHolder(key, 'a'),
      dht.withdrawHolder(key, 'a'),
      dht.holders(key).next(),
    ];
    for (const refusal of await Promise.all(calls.map(refusalOf))) {
      expect(refusal).toMatchObject({ status: 'INVALID_ARGUMENT', reason: 'REQUEST_INVALID' });
      expect(refusal.violations).toMatchObject([{ field: 'key' }]);
    }
  });

  it.each(['put', 'get', 'delete', 'announceHolder', 'withdrawHolder', 'listHolders'] as const)(
    'that are no UTF-8 are refused by %s',
    async (name) => {
      const asIs = (bytes: Buffer): Buffer => bytes;
      for (const key of ['c328', 'ff', 'eda080', 'c0af', 'e282']) {
        const bytes = Buffer.from(key, 'hex');
        const request = Buffer.concat([Buffer.of(0x0a, bytes.length), bytes, Buffer.of(0x12, 0)]);
        const method = { path: Dht[name].path, requestSerialize: asIs, responseDeserialize: asIs };
        const refusal = await refusalOf(callAsIs(three[0]!.address, method, request));
        expect(refusal.status).toBe('INVALID_ARGUMENT');
        expect(['REQUEST_MALFORMED', 'REQUEST_INVALID']).toContain(refusal.reason);
      }
    },
  );
});

describe('times to live', () => {
  it.each([
    ['of 0', 0],
    ['below 0', -1],
    ['of 100 years and a second', 100 * YEAR_MS + 1_000],
  ])('%s are refused', async (_title, ttlMs) => {
    const { dht } = three[0]!.sdk;
    for (const call of [dht.put('ttl', 'v', { ttlMs }), dht.announceHolder('ttl', 'a', { ttlMs })])
      expect(await refusalOf(call)).toMatchObject({
        reason: 'REQUEST_INVALID',
        violations: [{ field: 'ttl' }],
      });
    expect(await dht.get('ttl')).toBeUndefined();
  });

  it('of 100 years are kept to the millisecond', async () => {
    const before = Date.now();
    const put = await three[0]!.sdk.dht.put('century', 'v', { ttlMs: 100 * YEAR_MS });
    expect(put.expireTime!.getTime()).toBeGreaterThanOrEqual(before + 100 * YEAR_MS);
    expect(put.expireTime!.getTime()).toBeLessThanOrEqual(Date.now() + 100 * YEAR_MS);
    for (const { sdk } of three) {
      expect((await sdk.dht.get('century'))!.expireTime).toEqual(put.expireTime);
    }
  });

  it('end with a put that has none', async () => {
    await three[0]!.sdk.dht.put('kept', 'v', { ttlMs: 400 });
    expect(await three[1]!.sdk.dht.put('kept', 'w')).not.toHaveProperty('expireTime');
    await new Promise((wake) => setTimeout(wake, 600));
    expect(await three[2]!.sdk.dht.get('kept')).not.toHaveProperty('expireTime');
  });
});

describe('receipts', () => {
  const rings = () => [
    { nodes: [one], size: 1 },
    { nodes: two, size: 2 },
    { nodes: three, size: 3 },
  ];

  it('say what each write rests on, in rings of one, two and three', async () => {
    for (const { nodes, size } of rings()) {
      for (const writeQuorum of [0, 1, 2, 3, 16]) {
        for (const { sdk } of nodes) {
          const { receipt } = await sdk.dht.put('receipt', 'v', { writeQuorum });
          const meant = writeQuorum === 0 ? 2 : writeQuorum;
          const required = Math.min(meant, size);
          expect(receipt).toMatchObject({ asked: size, required, repaired: 0, versions: [] });
          expect(receipt.capped).toBe(meant > size);
          expect(receipt.answered).toBeGreaterThanOrEqual(required);
          expect(receipt.answered).toBeLessThanOrEqual(size);
          expect(receipt.owner).toMatchObject(ownerOf('receipt', nodes));
        }
      }
    }
  });

  it('say what each read rests on', async () => {
    for (const { nodes, size } of rings()) {
      const { version } = await nodes[0]!.sdk.dht.put('read', 'v', { writeQuorum: size });
      for (const readQuorum of [0, 1, 2, 3, 16]) {
        for (const { sdk } of nodes) {
          const { receipt } = (await sdk.dht.get('read', { readQuorum }))!;
          const meant = readQuorum === 0 ? 2 : readQuorum;
          const required = Math.min(meant, size);
          expect(receipt).toMatchObject({ required, repaired: 0, versions: [version] });
          expect(receipt.capped).toBe(meant > size);
          expect(receipt.answered).toBeGreaterThanOrEqual(required);
          expect(receipt.asked).toBeGreaterThanOrEqual(receipt.answered);
          expect(receipt.asked).toBeLessThanOrEqual(size);
          expect(receipt.owner).toMatchObject(ownerOf('read', nodes));
        }
      }
    }
  });

  it('come with every other call', async () => {
    const { dht } = three[0]!.sdk;
    const all = { asked: 3, answered: 3, required: 3, capped: false, repaired: 0, versions: [] };
    const { receipt: announced } = await dht.announceHolder('rests', 'a', ON_ALL);
    const { receipt: withdrawn } = await dht.withdrawHolder('rests', 'a', ON_ALL);
    const { receipt: deleted } = await dht.delete('rests', ON_ALL);
    for (const receipt of [announced, withdrawn, deleted]) expect(receipt).toMatchObject(all);
    const request = { key: 'rests', pageSize: 0, pageToken: '', readQuorum: 16 };
    const { receipt } = await callAsIs(three[0]!.address, Dht.listHolders, request);
    expect(receipt).toMatchObject({ ...all, capped: true });
  });

  it('are not given for a quorum above 16', async () => {
    const { dht } = three[0]!.sdk;
    const tooMany = { writeQuorum: 17, readQuorum: 17 };
    const calls = [dht.put('q', '', tooMany), dht.get('q', tooMany), dht.delete('q', tooMany)];
    for (const refusal of await Promise.all(calls.map(refusalOf))) {
      expect(refusal.reason).toBe('REQUEST_INVALID');
    }
  });

  const ownerOf = (key: string, nodes: readonly TestNode[]) => {
    const { ringId, address } = keepersOf(key, nodes)[0]!;
    return { ringId, address };
  };
});

describe('Delete', () => {
  it('says whether there was a value, and leaves none on any node', async () => {
    await three[0]!.sdk.dht.put('deleted', 'v', ON_ALL);
    expect(await three[1]!.sdk.dht.delete('deleted', ON_ALL)).toMatchObject({ existed: true });
    for (const { sdk } of three) {
      const got = refusalOf(callAsIs(sdk.address, Dht.get, { key: 'deleted', readQuorum: 1 }));
      expect(await got).toMatchObject({ status: 'NOT_FOUND', reason: 'KEY_NOT_FOUND' });
      expect(await collect(sdk.dht.keys({ prefix: 'deleted' }))).toEqual([]);
    }
    expect(await three[2]!.sdk.dht.delete('deleted', ON_ALL)).toMatchObject({ existed: false });
    expect(await three[2]!.sdk.dht.delete('never was')).toMatchObject({ existed: false });
    await three[0]!.sdk.dht.put('deleted', 'again');
    expect(await three[1]!.sdk.dht.get('deleted')).toBeDefined();
  });

  it('does not count what has expired as a value', async () => {
    await three[0]!.sdk.dht.put('ended', 'v', { ttlMs: 50, ...ON_ALL });
    await new Promise((wake) => setTimeout(wake, 100));
    expect(await three[1]!.sdk.dht.delete('ended', ON_ALL)).toMatchObject({ existed: false });
  });
});

describe('holders', () => {
  const addressesOf = async (node: TestNode, key: string): Promise<readonly string[]> =>
    (await collect(node.sdk.dht.holders(key))).map(({ address }) => address);

  it('stand in order of arrival, wherever they were announced; a renewal keeps the place', async () => {
    const arrived = ['zeta:1', 'ä', '10.0.0.1', 'alpha:2', 'm'.repeat(4_096)];
    for (const [index, address] of arrived.entries()) {
      await three[index % 3]!.sdk.dht.announceHolder('order', address);
    }
    await three[1]!.sdk.dht.announceHolder('order', '10.0.0.1', { ttlMs: YEAR_MS });
    for (const node of three) expect(await addressesOf(node, 'order')).toEqual(arrived);
    const [, , renewed] = await collect(three[0]!.sdk.dht.holders('order'));
    expect(renewed!.expireTime!.getTime()).toBeGreaterThan(Date.now() + YEAR_MS - 60_000);
    // Who was gone arrives anew.
    expect(await three[0]!.sdk.dht.withdrawHolder('order', 'zeta:1')).toMatchObject({
      existed: true,
    });
    expect(await three[1]!.sdk.dht.withdrawHolder('order', 'zeta:1')).toMatchObject({
      existed: false,
    });
    await three[2]!.sdk.dht.announceHolder('order', 'zeta:1');
    const now = [...arrived.slice(1), 'zeta:1'];
    for (const node of three) expect(await addressesOf(node, 'order')).toEqual(now);
    expect(await three[0]!.sdk.dht.get('order')).toBeUndefined();
  });

  it('leave the value of the same key alone', async () => {
    await three[0]!.sdk.dht.put('both', 'v');
    await three[1]!.sdk.dht.announceHolder('both', 'a');
    await three[2]!.sdk.dht.delete('both');
    expect(await addressesOf(three[0]!, 'both')).toEqual(['a']);
    await three[0]!.sdk.dht.put('both', 'w');
    await three[1]!.sdk.dht.withdrawHolder('both', 'a');
    expect(Buffer.from((await three[2]!.sdk.dht.get('both'))!.value).toString()).toBe('w');
    expect(await addressesOf(three[0]!, 'both')).toEqual([]);
  });

  it('expire on every node', async () => {
    await three[0]!.sdk.dht.announceHolder('leases', 'brief', { ttlMs: 700, ...ON_ALL });
    await three[1]!.sdk.dht.announceHolder('leases', 'lasting', ON_ALL);
    const expected = ['brief', 'lasting'];
    for (const node of three) expect(await addressesOf(node, 'leases')).toEqual(expected);
    await new Promise((wake) => setTimeout(wake, 800));
    for (const node of three) expect(await addressesOf(node, 'leases')).toEqual(['lasting']);
    expect(await three[0]!.sdk.dht.withdrawHolder('leases', 'brief')).toMatchObject({
      existed: false,
    });
  });

  it('come in pages, each behind the last, while others come and go', async () => {
    const list = async (pageSize: number, pageToken: string, key = 'pages') =>
      callAsIs(three[1]!.address, Dht.listHolders, { key, pageSize, pageToken, readQuorum: 0 });
    for (let index = 0; index < 7; index += 1) {
      await three[0]!.sdk.dht.announceHolder('pages', `holder ${index}`);
    }
    const first = await list(3, '');
    expect(first.holders.map(({ address }) => address)).toEqual([
      'holder 0',
      'holder 1',
      'holder 2',
    ]);
    await three[0]!.sdk.dht.withdrawHolder('pages', 'holder 2');
    await three[0]!.sdk.dht.withdrawHolder('pages', 'holder 3');
    await three[0]!.sdk.dht.announceHolder('pages', 'holder 7');
    const second = await list(3, first.nextPageToken);
    expect(second.holders.map(({ address }) => address)).toEqual([
      'holder 4',
      'holder 5',
      'holder 6',
    ]);
    const third = await list(3, second.nextPageToken);
    expect(third).toMatchObject({ holders: [{ address: 'holder 7' }], nextPageToken: '' });
    for (const call of [
      list(3, first.nextPageToken, 'leases'),
      list(3, `${first.nextPageToken}A`),
      list(3, first.nextPageToken.slice(2)),
    ]) {
      expect(await refusalOf(call)).toMatchObject({
        status: 'INVALID_ARGUMENT',
        reason: 'PAGE_TOKEN_INVALID',
      });
    }
  });
});

describe('ListKeys', () => {
  const list = async (pageSize: number, pageToken: string, prefix: string) =>
    callAsIs(one.address, Dht.listKeys, { pageSize, pageToken, prefix });

  it('lists what the node has in order of the bytes, by prefix, page by page', async () => {
    const names = ['b', 'a', '\uff5e', '\u{1f600}', 'é', 'a0', ''].map((name) => `list/${name}`);
    for (const key of [...names, 'lisu', 'lis']) await one.sdk.dht.put(key, 'value');
    await one.sdk.dht.announceHolder('list/holder', 'a');
    await one.sdk.dht.put('list/gone', 'v');
    await one.sdk.dht.delete('list/gone');
    const inOrder = [...names].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
    const seen: string[] = [];
    let pageToken = '';
    let pages = 0;
    do {
      const page = await list(2, pageToken, 'list/');
      expect(page.keys.length).toBeLessThanOrEqual(2);
      seen.push(...page.keys.map(({ key }) => key));
      pageToken = page.nextPageToken;
      pages += 1;
    } while (pageToken !== '');
    expect(seen).toEqual(inOrder);
    expect(pages).toBeLessThanOrEqual(6);
    const all = (await collect(one.sdk.dht.keys())).map(({ key }) => key);
    expect(all).toEqual(expect.arrayContaining([...inOrder, 'lis', 'lisu']));
    expect(all).not.toContain('list/holder');
  });

  it('refuses a token of another prefix, and what is too long', async () => {
    const { nextPageToken } = await list(2, '', 'list/');
    for (const token of [nextPageToken, 'damaged', 'AAAA']) {
      const refusal = await refusalOf(list(2, token, token === nextPageToken ? 'lis' : 'list/'));
      expect(refusal).toMatchObject({ status: 'INVALID_ARGUMENT', reason: 'PAGE_TOKEN_INVALID' });
    }
    for (const call of [list(2, 'A'.repeat(2_049), ''), list(2, '', 'p'.repeat(513))]) {
      expect(await refusalOf(call)).toMatchObject({ reason: 'REQUEST_INVALID' });
    }
  });

  it('has 100 keys on a page unless asked for more, and never more than 1,000', async () => {
    const puts = Array.from({ length: 1_100 }, (_, index) =>
      one.sdk.dht.put(`many/${String(index).padStart(4, '0')}`, ''),
    );
    await Promise.all(puts);
    expect((await list(0, '', 'many/')).keys.length).toBe(100);
    expect((await list(5_000, '', 'many/')).keys.length).toBe(1_000);
    expect((await collect(one.sdk.dht.keys({ prefix: 'many/' }))).length).toBe(1_100);
  });
});

describe('Introduce', () => {
  it('refuses dialects that this node does not speak', async () => {
    const refusal = await refusalOf(one.sdk.dht.introduce('127.0.0.1:1', 'simple-dht'));
    expect(refusal).toMatchObject({ status: 'INVALID_ARGUMENT', reason: 'DIALECT_UNKNOWN' });
    expect(await refusalOf(one.sdk.dht.introduce('127.0.0.1:1', 'No Dialect'))).toMatchObject({
      reason: 'REQUEST_INVALID',
    });
  });
});

describe('StopServer', () => {
  it('stops nobody without a password configured', async () => {
    for (const password of ['', 'guess']) {
      const refusal = await refusalOf(one.sdk.dht.stopServer(password));
      expect(refusal).toMatchObject({ status: 'UNIMPLEMENTED', reason: 'STOP_DISABLED' });
    }
    expect(one.process.exitCode).toBeNull();
  });

  it('stops the node that has the password, which hands over what it has', async () => {
    const dataDir = net.dataDir('stopped');
    const flags = ['--stop-password', 'open sesame'];
    const node = await net.start({ dataDir, join: [two[0]!.address], flags });
    for (const password of ['', 'open', 'open sesame ']) {
      const refusal = await refusalOf(node.sdk.dht.stopServer(password));
      expect(refusal).toMatchObject({ status: 'PERMISSION_DENIED', reason: 'PASSWORD_WRONG' });
    }
    await node.sdk.dht.put('last words', 'goodbye', { writeQuorum: 1 });
    await node.sdk.dht.stopServer('open sesame');
    expect(await node.exited()).toBe(0);
    expect(node.record('ringbinder stopping')).toMatchObject({ by: 'StopServer' });
    expect(node.record('ringbinder stopped')).toBeDefined();
    // The two that stay may have to compare what they have, as the third was there so shortly.
    const got = await until(
      async () => two[1]!.sdk.dht.get('last words').catch(() => undefined),
      10_000,
    );
    expect(Buffer.from(got.value).toString()).toBe('goodbye');
  });
});

describe('a record that is damaged on disk', () => {
  /** Flips the last byte of a value wherever it stands in the file. */
  const damage = (dataDir: string, value: Buffer): void => {
    const path = join(net.dataDir(dataDir), 'records', 'data.mdb');
    const bytes = readFileSync(path);
    let found = 0;
    for (let at = bytes.indexOf(value); at !== -1; at = bytes.indexOf(value, at + 1)) {
      const last = at + value.length - 1;
      bytes[last] = bytes[last]! ^ 0xff;
      found += 1;
    }
    expect(found).toBeGreaterThan(0);
    writeFileSync(path, bytes);
  };

  it('is not returned by a node that is alone, which says so', async () => {
    const value = randomBytes(300);
    await one.sdk.dht.put('damaged', value);
    await one.sdk.dht.put('sound', value.subarray(0, 100));
    expect(await one.end('SIGTERM')).toBe(0);
    damage('one0', value);
    one = await again(net, one, 'one0');
    const refusal = await refusalOf(one.sdk.dht.get('damaged'));
    expect(refusal).toMatchObject({ status: 'DATA_LOSS', reason: 'RECORD_DAMAGED' });
    expect(await one.sdk.dht.get('sound')).toBeDefined();
    await one.sdk.dht.put('damaged', 'anew');
    expect(Buffer.from((await one.sdk.dht.get('damaged'))!.value).toString()).toBe('anew');
  });

  it('is repaired from the copies of others when it is read', async () => {
    const value = randomBytes(VALUE_BYTES_MAX / 2);
    await three[0]!.sdk.dht.put('damaged', value, ON_ALL);
    await three[1]!.end('SIGKILL');
    damage('three1', value);
    three[1] = await again(net, three[1]!, 'three1');
    const node = three[1];
    const read = async () =>
      until(async () => {
        const got = await node.sdk.dht.get('damaged', { readQuorum: 2 }).catch(() => undefined);
        return got;
      }, 10_000);
    const first = await read();
    expect(Buffer.from(first.value).equals(value)).toBe(true);
    expect(first.receipt).toMatchObject({ required: 2 });
    // What a read repairs is whole in the reads that follow.
    const second = await until(async () => {
      const got = await node.sdk.dht.get('damaged', FROM_ALL).catch(() => undefined);
      return got?.receipt.repaired === 0 ? got : undefined;
    }, 5_000);
    expect(Buffer.from(second.value).equals(value)).toBe(true);
    expect(second.receipt).toMatchObject({ answered: 3 });
  });
});

describe('interests', () => {
  it('of those who wait no more are forgotten', async () => {
    const counts = async () =>
      (await Promise.all([...three, ...five].map(statsOf))).flatMap((stats) => [
        stats.wantedKeys,
        stats.interests,
      ]);
    await until(
      async () => ((await counts()).every((count) => count === 0n) ? true : undefined),
      20_000,
    );
  });
});
