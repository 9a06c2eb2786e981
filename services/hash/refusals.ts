/**
 * What HashService refuses, in words. Every value in a text is in the facts too.
 */
import { RingbinderError } from '../errors.js';

/** An address is cut here, in code points: errors travel in HTTP/2 headers. */
const SHOWN_LENGTH_MAX = 200;

export function addressUnknown(address: string): RingbinderError {
  const codePoints = Array.from(address);
  const isLong = codePoints.length > SHOWN_LENGTH_MAX;
  const shown = isLong ? `${codePoints.slice(0, SHOWN_LENGTH_MAX).join('')}…` : address;
  const text = `${shown} has no ring ID; assign one`;
  return new RingbinderError('ADDRESS_UNKNOWN', text, { address: shown });
}

export function ringIdUnassigned(ringId: number): RingbinderError {
  const text = `ring ID ${ringId} is not assigned to an address`;
  return new RingbinderError('RING_ID_UNASSIGNED', text, { ringId: ringId.toString() });
}

export function ringIdOutOfRange(ringId: number, ringSize: number): RingbinderError {
  const facts = { ringId: ringId.toString(), ringSize: ringSize.toString() };
  const text = `ring ID ${facts.ringId} is not below the ring size ${facts.ringSize}`;
  return new RingbinderError('RING_ID_OUT_OF_RANGE', text, facts);
}

export function ringIdInUse(ringId: number): RingbinderError {
  const text = `the peer with ring ID ${ringId} is a member of the ring; it must leave first`;
  return new RingbinderError('RING_ID_IN_USE', text, { ringId: ringId.toString() });
}

export function ringFull(ringSize: number): RingbinderError {
  const text = `all positions of the ring are taken, ${ringSize} of them; release a ring ID`;
  return new RingbinderError('RING_FULL', text, { ringSize: ringSize.toString() });
}
