import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PeerStage } from '../../proto/gen/ringbinder/v1/peer_service.js';
import { Peer } from '../../proto/gen/ringbinder/v1/ring.js';
import type { PeerRef } from '../../services/peer/core/ring-space.js';
import {
  aliveFromWire,
  aliveToWire,
  callerToWire,
  hopToWire,
  letterFromWire,
  letterToWire,
  neighborsFromWire,
  neighborsToWire,
  optionalPeerFromWire,
  optionalPeerToWire,
  peerFromWire,
  peerToWire,
  requiredPeer,
  stageFromWire,
  stageToWire,
} from '../../services/peer/wire.js';
import { peer, peers } from './ring-text.js';

const LARGEST_RING = 2 ** 53;
const LARGEST = Number.MAX_SAFE_INTEGER;

const anyPeer: fc.Arbitrary<PeerRef> = fc.record(
  {
    ringId: fc.maxSafeNat(),
    address: fc.string(),
    incarnation: fc.maxSafeNat(),
    host: fc.string(),
  },
  { requiredKeys: ['ringId', 'address', 'incarnation'] },
);

const wirePeer = (ringId: bigint, incarnation = 1n): Peer => ({
  ringId,
  address: 'a',
  incarnation,
});

describe('peerFromWire', () => {
  it('is what peerToWire made', () => {
    fc.assert(
      fc.property(anyPeer, (some) => {
        const sent = Peer.decode(Peer.encode(peerToWire(some)).finish());
        expect(peerFromWire(sent, LARGEST_RING)).toEqual(some);
      }),
    );
  });

  it.each([
    { title: 'the last position', ringId: 63n, size: 64 },
    { title: 'the last position of the largest ring', ringId: BigInt(LARGEST), size: LARGEST_RING },
  ])('takes $title', ({ ringId, size }) => {
    expect(peerFromWire(wirePeer(ringId), size).ringId).toBe(Number(ringId));
  });

  it.each([
    { title: 'the first position beyond', ringId: 64n, size: 64 },
    { title: 'the largest number', ringId: 2n ** 64n - 1n, size: LARGEST_RING },
  ])('refuses $title', ({ ringId, size }) => {
    const facts = { ringId: String(ringId), ringSize: String(size) };
    const refusal = expect.objectContaining({ reason: 'RING_ID_OUT_OF_RANGE', facts }) as Error;
    expect(() => peerFromWire(wirePeer(ringId), size)).toThrow(refusal);
  });

  it('takes the largest incarnation, and refuses the next', () => {
    expect(peerFromWire(wirePeer(1n, BigInt(LARGEST)), 64).incarnation).toBe(LARGEST);
    const violations = [expect.objectContaining({ field: 'incarnation' })];
    const refusal = expect.objectContaining({ reason: 'REQUEST_INVALID', violations }) as Error;
    expect(() => peerFromWire(wirePeer(1n, BigInt(LARGEST) + 1n), 64)).toThrow(refusal);
  });
});

describe('optionalPeerFromWire', () => {
  it('is what optionalPeerToWire made', () => {
    expect(optionalPeerFromWire(optionalPeerToWire(peer(7)), 64)).toEqual(peer(7));
    expect(optionalPeerToWire(undefined)).toBeUndefined();
    expect(optionalPeerFromWire(undefined, 64)).toBeUndefined();
  });
});

describe('requiredPeer', () => {
  it('is a peer of zeros where there is none', () => {
    const wire = wirePeer(7n);
    expect(requiredPeer(wire)).toBe(wire);
    expect(peerFromWire(requiredPeer(undefined), 64)).toEqual({
      ringId: 0,
      address: '',
      incarnation: 0,
    });
  });
});

describe('neighborsFromWire', () => {
  it.each([
    {
      title: 'a member',
      neighbors: { self: peer(20, 3), predecessor: peer(10), successors: peers(30, 40) },
    },
    {
      title: 'a peer that is alone',
      neighbors: { self: peer(20), predecessor: undefined, successors: [] },
    },
  ])('is what neighborsToWire made of $title', ({ neighbors }) => {
    const wire = neighborsToWire(neighbors);
    expect(wire.incarnation).toBe(BigInt(neighbors.self.incarnation));
    expect(neighborsFromWire(wire, 64)).toEqual(neighbors);
  });

  it('refuses positions beyond the ring, wherever they stand', () => {
    const good = { self: peer(20), predecessor: peer(10), successors: peers(30, 40) };
    const refusal = expect.objectContaining({ reason: 'RING_ID_OUT_OF_RANGE' }) as Error;
    const bad = [{ self: peer(64) }, { predecessor: peer(64) }, { successors: peers(30, 64) }];
    for (const part of bad) {
      const wire = neighborsToWire({ ...good, ...part });
      expect(() => neighborsFromWire(wire, 64)).toThrow(refusal);
    }
  });
});

describe('stageToWire', () => {
  it.each([
    { stage: 'outside', wire: PeerStage.PEER_STAGE_JOINING },
    { stage: 'joining', wire: PeerStage.PEER_STAGE_JOINING },
    { stage: 'member', wire: PeerStage.PEER_STAGE_MEMBER },
    { stage: 'left', wire: PeerStage.PEER_STAGE_LEFT },
  ] as const)('names $stage', ({ stage, wire }) => {
    expect(stageToWire(stage)).toBe(wire);
  });
});

describe('stageFromWire', () => {
  it.each([
    { title: 'a member', wire: PeerStage.PEER_STAGE_MEMBER, stage: 'member' },
    { title: 'a joiner', wire: PeerStage.PEER_STAGE_JOINING, stage: 'outside' },
    { title: 'one that left', wire: PeerStage.PEER_STAGE_LEFT, stage: 'outside' },
    { title: 'nothing said', wire: PeerStage.PEER_STAGE_UNSPECIFIED, stage: 'outside' },
    { title: 'a stage of a later version', wire: 99 as PeerStage, stage: 'outside' },
  ])('takes $title for $stage', ({ wire, stage }) => {
    expect(stageFromWire(wire)).toBe(stage);
  });
});

describe('aliveFromWire', () => {
  it.each([peer(10, 2), undefined])('is what aliveToWire made', (predecessor) => {
    const alive = { self: peer(20, 3), predecessor, stage: 'member' } as const;
    const wire = aliveToWire(alive);
    expect(wire.incarnation).toBe(3n);
    expect(aliveFromWire(wire, 64)).toEqual(alive);
  });
});

describe('callerToWire', () => {
  it('names who asks, in which ring, and which life of which peer is meant', () => {
    expect(callerToWire(peer(20, 3), 'ring', peer(30, 5))).toEqual({
      peer: peerToWire(peer(20, 3)),
      ringName: 'ring',
      expectedIncarnation: 5n,
      toRingId: 30n,
    });
  });
});

describe('letterFromWire', () => {
  const letter = {
    messageId: 'm',
    fromRingId: 20,
    payload: Buffer.of(0, 255),
    path: peers(20, 30),
  };

  it('is what letterToWire made', () => {
    expect(letterFromWire(letterToWire(letter), 64)).toEqual(letter);
  });

  it.each([
    { title: 'its sender', part: { fromRingId: 64n } },
    { title: 'its path', part: { path: [wirePeer(64n)] } },
  ])('refuses a position beyond the ring in $title', ({ part }) => {
    const refusal = expect.objectContaining({ reason: 'RING_ID_OUT_OF_RANGE' }) as Error;
    expect(() => letterFromWire({ ...letterToWire(letter), ...part }, 64)).toThrow(refusal);
  });
});

describe('hopToWire', () => {
  it('says who answered and how long that took', () => {
    expect(hopToWire({ peer: peer(30), elapsedMs: 1_500.25 })).toEqual({
      peer: peerToWire(peer(30)),
      latency: { seconds: 1n, nanos: 500_250_000 },
    });
  });
});
