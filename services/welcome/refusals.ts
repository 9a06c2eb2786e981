/**
 * What WelcomeService refuses, in words. Every value in a text is in the facts too.
 */
import { RingbinderError } from '../errors.js';
import type { PeerRef, RingId } from '../peer/core/ring-space.js';

/** Another address is a member with the ring ID, or has it assigned. */
export function ringIdTaken(ringId: RingId, holderAddress: string): RingbinderError {
  const facts = { ringId: ringId.toString(), holderAddress };
  const text = `ring ID ${ringId} belongs to ${holderAddress}; HashService.AssignRingId gives another`;
  return new RingbinderError('RING_ID_TAKEN', text, facts);
}

/** Nobody has the ring ID, but the address has another, and one is all it may have. */
export function otherRingIdAssigned(
  { ringId, address }: PeerRef,
  assignedRingId: RingId,
): RingbinderError {
  const facts = {
    ringId: ringId.toString(),
    address,
    assignedRingId: assignedRingId.toString(),
  };
  const text = `${address} has the ring ID ${assignedRingId}, not ${ringId}; join with that one`;
  return new RingbinderError('RING_ID_UNASSIGNED', text, facts);
}

export function incarnationStale(peer: PeerRef, holder: PeerRef): RingbinderError {
  const facts = {
    ringId: peer.ringId.toString(),
    incarnation: peer.incarnation.toString(),
    currentIncarnation: holder.incarnation.toString(),
  };
  const text = `incarnation ${facts.incarnation} of peer ${facts.ringId} is over; it is a member in incarnation ${facts.currentIncarnation}`;
  return new RingbinderError('INCARNATION_STALE', text, facts);
}

export function peerNotMember(ringId: RingId): RingbinderError {
  const text = `no peer with ring ID ${ringId} is a member; it joins first`;
  const facts = { ringId: ringId.toString() };
  return new RingbinderError('PEER_NOT_MEMBER', text, facts, { status: 'NOT_FOUND' });
}

export function ringForming(retryAfterMs: number): RingbinderError {
  const text = `the ring is still taking in another peer; try again in ${retryAfterMs} ms`;
  const facts = { retryAfterMs: retryAfterMs.toString() };
  return new RingbinderError('RING_FORMING', text, facts, { retryAfterMs });
}
