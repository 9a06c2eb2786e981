/** Who is meant by an address or a ring ID, as the other end of a stream. */
import type { DescribeNodeResponse } from '../../../proto/gen/ringbinder/internal/v1/node_service.js';
import { RingbinderError } from '../../errors.js';
import { isPairAddress, pairPeer, parsePairAddress } from '../../legacy/pair/address.js';
import { ringIdFromWire } from '../../rpc/wire-ring-id.js';
import type { PeerApplication } from '../application.js';
import { isGuest, type PeerRef } from '../core/ring-space.js';
import type { PeerFace } from '../face.js';
import { peerFromWire } from '../wire.js';
import type { StreamTarget } from './handler.js';

export type StreamTargetsDeps = {
  readonly face: PeerFace;
  readonly application: PeerApplication;
  /** Asks a node what it is; rejects when it does not answer. */
  readonly describe: (address: string) => Promise<DescribeNodeResponse>;
};

/** Throws `PEER_NOT_FOUND`, `PEER_UNREACHABLE`, `LOOKUP_FAILED` or `RING_ID_OUT_OF_RANGE`. */
export async function findTarget(
  target: StreamTarget,
  { face, application, describe }: StreamTargetsDeps,
): Promise<PeerRef> {
  const { driver, ringName, ringSize } = face.seat;
  const { self } = driver.state;
  if (target.$case === 'toRingId') {
    const ringId = ringIdFromWire(target.value, ringSize);
    if (ringId === self.ringId) return self;
    const { owner } = await application.lookup(ringId);
    if (owner.ringId !== ringId || isGuest(owner)) throw notFound({ toRingId: String(ringId) });
    return owner;
  }
  const address = target.value;
  if (isPairAddress(address)) return rawTarget(address);
  if (address === self.address) return self;
  const found = await describe(address).catch((thrown: unknown) => {
    throw unreachable(address, thrown);
  });
  if (found.self === undefined || found.ringName !== ringName) throw notFound({ address });
  return peerFromWire(found.self, ringSize);
}

/** A program in no ring: it is dialled to see whether it is there. */
function rawTarget(address: string): PeerRef {
  const where = parsePairAddress(address);
  if (where !== undefined) return pairPeer(where);
  const violations = [{ field: 'open.to_address', description: 'must be pair://host:port' }];
  const text = `${address} has no host and port`;
  throw new RingbinderError('REQUEST_INVALID', text, { address }, { violations });
}

function notFound(facts: Readonly<Record<string, string>>): RingbinderError {
  const [who = ''] = Object.values(facts);
  return new RingbinderError('PEER_NOT_FOUND', `no peer of this ring is ${who}`, facts);
}

function unreachable(address: string, cause: unknown): RingbinderError {
  const text = `${address} does not answer`;
  return new RingbinderError('PEER_UNREACHABLE', text, { address }, { cause, retryAfterMs: 1_000 });
}
