import { describe, expect, it } from 'vitest';
import { NodeServiceService } from '../../proto/gen/ringbinder/internal/v1/node_service.js';
import { PeerServiceService } from '../../proto/gen/ringbinder/v1/peer_service.js';
import {
  aliveToWire,
  callerToWire,
  hopToWire,
  letterToWire,
  neighborsToWire,
  peerToWire,
} from '../../services/peer/wire.js';
import { answerBytes, questionBytes } from '../../services/simulator/traffic.js';

const RING = 'ring-0123456789ab';
const peer = (ringId: number, address: string, incarnation: number) => ({
  ringId,
  address,
  incarnation,
});
const one = peer(1_234_567, 'p1', 1_000);
const other = peer(2_000_000_000, 'p12345', 0);
const third = peer(0, 'p3', 300);
const caller = callerToWire(one, RING, other);
const framed = (bytes: Buffer) => bytes.length + 5;

describe('questionBytes', () => {
  it('counts what the generated encoders make', () => {
    const avoided = [one, third];
    expect(questionBytes({ kind: 'find-successor', position: 77_777, avoided }, one, other)).toBe(
      framed(
        PeerServiceService.findSuccessor.requestSerialize({
          ringId: 77_777n,
          avoidedPeers: avoided.map(peerToWire),
          alternatesMax: 0,
          caller,
        }),
      ),
    );
    const forwarded = { position: 77_777, avoided, hopsMax: 32, budgetMs: 6_000 };
    expect(questionBytes({ kind: 'forward-lookup', ...forwarded }, one, other)).toBe(
      framed(
        NodeServiceService.forwardLookup.requestSerialize({
          ringId: 77_777n,
          avoidedPeers: avoided.map(peerToWire),
          hopsMax: 32,
          caller,
        }),
      ),
    );
    expect(questionBytes({ kind: 'notify', candidate: third }, one, other)).toBe(
      framed(PeerServiceService.notify.requestSerialize({ candidate: peerToWire(third), caller })),
    );
    expect(questionBytes({ kind: 'ping' }, one, other)).toBe(
      framed(PeerServiceService.ping.requestSerialize({ caller })),
    );
    const letter = {
      messageId: 'letter',
      fromRingId: 5,
      payload: Buffer.from('hello'),
      path: [one, other],
    };
    expect(questionBytes({ kind: 'deliver', letter }, one, other)).toBe(
      framed(
        NodeServiceService.deliverMessage.requestSerialize({
          message: letterToWire(letter),
          caller,
        }),
      ),
    );
  });
});

describe('answerBytes', () => {
  it('counts what the generated encoders make', () => {
    const place = { self: one, predecessor: other, successors: [third, other] };
    expect(answerBytes({ kind: 'neighbors', ...place })).toBe(
      framed(PeerServiceService.getNeighbors.responseSerialize(neighborsToWire(place))),
    );
    const alive = { self: one, predecessor: undefined, stage: 'member' } as const;
    expect(answerBytes({ kind: 'alive', ...alive })).toBe(
      framed(PeerServiceService.ping.responseSerialize(aliveToWire(alive))),
    );
    expect(answerBytes({ kind: 'owner', peer: other, alternates: [one] })).toBe(
      framed(
        PeerServiceService.findSuccessor.responseSerialize({
          answer: { $case: 'owner', value: peerToWire(other) },
          alternates: [peerToWire(one)],
        }),
      ),
    );
    const hops = [
      { peer: one, elapsedMs: 0 },
      { peer: third, elapsedMs: 1_234.5 },
    ];
    expect(answerBytes({ kind: 'found', owner: third, hops })).toBe(
      framed(
        NodeServiceService.forwardLookup.responseSerialize({
          owner: peerToWire(third),
          hops: hops.map(hopToWire),
        }),
      ),
    );
    expect(answerBytes({ kind: 'noted' })).toBe(5);
  });
});
