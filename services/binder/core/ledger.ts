/**
 * The book of endpoints of one binder: every change of an endpoint goes through it, and so do the
 * decisions whether one may be removed.
 */
import type { TableClock } from '../../dht/core/table-clock.js';
import {
  isLive,
  keyOfEndpoint,
  type Endpoint,
  type EndpointKey,
  type Removal,
} from './endpoint.js';
import { withEvidence, type Evidence, type Observation, type Rule } from './evidence.js';
import { Departures, mayRemove, type ProtectionLimits } from './protection.js';
import { Registry, type RegistryLimits } from './registry.js';
import { Stamps } from './stamps.js';

/** One endpoint is another than before. */
export type Change = {
  readonly endpoint: Endpoint;
  readonly previous: Endpoint | undefined;
  /** Whether this binder made the change; else another one told of it. */
  readonly isOwn: boolean;
};

export type LedgerDeps = {
  /** Address of this binder. */
  readonly self: string;
  readonly limits: RegistryLimits & { readonly protection: ProtectionLimits };
  readonly clock: TableClock;
  readonly changed: (change: Change) => void;
};

/** What is seen, and what decides. */
type Seen = { readonly check: Observation; readonly outcome: string; readonly rule: Rule };

/** What of an endpoint may change beside its evidence and its stamp. */
type Alteration = Partial<Pick<Endpoint, 'health' | 'held' | 'removal' | 'home' | 'term'>>;

const RULES = {
  'lease-ended': 'LEASE_ENDED',
  'checks-failed': 'REMOVAL_THRESHOLD',
  'report-proved': 'REPORT_PROVED',
  deregistered: 'DEREGISTERED',
} as const satisfies Record<Removal, Rule>;

export class Ledger {
  readonly #deps: LedgerDeps;
  readonly registry: Registry;
  readonly stamps: Stamps;
  readonly #departures = new Map<string, Departures>();
  /** Endpoints that stay because of protection mode. */
  readonly #held = new Set<EndpointKey>();

  constructor(deps: LedgerDeps) {
    this.#deps = deps;
    this.registry = new Registry(deps.limits);
    this.stamps = new Stamps(deps.self);
  }

  /** Whether a service has had endpoints that were removed because of what was observed. */
  hasLost(service: string): boolean {
    return this.#departures.has(service);
  }

  /** Those that stay because of protection mode. */
  get held(): readonly Endpoint[] {
    const all = [...this.#held].map((key) => this.registry.byKey(key));
    return all.filter((endpoint) => endpoint !== undefined);
  }

  evidence({ check, outcome, rule }: Omit<Seen, 'rule'> & { rule?: Rule | undefined }): Evidence {
    const { self, clock } = this.#deps;
    return { observer: self, check, outcome, atMs: clock.wallMs(), rule };
  }

  /** Puts a state in that is later than the one before. */
  put(endpoint: Endpoint, isOwn: boolean): void {
    const previous = this.registry.put(endpoint);
    const key = keyOfEndpoint(endpoint);
    if (isLive(endpoint) && endpoint.held !== undefined) this.#held.add(key);
    else this.#held.delete(key);
    const isObserved = endpoint.removal !== undefined && endpoint.removal !== 'deregistered';
    if (isObserved) this.#depart(endpoint, isLive(previous));
    this.#deps.changed({ endpoint, previous, isOwn });
  }

  /** Changes an endpoint because of something seen. */
  alter(endpoint: Endpoint, alteration: Alteration, seen: Seen): Endpoint {
    const altered: Endpoint = {
      ...endpoint,
      ...alteration,
      stamp: this.stamps.next(this.#deps.clock.wallMs()),
      evidence: withEvidence(endpoint.evidence, this.evidence(seen)),
    };
    this.put(altered, true);
    return altered;
  }

  /** Removes an endpoint because of something seen, or holds it where its service is protected. */
  remove(endpoint: Endpoint, removal: Removal, seen: Omit<Seen, 'rule'>): Endpoint {
    if (removal === 'deregistered' || this.#mayRemove(endpoint)) {
      const alteration = { removal, held: undefined } as const;
      return this.alter(endpoint, alteration, { ...seen, rule: RULES[removal] });
    }
    if (endpoint.held !== undefined) return endpoint;
    const alteration = { held: removal, health: 'unhealthy' } as const;
    return this.alter(endpoint, alteration, { ...seen, rule: 'PROTECTION_MODE' });
  }

  /** Removes an endpoint that was held, if its service is not protected any more. */
  release(endpoint: Endpoint): void {
    const { held } = endpoint;
    if (held === undefined || !this.#mayRemove(endpoint)) return;
    const { check } = endpoint.evidence.at(-1) ?? { check: 'LEASE' };
    this.remove(endpoint, held, { check, outcome: 'protection mode has ended' });
  }

  /** Forgets what was removed long ago, and says what that was. */
  forget(): readonly Endpoint[] {
    const forgotten = this.registry.forget(this.#deps.clock.wallMs());
    for (const { registration } of forgotten) {
      if (this.registry.shelf(registration.service) === undefined) {
        this.#departures.delete(registration.service);
      }
    }
    return forgotten;
  }

  #mayRemove({ registration, held }: Endpoint): boolean {
    const { clock, limits } = this.#deps;
    const { service, ttlMs } = registration;
    const shelf = this.registry.shelf(service);
    const departures = this.#departures.get(service);
    const situation = {
      live: shelf?.size ?? 0,
      held: (shelf?.heldCount ?? 0) - (held === undefined ? 0 : 1),
      departed: departures?.within(ttlMs, clock.steadyMs()) ?? 0,
      isHeld: held !== undefined,
    };
    return mayRemove(situation, limits.protection);
  }

  /** One that was not there went at some time before. */
  #depart({ registration: { service } }: Endpoint, wasThere: boolean): void {
    const departures = this.#departures.get(service) ?? new Departures();
    this.#departures.set(service, departures);
    if (wasThere) departures.add(this.#deps.clock.steadyMs());
  }
}
