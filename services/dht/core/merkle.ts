/**
 * A hash tree over the positions of the ring (Merkle, 1987), so that two peers find out with few
 * questions where their copies differ.
 *
 * Every level cuts the ring into sixteen times as many equal parts, down to `LEAVES` of them. The
 * digest of a part is the exclusive or of the hashes of its records, 64 bits of SHA-256 over what a
 * record is about and its version: it does not depend on order, and one record more or less changes it
 * in one step per level. Beside it stands how many records the part has.
 */
import { digest64 } from '../../hash/core/digest.js';
import type { RingId } from '../../peer/core/ring-space.js';
import { idText, type RecordId } from './record.js';
import type { Span } from './span.js';
import { versionText, type Version } from './version.js';

export const FANOUT = 16;
/** Level of the leaves; the root is level 0. */
export const LEAF_LEVEL = 4;
const LEAVES = FANOUT ** LEAF_LEVEL;

/** One part of the ring: `index` counts the parts of its level clockwise from position 0. */
export type TreePart = { readonly level: number; readonly index: number };

export type PartDigest = { readonly count: number; readonly high: number; readonly low: number };

type Hashed = RecordId & { readonly position: RingId; readonly version: Version };

type Level = {
  readonly counts: Uint32Array;
  readonly highs: Uint32Array;
  readonly lows: Uint32Array;
};

export class MerkleTree {
  readonly #leafSize: number;
  readonly #ringSize: number;
  readonly #levels: readonly Level[];

  constructor(ringSize: number) {
    this.#ringSize = ringSize;
    this.#leafSize = Math.ceil(ringSize / LEAVES);
    this.#levels = Array.from({ length: LEAF_LEVEL + 1 }, (_, level) => newLevel(FANOUT ** level));
  }

  add(record: Hashed): void {
    this.#toggle(record, 1);
  }

  /** Takes out a record that was added, in the same version. */
  remove(record: Hashed): void {
    this.#toggle(record, -1);
  }

  digestOf({ level, index }: TreePart): PartDigest {
    const { counts, highs, lows } = this.#levels[level] ?? NO_LEVEL;
    return { count: counts[index] ?? 0, high: highs[index] ?? 0, low: lows[index] ?? 0 };
  }

  /** The positions of a part; undefined when a small ring has none there. */
  spanOf({ level, index }: TreePart): Span | undefined {
    const size = this.#leafSize * FANOUT ** (LEAF_LEVEL - level);
    const first = index * size;
    if (first >= this.#ringSize) return undefined;
    return { first, last: Math.min(first + size, this.#ringSize) - 1 };
  }

  /** The largest parts that lie within a span, and what is left of it at both ends. */
  partsOf(span: Span): { readonly parts: readonly TreePart[]; readonly ends: readonly Span[] } {
    const parts: TreePart[] = [];
    const ends: Span[] = [];
    const visit = (part: TreePart): void => {
      const own = this.spanOf(part);
      if (own === undefined || own.last < span.first || own.first > span.last) return;
      if (own.first >= span.first && own.last <= span.last) parts.push(part);
      else if (part.level === LEAF_LEVEL) ends.push(clip(own, span));
      else for (const child of childrenOf(part)) visit(child);
    };
    visit({ level: 0, index: 0 });
    return { parts, ends };
  }

  #toggle(record: Hashed, difference: 1 | -1): void {
    const { high, low } = digest64(`${idText(record)}\n${versionText(record.version)}`);
    let index = (record.position - (record.position % this.#leafSize)) / this.#leafSize;
    for (let level = LEAF_LEVEL; level >= 0; level -= 1) {
      const { counts, highs, lows } = this.#levels[level] ?? NO_LEVEL;
      counts[index] = (counts[index] ?? 0) + difference;
      highs[index] = (highs[index] ?? 0) ^ high;
      lows[index] = (lows[index] ?? 0) ^ low;
      index = Math.floor(index / FANOUT);
    }
  }
}

export function childrenOf({ level, index }: TreePart): readonly TreePart[] {
  return Array.from({ length: FANOUT }, (_, child) => ({
    level: level + 1,
    index: index * FANOUT + child,
  }));
}

export function isSameDigest(one: PartDigest, other: PartDigest): boolean {
  return one.count === other.count && one.high === other.high && one.low === other.low;
}

const NO_LEVEL = newLevel(0);

function newLevel(parts: number): Level {
  return {
    counts: new Uint32Array(parts),
    highs: new Uint32Array(parts),
    lows: new Uint32Array(parts),
  };
}

function clip(span: Span, within: Span): Span {
  return {
    first: Math.max(span.first, within.first),
    last: Math.min(span.last, within.last),
  };
}
