/** The addresses that a service can be called at, kept up to date by the events of a watch. */
import type { Endpoint, ServiceEvent } from '../binder-messages.js';
import { chanceBelow } from '../timing.js';

export class HealthyEndpoints {
  readonly #service: string;
  readonly #registered = new Set<string>();
  #healthy: string[] = [];

  constructor(service: string) {
    this.#service = service;
  }

  /**
   * In an order that is random, so that not every client prefers the same one, and that stays: who
   * comes later is put in somewhere.
   */
  get addresses(): readonly string[] {
    return this.#healthy;
  }

  /** Why there is no address. */
  get emptiness(): string {
    return this.#registered.size === 0
      ? `nobody has registered for service ${this.#service}`
      : `no endpoint of service ${this.#service} is healthy, of ${this.#registered.size} registered`;
  }

  apply(event: ServiceEvent): void {
    switch (event.kind) {
      case 'snapshot':
        this.#replace(event.endpoints);
        break;
      case 'added':
      case 'changed':
        this.#put(event.endpoint);
        break;
      case 'removed':
        this.#registered.delete(event.endpoint.address);
        this.#drop(event.endpoint.address);
        break;
    }
  }

  #replace(endpoints: readonly Endpoint[]): void {
    const all = new Set(endpoints.map(({ address }) => address));
    for (const address of this.#registered) if (!all.has(address)) this.#drop(address);
    this.#registered.clear();
    for (const endpoint of endpoints) this.#put(endpoint);
  }

  #put({ address, health }: Endpoint): void {
    this.#registered.add(address);
    if (health !== 'healthy') this.#drop(address);
    else if (!this.#healthy.includes(address)) {
      this.#healthy.splice(chanceBelow(this.#healthy.length + 1), 0, address);
    }
  }

  #drop(address: string): void {
    this.#healthy = this.#healthy.filter((known) => known !== address);
  }
}
