/**
 * All endpoints that a binder knows: those that live, by key, ID and service, and for a while those
 * that were removed, so that nobody brings them back and everybody can ask why.
 *
 * Knows no rules: whether a state may replace another one is for others to decide.
 */
import { SortedKeys } from '../../dht/core/sorted-keys.js';
import { Digest, partOf } from './digest.js';
import { isLive, keyOf, keyOfEndpoint, type Endpoint, type EndpointKey } from './endpoint.js';
import { ServiceShelf } from './service-shelf.js';
import { givenAtMs } from './stamps.js';

export type RegistryLimits = {
  /** Most endpoints that live, and most that are remembered as removed. */
  readonly endpointsMax: number;
  /** How long an endpoint is remembered after its removal. */
  readonly rememberedMs: number;
};

export class Registry {
  readonly #limits: RegistryLimits;
  readonly #endpoints = new Map<EndpointKey, Endpoint>();
  readonly #keyById = new Map<string, EndpointKey>();
  readonly #shelves = new Map<string, ServiceShelf>();
  readonly #services = new SortedKeys();
  /** Removed, with when they are forgotten, soonest first. */
  readonly #removed = new Map<EndpointKey, number>();
  /** Keys of living endpoints by the binder that is their home. */
  readonly #byHome = new Map<string, Set<EndpointKey>>();
  readonly digest = new Digest();
  readonly #byPart = new Map<number, Set<EndpointKey>>();
  #liveCount = 0;

  constructor(limits: RegistryLimits) {
    this.#limits = limits;
  }

  get liveCount(): number {
    return this.#liveCount;
  }

  /** Services that have an endpoint. */
  get serviceCount(): number {
    return this.#shelves.size;
  }

  get isFull(): boolean {
    return this.#liveCount >= this.#limits.endpointsMax;
  }

  /** Living or removed. */
  get(service: string, address: string): Endpoint | undefined {
    return this.#endpoints.get(keyOf(service, address));
  }

  byKey(key: EndpointKey): Endpoint | undefined {
    return this.#endpoints.get(key);
  }

  /** A living one. */
  byId(endpointId: string): Endpoint | undefined {
    const key = this.#keyById.get(endpointId);
    return key === undefined ? undefined : this.#endpoints.get(key);
  }

  /** Living and removed, in no order. */
  all(): Iterable<Endpoint> {
    return this.#endpoints.values();
  }

  /** Living and removed, of one part of the digest. */
  ofPart(part: number): readonly Endpoint[] {
    const all = [...(this.#byPart.get(part) ?? [])].map((key) => this.#endpoints.get(key));
    return all.filter((endpoint) => endpoint !== undefined);
  }

  shelf(service: string): ServiceShelf | undefined {
    return this.#shelves.get(service);
  }

  /** The binders that are home of living endpoints. */
  get homes(): readonly string[] {
    return [...this.#byHome.keys()];
  }

  /** Living endpoints whose home a binder is; one that moves meanwhile is left out. */
  *atHome(home: string): Generator<Endpoint> {
    for (const key of this.#byHome.get(home) ?? []) {
      const endpoint = this.#endpoints.get(key);
      if (isLive(endpoint)) yield endpoint;
    }
  }

  /** Names of services that have endpoints, at and behind a name, in order. */
  servicesFrom(name: string): Iterable<string> {
    return this.#services.from(name);
  }

  /** Puts a state in, in place of the one before, which it returns. */
  put(endpoint: Endpoint): Endpoint | undefined {
    const key = keyOfEndpoint(endpoint);
    const previous = this.#endpoints.get(key);
    if (previous === undefined) this.#add(this.#byPart, partOf(key), key);
    else this.#takeOut(key, previous);
    this.#endpoints.set(key, endpoint);
    this.digest.toggle(key, endpoint.stamp);
    if (isLive(endpoint)) {
      this.#liveCount += 1;
      this.#keyById.set(endpoint.endpointId, key);
      this.#add(this.#byHome, endpoint.home, key);
    } else {
      this.#removed.set(key, givenAtMs(endpoint.stamp) + this.#limits.rememberedMs);
    }
    this.#shelve(endpoint);
    return previous;
  }

  /** Forgets those that were removed long ago, or are too many, and says which. */
  forget(wallMs: number): readonly Endpoint[] {
    const forgotten: Endpoint[] = [];
    for (const [key, atMs] of this.#removed) {
      if (atMs > wallMs && this.#removed.size <= this.#limits.endpointsMax) break;
      const endpoint = this.#endpoints.get(key);
      if (endpoint === undefined) continue;
      this.#takeOut(key, endpoint);
      this.#endpoints.delete(key);
      this.#drop(this.#byPart, partOf(key), key);
      forgotten.push(endpoint);
    }
    return forgotten;
  }

  #takeOut(key: EndpointKey, previous: Endpoint): void {
    this.digest.toggle(key, previous.stamp);
    if (isLive(previous)) {
      this.#liveCount -= 1;
      this.#keyById.delete(previous.endpointId);
      this.#drop(this.#byHome, previous.home, key);
    } else {
      this.#removed.delete(key);
    }
  }

  #add<Group>(groups: Map<Group, Set<EndpointKey>>, group: Group, key: EndpointKey): void {
    const known = groups.get(group);
    if (known === undefined) groups.set(group, new Set([key]));
    else known.add(key);
  }

  #drop<Group>(groups: Map<Group, Set<EndpointKey>>, group: Group, key: EndpointKey): void {
    const keys = groups.get(group);
    keys?.delete(key);
    if (keys?.size === 0) groups.delete(group);
  }

  #shelve(endpoint: Endpoint): void {
    const { service, address } = endpoint.registration;
    const known = this.#shelves.get(service);
    if (known === undefined && !isLive(endpoint)) return;
    const shelf = known ?? new ServiceShelf();
    if (known === undefined) {
      this.#shelves.set(service, shelf);
      this.#services.add(service);
    }
    shelf.set(address, isLive(endpoint) ? endpoint : undefined);
    if (shelf.size > 0) return;
    this.#shelves.delete(service);
    this.#services.delete(service);
  }
}
