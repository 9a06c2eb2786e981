/**
 * Strict cyclic rotation over the healthy endpoints of one service.
 *
 * Each turn goes to the first address behind that of the turn before, and behind the last address
 * comes the first. So of endpoints that stay, each has as many turns as any other, give or take one,
 * whoever else comes and goes.
 */
import type { Endpoint } from './endpoint.js';

export class Rotation {
  /** In the order of their addresses. */
  #healthy: readonly Endpoint[] = [];
  #nextIndex = 0;
  #lastAddress = '';

  get size(): number {
    return this.#healthy.length;
  }

  /** Goes on with these, in the order of their addresses. */
  replace(healthy: readonly Endpoint[]): void {
    this.#healthy = healthy;
    const behind = healthy.findIndex(
      ({ registration }) => registration.address > this.#lastAddress,
    );
    this.#nextIndex = Math.max(behind, 0);
  }

  /** The endpoint whose turn it is; undefined when none is healthy. */
  next(): Endpoint | undefined {
    const endpoint = this.#healthy[this.#nextIndex];
    if (endpoint === undefined) return undefined;
    this.#nextIndex = (this.#nextIndex + 1) % this.#healthy.length;
    this.#lastAddress = endpoint.registration.address;
    return endpoint;
  }
}
