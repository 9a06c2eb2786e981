/** Randomness, as something that is handed in: the system's in a node, a seeded one in tests. */

export interface Chance {
  /** A number in `[0, 1)`. */
  unit(): number;
}

export const systemChance: Chance = { unit: () => Math.random() };

/** The same numbers for the same seed on every machine (mulberry32, 32 bits of state). */
export function seededChance(seed: number): Chance {
  let state = seed >>> 0;
  return {
    unit: () => {
      state = (state + 0x6d2b79f5) >>> 0;
      let mixed = Math.imul(state ^ (state >>> 15), state | 1);
      mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
      return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
    },
  };
}

/** An integer in `[0, count)`. */
export function below(chance: Chance, count: number): number {
  return Math.floor(chance.unit() * count);
}

/** One of these, each equally likely; undefined when there are none. */
export function oneOf<Item>(chance: Chance, items: readonly Item[]): Item | undefined {
  return items[below(chance, items.length)];
}
