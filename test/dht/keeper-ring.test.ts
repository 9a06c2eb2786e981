import { describe, expect, it } from 'vitest';
import { KeeperRing } from '../../services/dht/keeper-ring.js';
import type { RingPart } from '../../services/dht/core/ring-view.js';
import type { Keepers } from '../../services/peer/core/keepers.js';
import type { PeerRef, RingId } from '../../services/peer/core/ring-space.js';
import { FakeClock } from '../support/fake-clock.js';
import { settle } from '../peer/lone-driver.js';
import { peer } from '../peer/ring-text.js';

const guest = (ringId: number): PeerRef => ({ ...peer(ringId), host: 'p1' });

const part = (predecessor: PeerRef | undefined, ...successors: readonly PeerRef[]): RingPart => ({
  self: peer(20),
  stage: 'member',
  predecessor,
  successors,
});

/** A ring that is what the test says. */
function ringOf(first: RingPart) {
  const clock = new FakeClock();
  const ring = {
    state: first,
    keepersNow: undefined as Keepers | undefined,
    owners: new Map<RingId, PeerRef>(),
    looks: 0,
  };
  const keeperRing = new KeeperRing({
    peer: {
      get state() {
        return ring.state;
      },
      lookup: async (position) => ({
        owner: ring.owners.get(position),
        predecessor: undefined,
        hops: [],
        timeouts: 0,
      }),
      keepers: async () => {
        ring.looks += 1;
        return ring.keepersNow;
      },
    },
    ringSize: 64,
    successorsMax: 2,
    clock,
  });
  return { clock, ring, keeperRing };
}

describe('KeeperRing.state', () => {
  it('is the ring itself where there is no guest', () => {
    const { ring, keeperRing } = ringOf(part(peer(10), peer(30)));
    expect(keeperRing.state).toBe(ring.state);
    expect(ring.looks).toBe(0);
  });

  it('keeps to what was known until guests are seen through', async () => {
    const { ring, keeperRing } = ringOf(part(peer(10), peer(30), peer(40)));
    expect(keeperRing.state.stage).toBe('member');
    ring.state = part(guest(15), guest(25), peer(30));
    expect(keeperRing.state).toMatchObject(part(peer(10), peer(30), peer(40)));
    ring.keepersNow = { predecessor: peer(5), successors: [peer(30), peer(50)] };
    expect(keeperRing.state.stage).toBe('member');
    await settle();
    expect(keeperRing.state).toMatchObject(part(peer(10), peer(30), peer(40)));
  });

  it('looks once a second behind guests, and tells the same objects while nothing changes', async () => {
    const { clock, ring, keeperRing } = ringOf(part(guest(15), peer(30)));
    expect(keeperRing.state.stage).toBe('member');
    await settle();
    ring.keepersNow = { predecessor: peer(5), successors: [peer(30), peer(50)] };
    clock.advance(1_000);
    await settle();
    const { state } = keeperRing;
    expect(state).toMatchObject(part(peer(5), peer(30), peer(50)));
    expect(keeperRing.state.successors).toBe(state.successors);
    keeperRing.close();
    const { looks } = ring;
    clock.advance(5_000);
    expect(ring.looks).toBe(looks);
  });

  it('owns everything with guests alone', async () => {
    const { clock, ring, keeperRing } = ringOf(part(guest(15), guest(30)));
    ring.keepersNow = { predecessor: undefined, successors: [] };
    clock.advance(1_000);
    await settle();
    expect(keeperRing.state).toMatchObject(part(undefined));
  });
});

describe('KeeperRing.lookup', () => {
  it('passes guests by, and names nobody where there are only guests', async () => {
    const { ring, keeperRing } = ringOf(part(guest(15), guest(30)));
    ring.owners.set(5, guest(15)).set(16, guest(18)).set(19, peer(20));
    expect((await keeperRing.lookup(5)).owner).toEqual(peer(20));
    ring.owners.set(63, guest(63)).set(0, guest(63));
    expect((await keeperRing.lookup(63)).owner).toBeUndefined();
  });
});
