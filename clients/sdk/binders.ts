/** Several binders, any of which answers: each knows all endpoints. */
import { AnyNode } from './any-node.js';
import { BinderApi } from './binder.js';
import type { ConnectOptions } from './channel.js';

/** Asks one of several binders, picked at random, and the next one when that is lost. */
export class Binders extends BinderApi {
  readonly #nodes: AnyNode;

  /** Connects at the first call; binders that are down make calls fail, not this. */
  constructor(addresses: readonly string[], options: ConnectOptions = {}) {
    const nodes = new AnyNode(addresses, options);
    super(nodes);
    this.#nodes = nodes;
  }

  /** The binder that is asked next. */
  get address(): string {
    return this.#nodes.address;
  }

  close(): void {
    this.#nodes.close();
  }
}
