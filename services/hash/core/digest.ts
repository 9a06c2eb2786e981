/**
 * Positions from SHA-256: the first 8 bytes of the digest of the UTF-8 bytes, read big-endian,
 * modulo the ring size.
 *
 * Any language computes the same numbers offline; `test/vectors/hash-key.json` has examples. The
 * bias of the modulo is below 2^-11 even for the largest ring, 2^53. The one core file that imports
 * a `node:` module, because a digest is a function of its input.
 */
import { hash } from 'node:crypto';

/** Name of the computation with its version, as `HashService.HashKey` answers it. */
export const HASH_ALGORITHM = 'sha256-64be-mod';

/**
 * Returns the position of a key, an integer in `[0, ringSize)`. Assumes an integer ring size from
 * 1 to 2^53, so that every position is a safe integer; refuses nothing, not even the empty key.
 */
export function positionOfKey(key: string, ringSize: number): number {
  return positionOf(key, ringSize);
}

/**
 * Returns the ring ID that an address gets when it is free: the same function as `positionOfKey`,
 * of the address.
 */
export function firstChoice(address: string, ringSize: number): number {
  return positionOf(address, ringSize);
}

function positionOf(text: string, ringSize: number): number {
  const digits = hash('sha256', text, 'hex').slice(0, 16);
  return Number(BigInt(`0x${digits}`) % BigInt(ringSize));
}

/** The first 8 bytes of the SHA-256 of a text, as two numbers of 32 bits. */
export function digest64(text: string): { readonly high: number; readonly low: number } {
  const digest = hash('sha256', text, 'buffer');
  return { high: digest.readUInt32BE(0), low: digest.readUInt32BE(4) };
}
