/** The table while nodes die, leave, join and lose their disks: nothing acknowledged is lost. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { CallError, Ringbinder } from '../../clients/sdk/index.js';
import { ERRORS } from '../../services/errors.js';
import { TestNet, untilIdeal, type TestNode } from '../support/nodes.js';
import {
  again,
  countsOf,
  forAll,
  keepersOf,
  keysOf,
  lastingRing,
  statsOf,
  untilSettled,
} from '../support/table.js';
import { until } from '../support/until.js';

const say = (text: string): void => void process.stderr.write(`${text}\n`);
const seconds = (ms: number): string => `${(ms / 1_000).toFixed(1)} s`;
const pause = (ms: number): Promise<unknown> => new Promise((wake) => setTimeout(wake, ms));

/** Stores keys that do not matter by themselves, through all nodes. */
async function load(
  nodes: readonly TestNode[],
  prefix: string,
  count: number,
  atOnce: number,
  writeQuorum: number,
): Promise<readonly string[]> {
  const keys = Array.from({ length: count }, (_, index) => `${prefix}/${index}`);
  let turn = 0;
  await forAll(keys, atOnce, async (key) => {
    turn += 1;
    await nodes[turn % nodes.length]!.sdk.dht.put(key, `of ${key}`, { writeQuorum });
  });
  return keys;
}

/**
 * Waits until each of the nodes has exactly the keys that it should have, whatever it has of those that
 * are not certain; resolves with how long.
 */
async function untilPlaced(
  keys: readonly string[],
  nodes: readonly TestNode[],
  withinMs: number,
  unsure: ReadonlySet<string> = new Set(),
): Promise<number> {
  const start = performance.now();
  const due = new Map(nodes.map((node): [TestNode, Set<string>] => [node, new Set()]));
  for (const key of keys) for (const node of keepersOf(key, nodes)) due.get(node)!.add(key);
  let seen = '';
  await until(
    async () => {
      const all = await Promise.all(
        nodes.map(async (node) => {
          const has = [...(await keysOf(node)).keys()].filter((key) => !unsure.has(key));
          return [node, has] as const;
        }),
      );
      seen = all.map(([node, has]) => `${has.length} of ${due.get(node)!.size}`).join(', ');
      const isPlaced = all.every(([node, has]) => {
        const should = due.get(node)!;
        return has.length === should.size && has.every((key) => should.has(key));
      });
      return isPlaced ? true : undefined;
    },
    withinMs,
    () => `keys: ${seen}`,
  );
  return performance.now() - start;
}

/** Waits until all of the nodes have the same versions of so many keys. */
async function untilSame(
  nodes: readonly TestNode[],
  keyCount: number,
  withinMs: number,
): Promise<void> {
  let different = 0;
  await until(
    async () => {
      const [first, ...others] = await Promise.all(nodes.map(keysOf));
      if (first?.size !== keyCount) return undefined;
      different = [...first].filter(([key, version]) =>
        others.some((other) => other.get(key) !== version),
      ).length;
      return different === 0 ? true : undefined;
    },
    withinMs,
    () => `${different} keys differ`,
  );
}

/** All clients together, so that the load lasts as long as the trouble. */
const PUTS_PER_SECOND = 500;

/** What may be under a key: one value after an answer, more than one while it is not known. */
type Possible = readonly (string | undefined)[];

/** Calls of clients that go to the next node when theirs is gone, and what became of them. */
class Traffic {
  readonly possible = new Map<string, Possible>();
  readonly refusals = new Map<string, number>();
  calls = 0;
  puts = 0;
  deletes = 0;
  /** Calls that a node did not answer, because it was gone. */
  lost = 0;
  /** What has no place in `ERRORS`. */
  readonly strange: string[] = [];
  /** Addresses of the nodes that may be up. */
  readonly addresses: string[];
  isOver = false;
  readonly #startMs = performance.now();

  constructor(nodes: readonly TestNode[]) {
    this.addresses = nodes.map(({ address }) => address);
  }

  get refused(): number {
    return [...this.refusals.values()].reduce((sum, count) => sum + count, 0);
  }

  /** Resolves when it is time for the next put. */
  async pace(): Promise<void> {
    const dueMs = this.#startMs + (1_000 * this.puts) / PUTS_PER_SECOND;
    const waitMs = dueMs - performance.now();
    if (waitMs > 0) await pause(waitMs);
  }

  async client(number: number, isEnough: () => boolean): Promise<void> {
    const client = new Client(this, number);
    try {
      for (let index = 0; !isEnough(); index += 1) {
        await client.put(`client ${number}/${index}`, index);
        if (index % 10 === 9) await client.put(`client ${number}/${index - 5}`, index);
        if (index % 20 === 19) await client.delete(`client ${number}/${index - 12}`);
      }
    } finally {
      client.close();
    }
  }
}

class Client {
  readonly #traffic: Traffic;
  readonly #sdks = new Map<string, Ringbinder>();
  /** Keys whose last call did not end well: it may still be under way. */
  readonly #unsure = new Set<string>();
  #turn: number;

  constructor(traffic: Traffic, number: number) {
    this.#traffic = traffic;
    this.#turn = number;
  }

  async put(key: string, index: number): Promise<void> {
    if (this.#unsure.has(key)) return;
    const value = `${key} at ${index} ${'x'.repeat(index % 200)}`;
    this.#traffic.puts += 1;
    await this.#traffic.pace();
    await this.#write(key, value, async ({ dht }) => dht.put(key, value));
  }

  async delete(key: string): Promise<void> {
    if (this.#unsure.has(key)) return;
    this.#traffic.deletes += 1;
    await this.#write(key, undefined, async ({ dht }) => dht.delete(key));
  }

  close(): void {
    for (const sdk of this.#sdks.values()) sdk.close();
  }

  async #write(
    key: string,
    after: string | undefined,
    call: (sdk: Ringbinder) => Promise<unknown>,
  ): Promise<void> {
    const { possible } = this.#traffic;
    const before = possible.get(key) ?? [undefined];
    possible.set(key, [...before, after]);
    if (await this.#isAnswered(key, call)) possible.set(key, [after]);
    else this.#unsure.add(key);
  }

  async #isAnswered(key: string, call: (sdk: Ringbinder) => Promise<unknown>): Promise<boolean> {
    const traffic = this.#traffic;
    traffic.calls += 1;
    for (;;) {
      try {
        await call(this.#sdk());
        return true;
      } catch (thrown) {
        if (!(thrown instanceof CallError)) throw thrown;
        const { reason, status, message } = thrown;
        if (status === 'UNAVAILABLE' && reason === '') {
          traffic.lost += 1;
          this.#unsure.add(key);
          this.#turn += 1;
          continue;
        }
        traffic.refusals.set(reason, (traffic.refusals.get(reason) ?? 0) + 1);
        if (!Object.hasOwn(ERRORS, reason)) traffic.strange.push(`${status} ${message}`);
        this.#turn += 1;
        return false;
      }
    }
  }

  #sdk(): Ringbinder {
    const { addresses } = this.#traffic;
    const address = addresses[this.#turn % addresses.length]!;
    const known = this.#sdks.get(address);
    if (known !== undefined) return known;
    const sdk = new Ringbinder(address);
    this.#sdks.set(address, sdk);
    return sdk;
  }
}

/** Reads every key from every node; returns what is not as it must be. */
async function readAll(
  possible: ReadonlyMap<string, Possible>,
  nodes: readonly TestNode[],
  atOnce = 64,
): Promise<readonly string[]> {
  const wrong: string[] = [];
  const reads = [...possible].flatMap(([key, may]) => nodes.map((node) => ({ key, may, node })));
  await forAll(reads, atOnce, async ({ key, may, node }) => {
    const found = await node.sdk.dht.get(key);
    const value = found && Buffer.from(found.value).toString();
    if (may.includes(value)) return;
    wrong.push(`${key} on ${node.ringId}: ${value ?? 'nothing'}, not ${may.join(' or ')}`);
  });
  return wrong;
}

describe('the table', () => {
  it('loses nothing and brings nothing back while nodes die, leave and join', async () => {
    const PUTS = 20_000;
    const CLIENTS = 16;
    await using net = new TestNet();
    const nodes = await lastingRing(net, 'n', 5);
    const traffic = new Traffic(nodes);
    const start = performance.now();
    const isEnough = (): boolean => traffic.isOver && traffic.puts >= PUTS;
    const clients = Array.from({ length: CLIENTS }, async (_, number) =>
      traffic.client(number, isEnough),
    );

    const trouble = async (): Promise<void> => {
      for (let index = 0; index < 5; index += 1) {
        await pause(1_000);
        await nodes[index]!.end('SIGKILL');
        await pause(1_500);
        nodes[index] = await again(net, nodes[index]!, `n${index}`);
        await untilIdeal(nodes, 20_000);
      }
      await pause(1_000);
      const leaving = nodes[2]!;
      traffic.addresses.splice(traffic.addresses.indexOf(leaving.address), 1);
      nodes.splice(2, 1);
      expect(await leaving.end('SIGTERM')).toBe(0);
      await pause(1_000);
      const joined = await net.start({ dataDir: net.dataDir('n5'), join: [nodes[0]!.address] });
      nodes.push(joined);
      traffic.addresses.push(joined.address);
      await pause(1_000);
    };
    const [troubled] = await Promise.allSettled([trouble()]);
    traffic.isOver = true;
    await Promise.all(clients);
    const loadMs = performance.now() - start;
    if (troubled.status === 'rejected') throw troubled.reason;

    const { calls, puts, deletes, refused, lost } = traffic;
    say(
      `${puts} puts and ${deletes} deletes of ${CLIENTS} clients in ${seconds(loadMs)}: ` +
        `${refused} refused (${((100 * refused) / calls).toFixed(2)} %), ${lost} connections lost`,
    );
    say(`refusals: ${JSON.stringify(Object.fromEntries(traffic.refusals))}`);
    const settledMs = await untilSettled(nodes, 60_000);
    const certain = [...traffic.possible].filter(([, may]) => may.length === 1);
    const kept = certain.flatMap(([key, [value]]) => (value === undefined ? [] : [key]));
    const unsure = [...traffic.possible].flatMap(([key, may]) => (may.length > 1 ? [key] : []));
    const placedMs = await untilPlaced(kept, nodes, 60_000, new Set(unsure));
    const readStart = performance.now();
    const wrong = await readAll(traffic.possible, nodes);
    say(
      `settled after ${seconds(settledMs)}, all copies in place after ${seconds(placedMs)}; ${traffic.possible.size} keys read from ` +
        `${nodes.length} nodes in ${seconds(performance.now() - readStart)}`,
    );
    expect(wrong).toEqual([]);
    expect(traffic.strange).toEqual([]);
    expect(refused).toBeLessThanOrEqual(calls / 100);
  }, 240_000);

  it('has everything that was acknowledged after all nodes were killed at once', async () => {
    await using net = new TestNet();
    const nodes = await lastingRing(net, 'n', 3);
    const acknowledged = new Map<string, Possible>();
    const isKilled = { is: false };
    const writers = Array.from({ length: 48 }, async (_, writer) => {
      const { dht } = nodes[writer % 3]!.sdk;
      for (let index = 0; !isKilled.is; index += 1) {
        const key = `writer ${writer}/${index}`;
        try {
          await dht.put(key, `of ${key}`);
          acknowledged.set(key, [`of ${key}`]);
        } catch {
          return;
        }
      }
    });
    await until(() => (acknowledged.size >= 3_000 ? true : undefined), 30_000);
    const dead = nodes.map(async (node) => {
      node.process.kill('SIGKILL');
      await node.exited();
    });
    await Promise.all(dead);
    isKilled.is = true;
    await Promise.all(writers);
    for (const node of nodes) await node.end('SIGKILL');
    const start = performance.now();
    const back = await Promise.all(nodes.map(async (node, index) => again(net, node, `n${index}`)));
    await untilIdeal(back, 30_000);
    await untilSettled(back, 30_000);
    const backMs = performance.now() - start;
    expect(await readAll(acknowledged, back)).toEqual([]);
    say(`${acknowledged.size} acknowledged values were there ${seconds(backMs)} after the restart`);
  }, 120_000);

  it.each([
    ['table', 'records'],
    ['whole data directory', '.'],
  ])(
    'is whole again on a node that lost its %s, without any read',
    async (what, folder) => {
      const KEYS = 5_000;
      await using net = new TestNet();
      const nodes = await lastingRing(net, 'n', 3);
      const keys = await load(nodes, 'wiped', KEYS, 96, 3);
      const before = await Promise.all(nodes.map(keysOf));
      for (const has of before) expect(has.size).toBe(KEYS);
      const [founder, victim, other] = nodes as [TestNode, TestNode, TestNode];
      await victim.end('SIGKILL');
      rmSync(join(net.dataDir('n1'), folder), { recursive: true });
      const givenBefore = await countsOf([founder, other], 'given');
      const start = performance.now();
      const back = await again(net, victim, 'n1', { join: [founder.address] });
      const readyMs = performance.now() - start;
      await untilPlaced(keys, [founder, back, other], 30_000);
      const wholeMs = performance.now() - start;
      expect(wholeMs).toBeLessThan(30_000);
      expect(await keysOf(back)).toEqual(before[1]);
      const [transferred] = await countsOf([back], 'transferred');
      const givenAfter = await countsOf([founder, other], 'given');
      const given = givenAfter.map((count, index) => count - givenBefore[index]!);
      say(
        `${what} lost: ready after ${seconds(readyMs)}, whole after ${seconds(wholeMs)}; ` +
          `${transferred} records transferred, given by the others ${given.join(' and ')}`,
      );
      expect(transferred).toBe(KEYS);
      expect(await countsOf([founder, other], 'transferred')).toEqual([0, 0]);
      const values = new Map(keys.slice(0, 100).map((key) => [key, [`of ${key}`]]));
      expect(await readAll(values, [founder, back, other])).toEqual([]);
    },
    120_000,
  );

  it('has three copies of every key again after a node died for good', async () => {
    const KEYS = 5_000;
    await using net = new TestNet();
    const nodes = await lastingRing(net, 'n', 5);
    const keys = await load(nodes, 'copies', KEYS, 96, 3);
    await untilPlaced(keys, nodes, 30_000);
    const sizes = (await Promise.all(nodes.map(keysOf))).map(({ size }) => size);
    const lostCopies = Math.max(...sizes);
    const dead = nodes[sizes.indexOf(lostCopies)]!;
    const transferredBefore = await countsOf(nodes, 'transferred');
    await dead.end('SIGKILL');
    const start = performance.now();
    const living = nodes.filter((node) => node !== dead);
    await untilPlaced(keys, living, 60_000);
    const wholeMs = performance.now() - start;
    const all = await Promise.all(living.map(keysOf));
    const copies = all.reduce((sum, has) => sum + has.size, 0);
    expect(copies).toBe(3 * KEYS);
    const transferredAfter = await countsOf(living, 'transferred');
    const before = nodes.flatMap((node, index) =>
      node === dead ? [] : [transferredBefore[index]!],
    );
    const transferred = transferredAfter.map((count, index) => count - before[index]!);
    say(
      `${lostCopies} copies died with a node; three of each of ${KEYS} keys again after ` +
        `${seconds(wholeMs)}; transferred ${transferred.join(', ')}`,
    );
    expect(transferred.reduce((sum, count) => sum + count, 0)).toBe(lostCopies);
  }, 120_000);

  it('hands over what it keeps for others too when a node leaves', async () => {
    const KEYS = 2_000;
    await using net = new TestNet();
    const nodes = await lastingRing(net, 'n', 4);
    await nodes[3]!.end('SIGKILL');
    const living = nodes.slice(0, 3);
    await untilIdeal(living, 20_000);
    const keys = await load(living, 'kept for others', KEYS, 96, 3);
    const back = await again(net, nodes[3]!, 'n3');
    await untilIdeal([...living, back], 20_000);
    const [leaving, ...staying] = [...living, back];
    const start = performance.now();
    expect(await leaving.end('SIGTERM')).toBe(0);
    const leftMs = performance.now() - start;
    const placedMs = await untilPlaced(keys, staying, 30_000);
    say(`left after ${seconds(leftMs)}; all copies in place ${seconds(placedMs)} later`);
    expect(leaving.records.filter(({ level }) => level === 'warn')).toEqual([]);
  }, 60_000);

  it('moves exactly the keys that must move when a node joins', async () => {
    const KEYS = 100_000;
    await using net = new TestNet();
    const nodes = await lastingRing(net, 'n', 3);
    const start = performance.now();
    const keys = await load(nodes, 'moved', KEYS, 384, 1);
    const loadMs = performance.now() - start;
    await untilSame(nodes, KEYS, 60_000);
    await untilSettled(nodes, 60_000);
    const countedBefore = await countsOf(nodes, 'transferred');
    const joining = performance.now();
    const joined = await net.start({ dataDir: net.dataDir('n3'), join: [nodes[0]!.address] });
    const all = [...nodes, joined];
    await until(async () => {
      const stats = await Promise.all(all.map(statsOf));
      const due = stats.reduce((sum, { records }) => sum + Number(records), 0);
      return due === 3 * KEYS && stats.every(({ isSettled }) => isSettled) ? true : undefined;
    }, 90_000);
    const movedMs = performance.now() - joining;
    await untilPlaced(keys, all, 30_000);
    const records = (await Promise.all(all.map(statsOf))).map((stats) => Number(stats.records));
    const transferred = await countsOf(all, 'transferred');
    const handedOver = await countsOf(all, 'handedOver');
    const received = transferred.map((count, index) => count - (countedBefore[index] ?? 0));
    say(
      `${KEYS} keys in ${seconds(loadMs)}, ${countedBefore.join(', ')} of them by repair; a fourth node had its records after ${seconds(movedMs)}: ` +
        `records ${records.join(', ')}; received ${received.join(', ')}; ` +
        `dropped ${handedOver.join(', ')}`,
    );
    // A node that was taken for dead for a while drops copies and gets them back.
    const suspicions = all.flatMap(({ records: logged }) =>
      logged.filter(({ msg }) => msg === 'a peer is gone'),
    );
    if (suspicions.length > 0) say(`taken for dead meanwhile: ${JSON.stringify(suspicions)}`);
    expect(received).toEqual([0, 0, 0, records[3]]);
    expect(handedOver).toEqual(records.map((count, index) => (index === 3 ? 0 : KEYS - count)));
  }, 240_000);
});
