/** Ring IDs on the wire: uint64 there, safe integers below the ring size here. */
import { RingbinderError } from '../errors.js';

/** Refuses positions that are not on the ring with `RING_ID_OUT_OF_RANGE`. */
export function ringIdFromWire(wire: bigint, ringSize: number): number {
  if (wire < BigInt(ringSize)) return Number(wire);
  const facts = { ringId: String(wire), ringSize: String(ringSize) };
  const text = `ring ID ${String(wire)} is not below the ring size, ${ringSize}`;
  throw new RingbinderError('RING_ID_OUT_OF_RANGE', text, facts);
}
