/**
 * A sorted set of strings in chunks, so that adding one moves a chunk and not the whole set.
 */

/** A chunk of twice this length is cut in two. */
const CHUNK_LENGTH = 512;

export class SortedKeys {
  /** Each sorted and not empty, and all of one less than all of the next. */
  #chunks: string[][] = [];

  /** Adds a key, which must not be in the set. */
  add(key: string): void {
    const index = Math.max(this.#chunkIndexOf(key), 0);
    const chunk = this.#chunks[index];
    if (chunk === undefined) {
      this.#chunks.push([key]);
      return;
    }
    chunk.splice(
      firstIndex(chunk, (other) => other >= key),
      0,
      key,
    );
    if (chunk.length >= 2 * CHUNK_LENGTH) {
      this.#chunks.splice(index + 1, 0, chunk.splice(CHUNK_LENGTH));
    }
  }

  /** Removes a key; does nothing when it is not in the set. */
  delete(key: string): void {
    const index = this.#chunkIndexOf(key);
    const chunk = this.#chunks[index];
    if (chunk === undefined) return;
    const at = firstIndex(chunk, (other) => other >= key);
    if (chunk[at] === key) chunk.splice(at, 1);
    if (chunk.length === 0) this.#chunks.splice(index, 1);
  }

  /** Yields the keys at and behind a bound, in order. The set must not change meanwhile. */
  *from(bound: string): Generator<string> {
    const start = Math.max(this.#chunkIndexOf(bound), 0);
    for (let index = start; index < this.#chunks.length; index += 1) {
      const chunk = this.#chunks[index] ?? [];
      const at = index === start ? firstIndex(chunk, (key) => key >= bound) : 0;
      for (let position = at; position < chunk.length; position += 1) {
        yield chunk[position] ?? '';
      }
    }
  }

  clear(): void {
    this.#chunks = [];
  }

  /** Index of the last chunk that begins at or before a key, or -1. */
  #chunkIndexOf(key: string): number {
    return firstIndex(this.#chunks, ([first]) => first !== undefined && first > key) - 1;
  }
}

/** Index of the first element that is behind; elements that are not come first. */
function firstIndex<T>(sorted: readonly T[], isBehind: (element: T) => boolean): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const element = sorted[middle];
    if (element !== undefined && isBehind(element)) high = middle;
    else low = middle + 1;
  }
  return low;
}
