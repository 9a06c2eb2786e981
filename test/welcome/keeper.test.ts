import { describe, expect, it } from 'vitest';
import { encodePageToken } from '../../services/rpc/page-token.js';
import { openLmdbStore } from '../../services/storage/lmdb-store.js';
import { MemoryStore } from '../../services/storage/memory-store.js';
import { temporaryDirectory } from '../storage/temporary-directory.js';
import type { WelcomeKeeper } from '../../services/welcome/keeper.js';
import { FakeClock } from '../support/fake-clock.js';
import { until } from '../support/until.js';
import { createWorld, idsOf, peerAt, settle, SteppedStore, TTL_MS, watch } from './world.js';

const NOT_MEMBER = { reason: 'PEER_NOT_MEMBER', status: 'NOT_FOUND' };

describe('WelcomeKeeper.join', () => {
  it('tells the first peer that it is alone, and the next ones their place', async () => {
    const { keeper } = await createWorld();
    expect(await keeper.join(peerAt(20))).toEqual({
      isFirst: true,
      predecessor: undefined,
      successor: undefined,
      contacts: [],
      leaseTtlMs: TTL_MS,
    });
    await keeper.join(peerAt(40));
    expect(await keeper.join(peerAt(32))).toEqual({
      isFirst: false,
      predecessor: peerAt(20),
      successor: peerAt(40),
      contacts: [peerAt(40), peerAt(20)],
      leaseTtlMs: TTL_MS,
    });
  });

  it('accepts the ring ID that was assigned to the address', async () => {
    const { keeper, hash } = await createWorld();
    const { ringId } = await hash.assign('10.0.0.7:7400');
    await keeper.join({ ringId, address: '10.0.0.7:7400', incarnation: 0 });
    expect(idsOf(keeper.members)).toEqual([ringId]);
  });

  it('assigns a ring ID that nobody has to an address that has none', async () => {
    const { keeper, hash } = await createWorld();
    await keeper.join({ ringId: 1183, address: '10.0.0.7:7400', incarnation: 0 });
    expect(await hash.assign('10.0.0.7:7400')).toEqual({ ringId: 1183, alreadyAssigned: true });
    expect(await hash.getAddress(1183)).toBe('10.0.0.7:7400');
  });

  it('keeps who hosts a guest', async () => {
    const { keeper, store, clock } = await createWorld();
    const guest = { ringId: 7, address: 'ring://a b', incarnation: 3, host: '[::1]:7400' };
    await keeper.join(guest);
    expect(keeper.members).toEqual([guest]);
    const { keeper: restarted } = await createWorld({ store, clock });
    expect(restarted.members).toEqual([guest]);
  });

  it('refuses a ring ID of another address, live, assigned, or with one of its own', async () => {
    const { keeper, hash } = await createWorld();
    await keeper.join(peerAt(7));
    const { ringId } = await hash.assign('absent:1');
    const taken = { reason: 'RING_ID_TAKEN', status: 'ALREADY_EXISTS' };
    const other = (id: number) => keeper.join({ ringId: id, address: 'other:1', incarnation: 9 });
    await expect(other(7)).rejects.toMatchObject({
      ...taken,
      facts: { ringId: '7', holderAddress: peerAt(7).address },
    });
    await expect(other(ringId)).rejects.toMatchObject({
      ...taken,
      facts: { holderAddress: 'absent:1' },
    });
    await expect(keeper.join({ ...peerAt(8), address: 'absent:1' })).rejects.toMatchObject({
      reason: 'RING_ID_UNASSIGNED',
      facts: { ringId: '8', address: 'absent:1', assignedRingId: ringId.toString() },
    });
    expect(idsOf(keeper.members)).toEqual([7]);
  });

  it.each([-1, 0.5, 10, 2 ** 60, Number.NaN])(
    'refuses %d as a ring ID below 10',
    async (ringId) => {
      const { keeper } = await createWorld({ ringSize: 10 });
      await expect(keeper.join({ ...peerAt(0), ringId })).rejects.toMatchObject({
        reason: 'RING_ID_OUT_OF_RANGE',
      });
    },
  );

  it('renews without a word when the same life joins again', async () => {
    const clock = new FakeClock();
    const store = new SteppedStore({ clock });
    const { keeper } = await createWorld({ store, clock });
    await keeper.join(peerAt(7, 3));
    const watcher = watch(keeper);
    const { commitCount } = store;
    for (const incarnation of [3, 0, 3]) {
      clock.advance(TTL_MS - 1);
      expect(await keeper.join(peerAt(7, incarnation))).toMatchObject({ isFirst: true });
    }
    await settle();
    expect(keeper.members).toEqual([peerAt(7, 3)]);
    expect(watcher.seen.filter(([kind]) => kind !== 'quiet')).toEqual([['snapshot', 7]]);
    expect(store.commitCount).toBe(commitCount);
    watcher.stop();
  });

  it('announces a later life, and refuses one that is over', async () => {
    const { keeper } = await createWorld();
    await keeper.join(peerAt(7, 3));
    const watcher = watch(keeper);
    await keeper.join(peerAt(7, 4));
    await expect(keeper.join(peerAt(7, 3))).rejects.toMatchObject({
      reason: 'INCARNATION_STALE',
      facts: { ringId: '7', incarnation: '3', currentIncarnation: '4' },
    });
    await settle();
    expect(keeper.members).toEqual([peerAt(7, 4)]);
    expect(watcher.seen).toEqual([
      ['snapshot', 7],
      ['joined', 7],
    ]);
    watcher.stop();
  });

  it('leaves nothing behind when the store fails, and works when that is over', async () => {
    const store = new SteppedStore();
    const { keeper } = await createWorld({ store });
    store.beforeCommit = async () => Promise.reject(new Error('disk full'));
    await expect(keeper.join(peerAt(7))).rejects.toThrow('disk full');
    expect(keeper.members).toEqual([]);
    expect(await keeper.isMember(7)).toBe(false);
    await keeper.join(peerAt(7));
    expect(await keeper.isMember(7)).toBe(true);
  });
});

describe('WelcomeKeeper.renew', () => {
  it('prolongs by one lease from now, and not without a membership', async () => {
    const { keeper, clock } = await createWorld();
    await keeper.join(peerAt(7));
    clock.advance(TTL_MS - 1);
    expect(await keeper.renew(7)).toEqual({ leaseTtlMs: TTL_MS });
    clock.advance(TTL_MS - 1);
    await keeper.getPeer(7);
    clock.advance(1);
    await settle();
    await expect(keeper.renew(7)).rejects.toMatchObject({ ...NOT_MEMBER, facts: { ringId: '7' } });
  });
});

describe('the end of a lease', () => {
  it('comes at its time, to each member by itself, and is told', async () => {
    const { keeper, clock } = await createWorld();
    const watcher = watch(keeper);
    await keeper.join(peerAt(1));
    clock.advance(1_000);
    await keeper.join(peerAt(2));
    clock.advance(TTL_MS - 1_001);
    expect(idsOf(keeper.members)).toEqual([1, 2]);
    clock.advance(1);
    await settle();
    expect(idsOf(keeper.members)).toEqual([2]);
    clock.advance(1_000);
    await settle();
    expect(keeper.members).toEqual([]);
    const changes = watcher.seen.filter(([kind]) => kind !== 'quiet');
    expect(changes.slice(1)).toEqual([
      ['joined', 1],
      ['joined', 2],
      ['expired', 1],
      ['expired', 2],
    ]);
    watcher.stop();
  });

  it.each([{ jumpMs: 86_400_000 }, { jumpMs: -86_400_000 }])(
    'comes neither sooner nor later when the clock is set by $jumpMs ms',
    async ({ jumpMs }) => {
      const { keeper, clock } = await createWorld();
      await keeper.join(peerAt(7));
      clock.jump(jumpMs);
      clock.advance(TTL_MS - 1);
      expect(idsOf(keeper.members)).toEqual([7]);
      clock.jump(-jumpMs);
      clock.advance(1);
      await settle();
      expect(keeper.members).toEqual([]);
    },
  );

  it('does not come while this process stands still: then all get one lease more', async () => {
    const { keeper, clock } = await createWorld();
    await keeper.join(peerAt(1));
    clock.advance(14_000);
    await keeper.join(peerAt(2));
    clock.stall(60_000);
    clock.advance(0);
    clock.advance(TTL_MS - 1);
    await settle();
    expect(idsOf(keeper.members)).toEqual([1, 2]);
    clock.advance(1);
    await settle();
    expect(keeper.members).toEqual([]);
  });

  it('lets the crashed peer come back at once, and its ring ID go to another', async () => {
    const { keeper, hash, clock } = await createWorld();
    await keeper.join(peerAt(7));
    clock.advance(TTL_MS);
    await keeper.join(peerAt(7, 1));
    expect(keeper.members).toEqual([peerAt(7, 1)]);
    clock.advance(TTL_MS);
    await hash.release(peerAt(7).address);
    const other = { ringId: 7, address: 'other:1', incarnation: 1 };
    await keeper.join(other);
    expect(keeper.members).toEqual([other]);
  });
});

describe('WelcomeKeeper.leave', () => {
  it('ends the membership, tells it, and refuses who is none', async () => {
    const { keeper } = await createWorld();
    await keeper.join(peerAt(7));
    const watcher = watch(keeper);
    await keeper.leave(7);
    await settle();
    expect(watcher.seen).toEqual([
      ['snapshot', 7],
      ['left', 7],
    ]);
    await expect(keeper.leave(7)).rejects.toMatchObject(NOT_MEMBER);
    watcher.stop();
  });

  it('keeps the member when the store fails', async () => {
    const store = new SteppedStore();
    const { keeper } = await createWorld({ store });
    await keeper.join(peerAt(7));
    store.beforeCommit = async () => Promise.reject(new Error('disk full'));
    await expect(keeper.leave(7)).rejects.toThrow('disk full');
    expect(idsOf(keeper.members)).toEqual([7]);
  });
});

describe('WelcomeKeeper.getPeer and getRoutingTable', () => {
  it('answer for members alone', async () => {
    const { keeper } = await createWorld({ ringSize: 8 });
    await keeper.join(peerAt(1));
    await keeper.join(peerAt(4));
    expect(await keeper.getPeer(1)).toEqual(peerAt(1));
    expect(await keeper.getRoutingTable(1)).toEqual([
      { start: 2, peer: peerAt(4) },
      { start: 3, peer: peerAt(4) },
      { start: 5, peer: peerAt(1) },
    ]);
    await expect(keeper.getPeer(2)).rejects.toMatchObject(NOT_MEMBER);
    await expect(keeper.getRoutingTable(2)).rejects.toMatchObject(NOT_MEMBER);
  });
});

describe('WelcomeKeeper.list', () => {
  it('pages in ring order, however the members change meanwhile', async () => {
    const { keeper } = await createWorld();
    for (const ringId of [100, 9, 20, 1_000]) await keeper.join(peerAt(ringId));
    const first = await keeper.list(2, '');
    expect(idsOf(first.peers)).toEqual([9, 20]);
    await keeper.leave(20);
    await keeper.join(peerAt(15));
    await keeper.join(peerAt(500));
    const second = await keeper.list(2, first.nextPageToken);
    expect(idsOf(second.peers)).toEqual([100, 500]);
    const third = await keeper.list(0, second.nextPageToken);
    expect([idsOf(third.peers), third.nextPageToken]).toEqual([[1_000], '']);
    expect(await keeper.list(5, '')).toMatchObject({ nextPageToken: '' });
  });

  it('refuses the token of another list', async () => {
    const { keeper } = await createWorld();
    const token = encodePageToken({ scope: 'hash/assignments', after: '1' });
    for (const bad of [token, 'x']) {
      await expect(keeper.list(1, bad)).rejects.toMatchObject({ reason: 'PAGE_TOKEN_INVALID' });
    }
  });
});

describe('WelcomeKeeper.watch', () => {
  it('cuts off who does not read, and lets the others go on', async () => {
    const { keeper } = await createWorld();
    const lazy = keeper.watch(new AbortController().signal);
    expect((await lazy.next()).value).toMatchObject({ sequence: 1, event: { kind: 'snapshot' } });
    const watcher = watch(keeper);
    for (let incarnation = 1; incarnation <= 10_001; incarnation += 1) {
      await keeper.join(peerAt(7, incarnation));
    }
    await expect(lazy.next()).rejects.toMatchObject({ reason: 'WATCHER_TOO_SLOW' });
    await settle();
    expect(watcher.seen).toHaveLength(10_002);
    watcher.stop();
    await watcher.ended;
  });

  it('ends with its signal', async () => {
    const { keeper, clock } = await createWorld();
    const watcher = watch(keeper);
    await settle();
    watcher.stop();
    await watcher.ended;
    expect(clock.timerCount).toBe(0);
    await keeper.join(peerAt(7));
    expect(watcher.seen).toEqual([['snapshot']]);
    keeper.close();
  });
});

describe('WelcomeKeeper.close', () => {
  it('leaves no timer behind, and follows the store no longer', async () => {
    const { keeper, clock, store } = await createWorld();
    await keeper.join(peerAt(7));
    keeper.close();
    const joining = keeper.join(peerAt(8));
    await settle();
    await joining;
    expect(idsOf(keeper.members)).toEqual([7]);
    await store.close();
    expect(clock.timerCount).toBe(0);
  });
});

describe('WelcomeKeeper.open', () => {
  it('gives every member one full lease after a restart', async () => {
    using directory = temporaryDirectory();
    const clock = new FakeClock();
    const open = async () => {
      const store = await openLmdbStore(directory.path, { clock });
      return createWorld({ store, clock });
    };
    const untilSeen = async ({ keeper }: { keeper: WelcomeKeeper }, ringIds: number[]) =>
      until(() => (idsOf(keeper.members).join() === ringIds.join() ? true : undefined), 5_000);
    const before = await open();
    for (const ringId of [1, 2, 3, 4]) await before.keeper.join(peerAt(ringId, 9));
    await before.keeper.leave(2);
    clock.advance(TTL_MS - 1);
    for (const ringId of [1, 4]) await before.keeper.renew(ringId);
    clock.advance(1);
    await untilSeen(before, [1, 4]);
    clock.advance(TTL_MS - 2);
    before.keeper.close();
    await before.store.close();
    const after = await open();
    expect(after.keeper.members).toEqual([peerAt(1, 9), peerAt(4, 9)]);
    clock.advance(TTL_MS - 1);
    await after.keeper.renew(4);
    expect(idsOf(after.keeper.members)).toEqual([1, 4]);
    clock.advance(1);
    await untilSeen(after, [4]);
    after.keeper.close();
    await after.store.close();
  });

  it('brings the members back from disk', async () => {
    using directory = temporaryDirectory();
    const store = await openLmdbStore(directory.path);
    const { keeper } = await createWorld({ store });
    const odd = { ringId: 2 ** 31 - 1, address: 'ring://10.0.0.9 漢字', incarnation: 2 ** 53 - 1 };
    const peers = [...Array.from({ length: 50 }, (_, index) => peerAt(index, index)), odd];
    await Promise.all(peers.map(async (peer) => keeper.join(peer)));
    await keeper.leave(49);
    keeper.close();
    await store.close();
    const reopened = await openLmdbStore(directory.path);
    const again = await createWorld({ store: reopened });
    expect(again.keeper.members).toEqual(peers.filter(({ ringId }) => ringId !== 49));
    expect(await again.hash.getRingId(odd.address)).toBe(odd.ringId);
    again.keeper.close();
    await reopened.close();
  });

  it('refuses a store whose members are on a larger ring', async () => {
    const store = new MemoryStore();
    await (await createWorld({ store })).keeper.join(peerAt(10));
    await expect(createWorld({ store, ringSize: 10 })).rejects.toThrow('ring ID 10');
  });
});
