/** The endpoints that test binders share, as real ones do: leases that end, watches, evidence. */
import {
  Health,
  type Endpoint,
  type Evidence,
  type HealthCheck,
  type WatchServiceResponse,
} from '../../proto/gen/ringbinder/v1/binder_service.js';

export type Event = NonNullable<WatchServiceResponse['event']>;
type Watcher = { readonly service: string; readonly tell: (event: Event) => void };

type Entry = {
  endpoint: Endpoint;
  token: bigint;
  ttlMs: number;
  expiry: NodeJS.Timeout;
  readonly evidence: Evidence[];
};

export class BinderTable implements Disposable {
  readonly #entries = new Map<string, Entry>();
  readonly #watchers = new Set<Watcher>();
  /** What was observed, also of endpoints that are gone. */
  readonly #evidence = new Map<string, Evidence[]>();
  #lastToken = 0n;
  #lastId = 0;

  register(
    service: string,
    address: string,
    ttlMs: number,
    what: {
      readonly metadata?: { readonly [key: string]: string };
      readonly healthCheck?: HealthCheck | undefined;
    } = {},
  ): Entry {
    const key = keyOf(service, address);
    const known = this.#entries.get(key);
    clearTimeout(known?.expiry);
    const isChecked = what.healthCheck !== undefined && what.healthCheck.kind?.$case !== 'none';
    const endpoint: Endpoint = {
      endpointId: known?.endpoint.endpointId ?? `e${(this.#lastId += 1)}`,
      service,
      address,
      health: known?.endpoint.health ?? (isChecked ? Health.HEALTH_UNKNOWN : Health.HEALTH_HEALTHY),
      metadata: { ...what.metadata },
      healthCheck: what.healthCheck,
      registerTime: known?.endpoint.registerTime ?? { seconds: 1_800_000_000n, nanos: 0 },
    };
    const token = (this.#lastToken += 1n);
    const evidence = this.#evidence.get(key) ?? [];
    this.#evidence.set(key, evidence);
    const entry = { endpoint, token, ttlMs, evidence, expiry: this.#expire(key, ttlMs) };
    this.#entries.set(key, entry);
    this.observe(service, address, 'REGISTRATION', 'registered', 'REGISTERED');
    this.#tell(service, { $case: known === undefined ? 'added' : 'changed', value: { endpoint } });
    return entry;
  }

  byId(endpointId: string): Entry | undefined {
    return this.all().find(({ endpoint }) => endpoint.endpointId === endpointId);
  }

  at(service: string, address: string): Entry | undefined {
    return this.#entries.get(keyOf(service, address));
  }

  /** In the order of the addresses. */
  all(service?: string): Entry[] {
    return [...this.#entries.values()]
      .filter(({ endpoint }) => service === undefined || endpoint.service === service)
      .sort((one, other) => (one.endpoint.address < other.endpoint.address ? -1 : 1));
  }

  renew(entry: Entry): void {
    clearTimeout(entry.expiry);
    const { service, address } = entry.endpoint;
    entry.expiry = this.#expire(keyOf(service, address), entry.ttlMs);
  }

  remove(service: string, address: string, check = 'DEREGISTRATION', rule = 'DEREGISTERED'): void {
    const entry = this.at(service, address);
    if (entry === undefined) return;
    clearTimeout(entry.expiry);
    this.#entries.delete(keyOf(service, address));
    const evidence = this.observe(service, address, check, 'removed', rule);
    this.#tell(service, { $case: 'removed', value: { endpoint: entry.endpoint, evidence } });
  }

  /** Says how well an endpoint is. */
  set(service: string, address: string, health: Health): void {
    const entry = this.at(service, address)!;
    entry.endpoint = { ...entry.endpoint, health };
    this.#tell(service, { $case: 'changed', value: { endpoint: entry.endpoint } });
  }

  observe(service: string, address: string, check: string, outcome: string, rule = ''): Evidence {
    const time = { seconds: 1_800_000_000n, nanos: 0 };
    const evidence = { observer: 'test:1', check, outcome, time, rule };
    this.#evidence.get(keyOf(service, address))?.push(evidence);
    return evidence;
  }

  evidenceOf(service: string, address: string): readonly Evidence[] | undefined {
    return this.#evidence.get(keyOf(service, address));
  }

  watch(watcher: Watcher): () => void {
    this.#watchers.add(watcher);
    return () => void this.#watchers.delete(watcher);
  }

  get watcherCount(): number {
    return this.#watchers.size;
  }

  /** Forgets everything without a word, as a binder that lost its memory. */
  forget(): void {
    for (const { expiry } of this.#entries.values()) clearTimeout(expiry);
    this.#entries.clear();
  }

  [Symbol.dispose](): void {
    this.forget();
  }

  #expire(key: string, ttlMs: number): NodeJS.Timeout {
    return setTimeout(() => {
      const entry = this.#entries.get(key);
      if (entry === undefined) return;
      this.remove(entry.endpoint.service, entry.endpoint.address, 'LEASE', 'LEASE_ENDED');
    }, ttlMs);
  }

  #tell(service: string, event: Event): void {
    for (const watcher of this.#watchers) if (watcher.service === service) watcher.tell(event);
  }
}

function keyOf(service: string, address: string): string {
  return `${service} ${address}`;
}
