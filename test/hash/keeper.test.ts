import { describe, expect, it } from 'vitest';
import { firstChoice } from '../../services/hash/core/digest.js';
import { HashKeeper } from '../../services/hash/keeper.js';
import { openLmdbStore } from '../../services/storage/lmdb-store.js';
import { MemoryStore } from '../../services/storage/memory-store.js';
import type { Store, StoreListing } from '../../services/storage/store.js';
import { encodePageToken } from '../../services/rpc/page-token.js';
import { temporaryDirectory } from '../storage/temporary-directory.js';

const RING_SIZE = 2 ** 31;

function createKeeper(ringSize = RING_SIZE, store: Store = new MemoryStore()) {
  const members = new Set<number>();
  const isMember = async (ringId: number) => members.has(ringId);
  return { keeper: new HashKeeper({ store, ringSize, isMember }), store, members };
}

const addressesOf = (count: number) =>
  Array.from({ length: count }, (_, index) => `10.0.${index >> 8}.${index & 255}:7400`);

/** Counts what is read, so that "does not scan" is a number; lets a test step in between. */
class CountingStore extends MemoryStore {
  listed = 0;
  onSecondList: (() => Promise<void>) | undefined;

  override async list(listing: StoreListing) {
    if (listing.limit > 1 && this.onSecondList !== undefined) {
      const step = this.onSecondList;
      this.onSecondList = undefined;
      await step();
    }
    const entries = await super.list(listing);
    this.listed += entries.length;
    return entries;
  }
}

describe('HashKeeper.assign', () => {
  it.each([
    { address: '10.0.0.7:7400' },
    { address: 'ring://10.0.0.9' },
    { address: '漢字' },
    { address: '\u{1F600}'.repeat(1024) },
    { address: 'x' },
  ])('gives $address its first choice, and the same again', async ({ address }) => {
    const { keeper } = createKeeper();
    const ringId = firstChoice(address, RING_SIZE);
    expect(await keeper.assign(address)).toEqual({ ringId, alreadyAssigned: false });
    expect(await keeper.assign(address)).toEqual({ ringId, alreadyAssigned: true });
    expect(await keeper.getRingId(address)).toBe(ringId);
    expect(await keeper.getAddress(ringId)).toBe(address);
  });

  it('gives the next free position clockwise, past the end, when the first choice is taken', async () => {
    const { keeper } = createKeeper(7);
    const taken = new Set<number>();
    for (const address of addressesOf(7)) {
      let expected = firstChoice(address, 7);
      while (taken.has(expected)) expected = (expected + 1) % 7;
      expect((await keeper.assign(address)).ringId).toBe(expected);
      taken.add(expected);
    }
  });

  it('refuses when every position is taken, and again gives what a release freed', async () => {
    const { keeper } = createKeeper(3);
    const addresses = addressesOf(4);
    for (const address of addresses.slice(0, 3)) await keeper.assign(address);
    const refusal = { reason: 'RING_FULL', facts: { ringSize: '3' } };
    for (let time = 0; time < 3; time += 1) {
      await expect(keeper.assign(addresses[3]!)).rejects.toMatchObject(refusal);
    }
    expect((await keeper.assign(addresses[0]!)).alreadyAssigned).toBe(true);
    const ringId = await keeper.release(addresses[1]!);
    expect(await keeper.assign(addresses[3]!)).toEqual({ ringId, alreadyAssigned: false });
    await expect(keeper.assign(addresses[1]!)).rejects.toMatchObject(refusal);
  });

  it('notices a release by another node on the same store', async () => {
    const { keeper, store } = createKeeper(2);
    const other = createKeeper(2, store).keeper;
    await Promise.all([keeper.assign('a'), other.assign('b')]);
    await expect(keeper.assign('c')).rejects.toMatchObject({ reason: 'RING_FULL' });
    await other.release('a');
    expect((await keeper.assign('c')).alreadyAssigned).toBe(false);
  });

  it('finds what is released behind its back while it searches', async () => {
    const store = new CountingStore();
    const { keeper } = createKeeper(12, store);
    const addresses = addressesOf(12);
    for (const address of addresses) await keeper.assign(address);
    const { ringId } = await keeper.assign(addresses[0]!);
    store.onSecondList = async () => {
      await keeper.release(addresses[0]!);
    };
    const sameChoice = addressesOf(999)
      .slice(12)
      .find((address) => firstChoice(address, 12) === ringId);
    expect(await keeper.assign(sameChoice!)).toEqual({ ringId, alreadyAssigned: false });
  });

  it('answers two callers alike when one address gets the last position', async () => {
    const store = new CountingStore();
    const { keeper } = createKeeper(12, store);
    const addresses = addressesOf(12);
    for (const address of addresses.slice(0, 11)) await keeper.assign(address);
    const answers: unknown[] = [];
    store.onSecondList = async () => {
      answers.push(await keeper.assign(addresses[11]!));
    };
    const { ringId } = await keeper.assign(addresses[11]!);
    expect(answers).toEqual([{ ringId, alreadyAssigned: false }]);
  });

  it('says that a full ring is full without reading it again', async () => {
    const store = new CountingStore();
    const { keeper } = createKeeper(500, store);
    await Promise.all(addressesOf(500).map((address) => keeper.assign(address)));
    await expect(keeper.assign('one more')).rejects.toMatchObject({ reason: 'RING_FULL' });
    store.listed = 0;
    for (let time = 0; time < 100; time += 1) {
      await expect(keeper.assign(`more ${time}`)).rejects.toMatchObject({ reason: 'RING_FULL' });
    }
    expect(store.listed).toBe(0);
  });

  it('reads a handful of entries however many assignments there are', async () => {
    const store = new CountingStore();
    const { keeper } = createKeeper(RING_SIZE, store);
    const addresses = addressesOf(5000);
    for (const address of addresses) await keeper.assign(address);
    expect(store.listed).toBeLessThanOrEqual(addresses.length * 2);
  });
});

describe('HashKeeper.assign, many at once', () => {
  /** 500 calls for 100 addresses, in an order that mixes them. */
  const calls = Array.from({ length: 500 }, (_, index) => `peer-${(index * 37) % 100}:7400`);

  async function expectOneRingIdEach(keepers: readonly HashKeeper[], addresses: readonly string[]) {
    const answers = await Promise.all(
      addresses.map((address, index) => keepers[index % keepers.length]!.assign(address)),
    );
    const ringIdOf = new Map(addresses.map((address, index) => [address, answers[index]!.ringId]));
    expect(new Set(ringIdOf.values()).size).toBe(ringIdOf.size);
    for (const [index, address] of addresses.entries()) {
      expect(answers[index]!.ringId).toBe(ringIdOf.get(address));
    }
    expect(answers.filter((answer) => !answer.alreadyAssigned)).toHaveLength(ringIdOf.size);
    for (const [address, ringId] of ringIdOf) {
      expect(await keepers[0]!.getRingId(address)).toBe(ringId);
      expect(await keepers[0]!.getAddress(ringId)).toBe(address);
    }
  }

  it.each([{ ringSize: RING_SIZE }, { ringSize: 128 }, { ringSize: 100 }])(
    'never gives a position twice on a ring of $ringSize, in memory',
    async ({ ringSize }) => {
      await expectOneRingIdEach([createKeeper(ringSize).keeper], calls);
    },
  );

  it.each([{ ringSize: RING_SIZE }, { ringSize: 100 }])(
    'never gives a position twice on a ring of $ringSize, two nodes on one disk',
    async ({ ringSize }) => {
      using directory = temporaryDirectory();
      const store = await openLmdbStore(directory.path);
      const keepers = [createKeeper(ringSize, store).keeper, createKeeper(ringSize, store).keeper];
      await expectOneRingIdEach(keepers, calls);
      await store.close();
    },
  );

  it('gives 500 addresses the 500 positions of a ring, and refuses the next', async () => {
    const { keeper } = createKeeper(500);
    const addresses = addressesOf(501);
    const outcomes = await Promise.allSettled(addresses.map((address) => keeper.assign(address)));
    const answered = outcomes.filter((outcome) => outcome.status === 'fulfilled');
    expect(new Set(answered.map(({ value }) => value.ringId)).size).toBe(500);
    expect(outcomes.filter((outcome) => outcome.status === 'rejected')).toMatchObject([
      { reason: { reason: 'RING_FULL' } },
    ]);
  });

  it('stays consistent while others release', async () => {
    const { keeper } = createKeeper(20);
    const lanes = addressesOf(20).map(async (address) => {
      for (let round = 0; round < 20; round += 1) {
        const { ringId } = await keeper.assign(address);
        expect(await keeper.getAddress(ringId)).toBe(address);
        expect(await keeper.release(address)).toBe(ringId);
      }
    });
    await Promise.all(lanes);
    expect((await keeper.list(0, '')).assignments).toEqual([]);
  });
});

describe('HashKeeper.getRingId', () => {
  it('refuses an address that has none', async () => {
    const { keeper } = createKeeper();
    await expect(keeper.getRingId('10.0.0.7:7400')).rejects.toMatchObject({
      reason: 'ADDRESS_UNKNOWN',
      facts: { address: '10.0.0.7:7400' },
      text: '10.0.0.7:7400 has no ring ID; assign one',
    });
  });

  it('cuts a long address in its refusal, for that travels in a header', async () => {
    const { keeper } = createKeeper();
    const address = `${'\u{1F600}'.repeat(200)}…`;
    await expect(keeper.getRingId('\u{1F600}'.repeat(1024))).rejects.toMatchObject({
      facts: { address },
      text: `${address} has no ring ID; assign one`,
    });
  });
});

describe('HashKeeper.getAddress', () => {
  it.each([0, RING_SIZE - 1])('refuses ring ID %d when it is not assigned', async (ringId) => {
    await expect(createKeeper().keeper.getAddress(ringId)).rejects.toMatchObject({
      reason: 'RING_ID_UNASSIGNED',
      facts: { ringId: String(ringId) },
    });
  });

  it.each([RING_SIZE, 2 ** 53, -1, 0.5, NaN])(
    'refuses ring ID %d: out of range',
    async (ringId) => {
      await expect(createKeeper().keeper.getAddress(ringId)).rejects.toMatchObject({
        reason: 'RING_ID_OUT_OF_RANGE',
        facts: { ringId: String(ringId), ringSize: String(RING_SIZE) },
      });
    },
  );
});

describe('HashKeeper.release', () => {
  it('frees the ring ID for another address, and forgets the first', async () => {
    const { keeper } = createKeeper(1);
    await keeper.assign('a');
    expect(await keeper.release('a')).toBe(0);
    await expect(keeper.getRingId('a')).rejects.toMatchObject({ reason: 'ADDRESS_UNKNOWN' });
    await expect(keeper.getAddress(0)).rejects.toMatchObject({ reason: 'RING_ID_UNASSIGNED' });
    await expect(keeper.release('a')).rejects.toMatchObject({ reason: 'ADDRESS_UNKNOWN' });
    expect(await keeper.assign('b')).toEqual({ ringId: 0, alreadyAssigned: false });
  });

  it('refuses while the peer is a member', async () => {
    const { keeper, members } = createKeeper();
    const { ringId } = await keeper.assign('a');
    members.add(ringId);
    await expect(keeper.release('a')).rejects.toMatchObject({
      reason: 'RING_ID_IN_USE',
      facts: { ringId: String(ringId) },
    });
    expect(await keeper.getRingId('a')).toBe(ringId);
    members.delete(ringId);
    expect(await keeper.release('a')).toBe(ringId);
  });

  it('refuses when the peer joins between the question and the commit', async () => {
    const store = new MemoryStore();
    let answers = 0;
    const isMember = async () => {
      answers += 1;
      if (answers > 1) return true;
      const { key, value } = (await store.get('hash/address/a'))!;
      await store.commit({ conditions: [], writes: [{ kind: 'put', key, value }] });
      return false;
    };
    const keeper = new HashKeeper({ store, ringSize: 4, isMember });
    await keeper.assign('a');
    await expect(keeper.release('a')).rejects.toMatchObject({ reason: 'RING_ID_IN_USE' });
  });

  it('succeeds for one of many at once', async () => {
    const { keeper } = createKeeper();
    await keeper.assign('a');
    const releases = Array.from({ length: 20 }, () => keeper.release('a'));
    const outcomes = await Promise.allSettled(releases);
    expect(outcomes.filter((outcome) => outcome.status === 'fulfilled')).toHaveLength(1);
  });
});

describe('HashKeeper.list', () => {
  it('orders addresses by their UTF-8 bytes', async () => {
    const { keeper } = createKeeper();
    for (const address of ['\u{10000}', 'b', '\uFFFD', 'a', 'ä']) await keeper.assign(address);
    const { assignments, nextPageToken } = await keeper.list(0, '');
    expect(assignments.map(({ address }) => address)).toEqual([
      'a',
      'b',
      'ä',
      '\uFFFD',
      '\u{10000}',
    ]);
    expect(assignments[0]!.ringId).toBe(await keeper.getRingId('a'));
    expect(nextPageToken).toBe('');
  });

  it.each([
    { count: 0, pageSize: 10, sizes: [0] },
    { count: 9, pageSize: 10, sizes: [9] },
    { count: 10, pageSize: 10, sizes: [10] },
    { count: 11, pageSize: 10, sizes: [10, 1] },
    { count: 101, pageSize: 0, sizes: [100, 1] },
    { count: 1001, pageSize: 5000, sizes: [1000, 1] },
  ])('pages $count assignments by $pageSize as $sizes', async ({ count, pageSize, sizes }) => {
    const { keeper } = createKeeper();
    const addresses = addressesOf(count);
    for (const address of addresses) await keeper.assign(address);
    const seen: string[] = [];
    const pages: number[] = [];
    let token = '';
    do {
      const page = await keeper.list(pageSize, token);
      seen.push(...page.assignments.map(({ address }) => address));
      pages.push(page.assignments.length);
      token = page.nextPageToken;
    } while (token !== '');
    expect(pages).toEqual(sizes);
    expect(seen).toEqual([...addresses].sort());
  });

  it('ends a page of long addresses before it outgrows a gRPC message', async () => {
    const { keeper } = createKeeper();
    for (let index = 0; index < 500; index += 1) await keeper.assign(`${index}/`.padEnd(4096, 'x'));
    const first = await keeper.list(1000, '');
    const second = await keeper.list(1000, first.nextPageToken);
    const third = await keeper.list(1000, second.nextPageToken);
    expect(first.assignments.length).toBeLessThan(300);
    const pages = [first, second, third].flatMap(({ assignments }) => assignments);
    expect(new Set(pages.map(({ address }) => address)).size).toBe(500);
    expect(third.nextPageToken).toBe('');
    expect(Math.max(first.nextPageToken.length, second.nextPageToken.length)).toBeLessThan(8192);
  });

  it('refuses a token of another list', async () => {
    const token = encodePageToken({ scope: 'welcome/peers', after: 'a' });
    await expect(createKeeper().keeper.list(0, token)).rejects.toMatchObject({
      reason: 'PAGE_TOKEN_INVALID',
    });
  });
});
