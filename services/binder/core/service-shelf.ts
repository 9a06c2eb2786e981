/** The endpoints of one service, as they are now: in order, in rotation, and counted. */
import { SortedKeys } from '../../dht/core/sorted-keys.js';
import type { Endpoint } from './endpoint.js';
import { Rotation } from './rotation.js';

export class ServiceShelf {
  readonly #live = new Map<string, Endpoint>();
  readonly #addresses = new SortedKeys();
  readonly #rotation = new Rotation();
  #isRotationStale = false;
  #heldCount = 0;
  #healthyCount = 0;

  get size(): number {
    return this.#live.size;
  }

  get healthyCount(): number {
    return this.#healthyCount;
  }

  /** Those that stay only because of protection mode. */
  get heldCount(): number {
    return this.#heldCount;
  }

  /** Puts the state of an address in place of the one before; undefined takes it away. */
  set(address: string, endpoint: Endpoint | undefined): void {
    const previous = this.#live.get(address);
    this.#count(previous, -1);
    this.#count(endpoint, 1);
    if (endpoint === undefined) {
      if (previous !== undefined) this.#addresses.delete(address);
      this.#live.delete(address);
    } else {
      if (previous === undefined) this.#addresses.add(address);
      this.#live.set(address, endpoint);
    }
    if (isHealthy(previous) || isHealthy(endpoint)) this.#isRotationStale = true;
  }

  /** The healthy endpoint whose turn it is. */
  next(): Endpoint | undefined {
    if (this.#isRotationStale) {
      this.#rotation.replace([...this.from('')].filter(isHealthy));
      this.#isRotationStale = false;
    }
    return this.#rotation.next();
  }

  /** Those at and behind an address, in the order of their addresses. Must not change meanwhile. */
  *from(address: string): Generator<Endpoint> {
    for (const each of this.#addresses.from(address)) {
      const endpoint = this.#live.get(each);
      if (endpoint !== undefined) yield endpoint;
    }
  }

  #count(endpoint: Endpoint | undefined, change: 1 | -1): void {
    if (isHealthy(endpoint)) this.#healthyCount += change;
    if (endpoint?.held !== undefined) this.#heldCount += change;
  }
}

function isHealthy(endpoint: Endpoint | undefined): boolean {
  return endpoint?.health === 'healthy';
}
