/**
 * A digest of all endpoints, in parts: two binders with the same digest have the same endpoints, and
 * where parts differ, so do endpoints of those parts.
 *
 * Each part is the exclusive or of the 52-bit hashes of the keys and stamps in it, so an endpoint
 * that changes costs two additions. Made against accidents, not against malice.
 */
import type { EndpointKey } from './endpoint.js';
import type { Stamp } from './stamps.js';

export const PARTS = 256;

export class Digest {
  readonly #high = new Uint32Array(PARTS);
  readonly #low = new Uint32Array(PARTS);
  #rootHigh = 0;
  #rootLow = 0;

  /** Takes an endpoint in that is not in, or out that is. */
  toggle(key: EndpointKey, stamp: Stamp): void {
    const part = partOf(key);
    const text = `${key}\n${stamp}`;
    const high = hash(text, 0x811c_9dc5);
    const low = hash(text, 0x01f3_5a97);
    this.#high[part] = ((this.#high[part] ?? 0) ^ high) >>> 0;
    this.#low[part] = ((this.#low[part] ?? 0) ^ low) >>> 0;
    this.#rootHigh = (this.#rootHigh ^ high) >>> 0;
    this.#rootLow = (this.#rootLow ^ low) >>> 0;
  }

  /** Of all parts together. */
  get root(): string {
    return `${this.#rootHigh.toString(16)}-${this.#rootLow.toString(16)}`;
  }

  get parts(): readonly string[] {
    return Array.from(
      this.#high,
      (high, part) => `${high.toString(16)}-${(this.#low[part] ?? 0).toString(16)}`,
    );
  }
}

/** Which part an endpoint is in. */
export function partOf(key: EndpointKey): number {
  return hash(key, 0x5bd1_e995) % PARTS;
}

/** FNV-1a (Fowler, Noll, Vo) over the code units, with a final mix. */
function hash(text: string, seed: number): number {
  let value = seed;
  for (let index = 0; index < text.length; index += 1) {
    value = Math.imul(value ^ text.charCodeAt(index), 0x0100_0193);
  }
  value = Math.imul(value ^ (value >>> 15), 0x85eb_ca6b);
  return (value ^ (value >>> 13)) >>> 0;
}
