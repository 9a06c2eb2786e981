import { describe, expect, it } from 'vitest';
import type { Caller } from '../../proto/gen/ringbinder/v1/peer_service.js';
import type { Question } from '../../services/peer/core/messages.js';
import type { PeerDriver } from '../../services/peer/driver.js';
import { PeerFace } from '../../services/peer/face.js';
import { peerToWire } from '../../services/peer/wire.js';
import { loneDriver, pairedDriver } from './lone-driver.js';
import { peer } from './ring-text.js';

const faceOf = (driver: PeerDriver) =>
  new PeerFace(() => ({ driver, ringName: 'ours', ringSize: 64 }));

const callerOf = (changes: Partial<Caller> = {}): Caller => ({
  peer: undefined,
  ringName: '',
  expectedIncarnation: 0n,
  ...changes,
});

const PING: Question = { kind: 'ping' };
const SELF = { ringId: '20', incarnation: '1' };

describe('PeerFace.seat', () => {
  it('is there once the node has one', () => {
    const { driver } = loneDriver();
    expect(faceOf(driver).seat.ringSize).toBe(64);
  });

  it('is refused before', () => {
    const refusal = expect.objectContaining({ reason: 'PEER_NOT_MEMBER' }) as Error;
    expect(() => new PeerFace(() => undefined).seat).toThrow(refusal);
  });
});

describe('PeerFace.ask', () => {
  it.each([
    { title: 'nobody in particular', caller: undefined },
    { title: 'a caller that says nothing', caller: callerOf() },
    { title: 'a caller of the ring', caller: callerOf({ ringName: 'ours' }) },
    { title: 'a caller that means this life', caller: callerOf({ expectedIncarnation: 1n }) },
  ])('answers $title', async ({ caller }) => {
    const { driver } = loneDriver();
    const answer = await faceOf(driver).ask(caller, PING, 'alive');
    expect(answer.self).toEqual(peer(20));
  });

  it('tells the member who asks', async () => {
    const { driver } = await pairedDriver();
    const caller = callerOf({ peer: peerToWire(peer(30, 2)) });
    await faceOf(driver).ask(caller, PING, 'alive');
    expect(driver.state.successors).toEqual([]);
  });

  it('asks the guest that is meant, for as long as it is one', async () => {
    const { driver: own } = loneDriver();
    const { driver: guest } = loneDriver({ self: peer(40) });
    const face = faceOf(own);
    face.addGuest(guest);
    const ask = async (toRingId: bigint) => face.ask(callerOf({ toRingId }), PING, 'alive');
    expect((await ask(40n)).self).toEqual(peer(40));
    expect((await ask(20n)).self).toEqual(peer(20));
    await expect(ask(41n)).rejects.toMatchObject({ reason: 'PEER_NOT_MEMBER' });
    face.removeGuest(40);
    await expect(ask(40n)).rejects.toMatchObject({ reason: 'PEER_NOT_MEMBER' });
  });

  it('refuses before the node has a seat', async () => {
    const face = new PeerFace(() => undefined);
    await expect(face.ask(undefined, PING, 'alive')).rejects.toMatchObject({
      reason: 'PEER_NOT_MEMBER',
    });
  });

  it('refuses a caller of another ring', async () => {
    const asking = faceOf(loneDriver().driver).ask(callerOf({ ringName: 'theirs' }), PING, 'alive');
    await expect(asking).rejects.toMatchObject({
      reason: 'RING_MISMATCH',
      facts: { ringName: 'ours', meantRingName: 'theirs' },
    });
  });

  it('refuses a caller that means another life', async () => {
    const caller = callerOf({ expectedIncarnation: 2n });
    const asking = faceOf(loneDriver().driver).ask(caller, PING, 'alive');
    await expect(asking).rejects.toMatchObject({ reason: 'INCARNATION_STALE', facts: SELF });
  });

  it.each([
    {
      title: 'at a position beyond the ring',
      wire: peerToWire(peer(64)),
      reason: 'RING_ID_OUT_OF_RANGE',
    },
    {
      title: 'in a life beyond all numbers',
      wire: { ...peerToWire(peer(1)), incarnation: 2n ** 53n },
      reason: 'REQUEST_INVALID',
    },
  ])('refuses a caller $title', async ({ wire, reason }) => {
    const asking = faceOf(loneDriver().driver).ask(callerOf({ peer: wire }), PING, 'alive');
    await expect(asking).rejects.toMatchObject({ reason });
  });

  it('refuses questions about the ring while its peer is in none', async () => {
    const asking = faceOf(loneDriver().driver).ask(undefined, { kind: 'neighbors' }, 'neighbors');
    await expect(asking).rejects.toMatchObject({ reason: 'PEER_NOT_MEMBER', facts: SELF });
  });

  it('refuses a letter for which its inbox has no room', async () => {
    const { driver } = await pairedDriver({ deliver: () => 'inbox-full' });
    const letter = { messageId: 'm', fromRingId: 1, payload: Buffer.of(), path: [] };
    const asking = faceOf(driver).ask(undefined, { kind: 'deliver', letter }, 'delivered');
    await expect(asking).rejects.toMatchObject({ reason: 'INBOX_FULL', facts: SELF });
  });

  it('refuses for a moment while its peer is busy', async () => {
    const { driver, links } = await pairedDriver({ limits: { heldMax: 0 } });
    links.isHolding = true;
    await driver.asked(undefined, 0, { kind: 'nudge' });
    const asking = faceOf(driver).ask(undefined, { kind: 'neighbors' }, 'neighbors');
    await expect(asking).rejects.toMatchObject({
      reason: 'PEER_BUSY',
      facts: SELF,
      retryAfterMs: 100,
    });
  });

  it('takes any of several answers that are expected', async () => {
    const { driver } = await pairedDriver();
    const face = faceOf(driver);
    const find = async (position: number) =>
      face.ask(undefined, { kind: 'find-successor', position, avoided: [] }, 'owner', 'next-hop');
    expect(await find(25)).toEqual({ kind: 'owner', peer: peer(30) });
    expect(await find(15)).toEqual({ kind: 'owner', peer: peer(20) });
  });
});
