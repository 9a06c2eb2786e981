import { describe, expect, it } from 'vitest';
import { HashKeeper } from '../../services/hash/keeper.js';
import { below, seededChance, type Chance } from '../../services/system/chance.js';
import type { PeerRef } from '../../services/peer/core/ring-space.js';
import type { StoreCommit } from '../../services/storage/store.js';
import { MemoryStore } from '../../services/storage/memory-store.js';
import type { MembershipEvent } from '../../services/welcome/keeper.js';
import { readMembers } from '../../services/welcome/records.js';
import { FakeClock } from '../support/fake-clock.js';
import { createWorld, idsOf, peerAt, settle, SteppedStore, watch } from './world.js';

describe('many joins at once', () => {
  it('all get in, each once', async () => {
    const { keeper, hash, store } = await createWorld();
    const addresses = Array.from({ length: 200 }, (_, index) => `10.0.0.${index}:7400`);
    const peers = await Promise.all(
      addresses.map(async (address) => ({
        ringId: (await hash.assign(address)).ringId,
        address,
        incarnation: 1,
      })),
    );
    const joins = [...peers, ...peers].map(async (peer) => keeper.join(peer));
    const firsts = (await Promise.all(joins)).filter(({ isFirst }) => isFirst);
    expect(firsts.length).toBeLessThanOrEqual(2);
    expect(keeper.members).toEqual(peers.toSorted((one, two) => one.ringId - two.ringId));
    expect(await readMembers(store)).toEqual(keeper.members);
  });

  it('of several addresses, give a ring ID to one', async () => {
    const { keeper } = await createWorld();
    const joins = Array.from({ length: 20 }, async (_, index) =>
      keeper.join({ ringId: 7, address: `host-${index}:1`, incarnation: 1 }),
    );
    const outcomes = await Promise.allSettled(joins);
    const refused = outcomes.filter(({ status }) => status === 'rejected');
    expect(refused).toHaveLength(19);
    for (const outcome of refused) {
      expect(outcome).toMatchObject({ reason: { reason: 'RING_ID_TAKEN' } });
    }
    expect(keeper.members).toHaveLength(1);
  });

  it('of one address, give it one ring ID', async () => {
    const { keeper, hash } = await createWorld();
    const joins = Array.from({ length: 20 }, async (_, ringId) =>
      keeper.join({ ringId, address: 'host:1', incarnation: 1 }),
    );
    const outcomes = await Promise.allSettled(joins);
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect(idsOf(keeper.members)).toEqual([await hash.getRingId('host:1')]);
  });
});

describe('a join against a release', () => {
  const { address } = peerAt(7);
  const inUse = { reason: 'RING_ID_IN_USE' };

  it('wins when it comes between the question and the release', async () => {
    const { keeper, hash, store } = await createWorld();
    await keeper.join(peerAt(7));
    await keeper.leave(7);
    let asked = 0;
    const isMember = async (ringId: number) => {
      const answer = await keeper.isMember(ringId);
      asked += 1;
      if (asked === 1) await keeper.join(peerAt(7));
      return answer;
    };
    const releasing = new HashKeeper({ store, ringSize: 2 ** 31, isMember });
    await expect(releasing.release(address)).rejects.toMatchObject(inUse);
    expect(asked).toBe(2);
    expect(await hash.getRingId(address)).toBe(7);
  });

  it('wins when it is durable and the table does not know yet', async () => {
    const store = new SteppedStore();
    const { keeper, hash } = await createWorld({ store });
    store.afterCommit = async () => {
      expect(keeper.members).toEqual([]);
      await expect(hash.release(address)).rejects.toMatchObject(inUse);
    };
    await keeper.join(peerAt(7));
    expect(await hash.getAddress(7)).toBe(address);
  });

  it('takes the ring ID anew when the release was first', async () => {
    const store = new SteppedStore();
    const { keeper, hash } = await createWorld({ store });
    await keeper.join(peerAt(7));
    await keeper.leave(7);
    // The release itself asks a keeper that does not see the join: another process, say.
    const other = new HashKeeper({ store, ringSize: 2 ** 31, isMember: async () => false });
    store.beforeCommit = async () => other.release(address);
    await keeper.join(peerAt(7));
    expect([await hash.getRingId(address), await hash.getAddress(7)]).toEqual([7, address]);
    await expect(hash.release(address)).rejects.toMatchObject(inUse);
  });

  it('is refused when the ring ID went to another meanwhile', async () => {
    const store = new SteppedStore();
    const { keeper } = await createWorld({ store });
    await keeper.join(peerAt(7));
    await keeper.leave(7);
    const other = new HashKeeper({ store, ringSize: 2 ** 31, isMember: async () => false });
    store.beforeCommit = async () => {
      await other.release(address);
      await (await createWorld({ store })).keeper.join({ ...peerAt(7), address: 'thief:1' });
    };
    await expect(keeper.join(peerAt(7))).rejects.toMatchObject({ reason: 'RING_ID_TAKEN' });
    expect(keeper.members).toEqual([{ ...peerAt(7), address: 'thief:1' }]);
  });
});

describe('a ring that is forming', () => {
  /** Answers when the test says so. */
  function heldAdmission() {
    const asked: PeerRef[] = [];
    const answers: ((answer: 'open' | 'forming') => void)[] = [];
    const admission = async (candidate: PeerRef) => {
      asked.push(candidate);
      const kind = await new Promise<'open' | 'forming'>((resolve) => answers.push(resolve));
      return kind === 'open' ? ({ kind } as const) : ({ kind, retryAfterMs: 250 } as const);
    };
    const answer = async (kind: 'open' | 'forming') => {
      answers.shift()?.(kind);
      await settle();
    };
    return { asked, admission, answer };
  }

  const forming = {
    status: 'rejected',
    reason: { reason: 'RING_FORMING', retryAfterMs: 250, facts: { retryAfterMs: '250' } },
  };

  it('is not asked about the first, nor about a renewal, nor beyond the bound', async () => {
    const { asked, admission, answer } = heldAdmission();
    const { keeper } = await createWorld({ admission, askedBelow: 2 });
    await keeper.join(peerAt(1));
    await keeper.join(peerAt(1, 2));
    const second = keeper.join(peerAt(2));
    await settle();
    await answer('open');
    await second;
    await keeper.join(peerAt(2));
    await keeper.join(peerAt(3));
    expect(asked).toEqual([peerAt(2)]);
    expect(idsOf(keeper.members)).toEqual([1, 2, 3]);
  });

  it('takes in one at a time, and is asked before each', async () => {
    const { asked, admission, answer } = heldAdmission();
    const { keeper } = await createWorld({ admission });
    const joins = [1, 2, 3].map(async (ringId) => keeper.join(peerAt(ringId)));
    await settle();
    expect(idsOf(keeper.members)).toEqual([1]);
    await answer('open');
    expect([idsOf(keeper.members), asked.length]).toEqual([[1, 2], 2]);
    await answer('open');
    await Promise.all(joins);
    expect(idsOf(keeper.members)).toEqual([1, 2, 3]);
  });

  it('refuses all who wait but the next, who asks for itself', async () => {
    const { asked, admission, answer } = heldAdmission();
    const { keeper } = await createWorld({ admission });
    await keeper.join(peerAt(1));
    const joins = [2, 3, 4, 5].map(async (ringId) => keeper.join(peerAt(ringId)));
    const outcomes = Promise.allSettled(joins);
    await settle();
    await answer('forming');
    const late = keeper.join(peerAt(6));
    await settle();
    await answer('open');
    await answer('open');
    await late;
    expect(await outcomes).toMatchObject([forming, { status: 'fulfilled' }, forming, forming]);
    expect(idsOf(asked)).toEqual([2, 3, 6]);
    expect(idsOf(keeper.members)).toEqual([1, 3, 6]);
  });

  it('refuses a ring ID of another before it lets anybody wait', async () => {
    const { asked, admission } = heldAdmission();
    const { keeper, hash } = await createWorld({ admission });
    await keeper.join(peerAt(1));
    const { ringId } = await hash.assign('absent:1');
    await expect(keeper.join({ ...peerAt(2), ringId })).rejects.toMatchObject({
      reason: 'RING_ID_TAKEN',
    });
    expect(asked).toEqual([]);
  });

  it('goes on after a question that failed', async () => {
    let isBroken = true;
    const admission = async () => {
      if (isBroken) throw new Error('no answer');
      return { kind: 'open' } as const;
    };
    const { keeper } = await createWorld({ admission });
    await keeper.join(peerAt(1));
    await expect(keeper.join(peerAt(2))).rejects.toThrow('no answer');
    isBroken = false;
    await keeper.join(peerAt(2));
    expect(idsOf(keeper.members)).toEqual([1, 2]);
  });
});

describe('joins, leaves, renewals, releases and ends of leases at random', () => {
  /** Each commit takes its time, so that later ones overtake it. */
  class SlowStore extends MemoryStore {
    readonly chance = seededChance(1);

    override async commit(commit: StoreCommit): Promise<boolean> {
      await this.#dawdle();
      const isDone = await super.commit(commit);
      await this.#dawdle();
      return isDone;
    }

    async #dawdle(): Promise<void> {
      const rounds = below(this.chance, 4);
      for (let round = 0; round < rounds; round += 1) {
        await new Promise((resolve) => setImmediate(resolve));
      }
    }
  }

  type World = Awaited<ReturnType<typeof createWorld>>;

  /** A few calls at once, and time passing meanwhile; waits until all is over. */
  async function burst({ keeper, hash, clock }: World, chance: Chance): Promise<void> {
    const act = async (): Promise<unknown> => {
      const ringId = below(chance, 3);
      const address = `host-${chance.unit() < 0.9 ? ringId : below(chance, 5)}:1`;
      const dice = chance.unit();
      if (dice < 0.5) return keeper.join({ ringId, address, incarnation: below(chance, 50) });
      if (dice < 0.8) return keeper.leave(ringId);
      if (dice < 0.9) return keeper.renew(ringId);
      return hash.release(address);
    };
    const calls: Promise<unknown>[] = [];
    for (let step = 0; step < 10; step += 1) {
      calls.push(act().catch((error: unknown) => expect(error).toHaveProperty('reason')));
      if (chance.unit() < 0.3) await new Promise((resolve) => setImmediate(resolve));
      if (chance.unit() < 0.1) clock.advance(below(chance, 12_000));
    }
    await Promise.all(calls);
    for (let time = 0; time < 3; time += 1) await settle();
  }

  /** Who is a member, to one who has only watched. */
  function membersSeen(events: readonly MembershipEvent[]): readonly PeerRef[] {
    const seen = new Map<number, PeerRef>();
    for (const event of events) {
      if (event.kind === 'snapshot') continue;
      if (event.kind === 'joined') seen.set(event.peer.ringId, event.peer);
      else expect(seen.delete(event.peer.ringId)).toBe(true);
    }
    return [...seen.values()].sort((one, two) => one.ringId - two.ringId);
  }

  it.each([1, 2, 3, 4])('leave table, store and watchers at one (seed %d)', async (seed) => {
    const chance = seededChance(seed);
    const clock = new FakeClock();
    const store = new SlowStore({ clock });
    const world = await createWorld({ store, clock, ringSize: 3, askedBelow: 2 });
    const { keeper, hash } = world;
    const watcher = watch(keeper);
    for (let round = 0; round < 50; round += 1) {
      await burst(world, chance);
      expect(await readMembers(store)).toEqual(keeper.members);
      expect(membersSeen(watcher.events)).toEqual(keeper.members);
      for (const { ringId, address } of keeper.members) {
        expect(await hash.getAddress(ringId)).toBe(address);
        expect(await hash.getRingId(address)).toBe(ringId);
      }
    }
    expect(watcher.events.length).toBeGreaterThan(50);
    watcher.stop();
    keeper.close();
  });
});
