/** Several nodes hold one directory, on one store. */
import { describe, expect, it } from 'vitest';
import type { PeerRef } from '../../services/peer/core/ring-space.js';
import { FakeClock } from '../support/fake-clock.js';
import { createWorld, idsOf, peerAt, settle, SteppedStore, TTL_MS, watch } from './world.js';

async function createTwo(options: Parameters<typeof createWorld>[0] = {}) {
  const clock = new FakeClock();
  const store = new SteppedStore({ clock });
  const [one, other] = [
    await createWorld({ store, clock, ...options }),
    await createWorld({ store, clock, ...options }),
  ];
  return { clock, store, one, other };
}

describe('two keepers of one directory', () => {
  it('show the same members, and tell their watchers of all changes', async () => {
    const { clock, one, other } = await createTwo();
    const watcher = watch(other.keeper);
    await one.keeper.join(peerAt(1));
    await other.keeper.join(peerAt(2));
    await one.keeper.join(peerAt(3));
    await other.keeper.leave(1);
    await one.keeper.join(peerAt(2, 5));
    clock.advance(TTL_MS);
    await settle();
    expect(watcher.seen.filter(([kind]) => kind !== 'quiet')).toEqual([
      ['snapshot'],
      ['joined', 1],
      ['joined', 2],
      ['joined', 3],
      ['left', 1],
      ['joined', 2],
      ['expired', 2],
      ['expired', 3],
    ]);
    expect([one.keeper.members, other.keeper.members]).toEqual([[], []]);
    watcher.stop();
  });

  it('renew and end what the other has begun', async () => {
    const { clock, one, other } = await createTwo();
    await one.keeper.join(peerAt(1));
    clock.advance(TTL_MS - 1);
    await other.keeper.renew(1);
    expect(await other.keeper.join(peerAt(1))).toMatchObject({ isFirst: true });
    clock.advance(TTL_MS - 1);
    expect(await one.keeper.getPeer(1)).toEqual(peerAt(1));
    await other.keeper.leave(1);
    await expect(one.keeper.renew(1)).rejects.toMatchObject({ reason: 'PEER_NOT_MEMBER' });
    await settle();
    expect(one.keeper.members).toEqual([]);
  });

  it('give a ring ID to one of two who want it at once', async () => {
    const { one, other } = await createTwo();
    const thief = { ...peerAt(7), address: 'thief:1' };
    const outcomes = await Promise.allSettled([
      one.keeper.join(peerAt(7)),
      other.keeper.join(thief),
    ]);
    expect(outcomes.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
    expect(one.keeper.members).toHaveLength(1);
    expect(other.keeper.members).toEqual(one.keeper.members);
  });

  it('release no ring ID whose peer the other has just let in', async () => {
    const { store, one, other } = await createTwo();
    await one.keeper.join(peerAt(7));
    await one.keeper.leave(7);
    store.beforeCommit = async () => other.keeper.join(peerAt(7));
    await expect(one.hash.release(peerAt(7).address)).rejects.toMatchObject({
      reason: 'RING_ID_IN_USE',
    });
  });

  it('both know who was let in a moment ago, and forget it', async () => {
    const asked: (readonly [number, number | undefined])[] = [];
    const admission = async (candidate: PeerRef, latest: PeerRef | undefined) => {
      asked.push([candidate.ringId, latest?.ringId]);
      return { kind: 'open' } as const;
    };
    const { clock, one, other } = await createTwo({ admission });
    await one.keeper.join(peerAt(1));
    await other.keeper.join(peerAt(2));
    await one.keeper.join(peerAt(3));
    clock.advance(3_000);
    await other.keeper.join(peerAt(4));
    expect(asked).toEqual([
      [2, 1],
      [3, 2],
      [4, undefined],
    ]);
  });

  it('ask the ring again when the other was faster', async () => {
    const asked: (readonly [number, number | undefined])[] = [];
    let meanwhile: (() => Promise<unknown>) | undefined;
    const admission = async (candidate: PeerRef, latest: PeerRef | undefined) => {
      asked.push([candidate.ringId, latest?.ringId]);
      const act = meanwhile;
      meanwhile = undefined;
      await act?.();
      return { kind: 'open' } as const;
    };
    const { one, other } = await createTwo({ admission });
    await one.keeper.join(peerAt(1));
    meanwhile = async () => other.keeper.join(peerAt(3));
    await one.keeper.join(peerAt(2));
    expect(asked).toEqual([
      [2, 1],
      [3, 1],
      [2, 3],
    ]);
    expect(idsOf(one.keeper.members)).toEqual([1, 2, 3]);
  });

  it('found one ring when both are empty', async () => {
    const admission = async () => ({ kind: 'forming', retryAfterMs: 100 }) as const;
    const { one, other } = await createTwo({ admission });
    const outcomes = await Promise.allSettled([
      one.keeper.join(peerAt(1)),
      other.keeper.join(peerAt(2)),
    ]);
    const first = { status: 'fulfilled', value: { isFirst: true } };
    const second = { status: 'rejected', reason: { reason: 'RING_FORMING' } };
    expect(outcomes).toMatchObject([first, second]);
    expect(idsOf(other.keeper.members)).toEqual([1]);
  });
});
