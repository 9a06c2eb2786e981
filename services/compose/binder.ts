/** A node's binder, put together: its store, its links, its driver, and both gRPC faces. */
import type { Logger } from 'pino';
import { EndpointArchive } from '../binder/archive.js';
import { BinderApplication } from '../binder/application.js';
import { isLive, type Endpoint } from '../binder/core/endpoint.js';
import type { CheckMethod, CheckOutcome } from '../binder/core/health-check.js';
import { BEAT_MS, BINDER_LIMITS } from '../binder/core/limits.js';
import { BinderDriver } from '../binder/driver.js';
import { createBinderHandler } from '../binder/handler.js';
import { BinderLinks } from '../binder/link.js';
import { probe } from '../binder/probe.js';
import { createRegistryHandler } from '../binder/registry-handler.js';
import { ServiceWatches } from '../binder/watches.js';
import type { Config } from '../config.js';
import { RingbinderError } from '../errors.js';
import type { EndpointChange } from '../legacy/core/session.js';
import type { Ring } from '../node/ring-finder.js';
import { isGuest } from '../peer/core/ring-space.js';
import type { PeerDriver } from '../peer/driver.js';
import type { PeerFace } from '../peer/face.js';
import type { NodeStores } from '../storage/open-stores.js';
import { systemClock } from '../system/clock.js';
import type { Prover } from './legacy/dialect.js';

export type BinderPartDeps = {
  readonly config: Config;
  readonly stores: NodeStores;
  readonly face: PeerFace;
  readonly log: Logger;
};

export class BinderPart {
  readonly #deps: BinderPartDeps;
  readonly #watches = new ServiceWatches(systemClock);
  readonly application = new BinderApplication({
    driver: () => (this.#isReady ? this.#driver : undefined),
    watches: this.#watches,
  });
  /** Who can ask the services of a legacy dialect whether they live. */
  readonly #provers = new Map<string, Prover>();
  #links: BinderLinks | undefined;
  #driver: BinderDriver | undefined;
  #isReady = false;

  constructor(deps: BinderPartDeps) {
    this.#deps = deps;
  }

  /** For applications; refuses calls before the binder knows what the others know. */
  binderHandler() {
    return createBinderHandler({ application: this.application });
  }

  /** For other binders. */
  registryHandler() {
    const { face } = this.#deps;
    return createRegistryHandler({
      ringName: () => face.seat.ringName,
      asked: (from, question) => {
        if (this.#driver !== undefined) return this.#driver.asked(from, question);
        throw new RingbinderError('PEER_NOT_MEMBER', 'this node has not found its ring yet');
      },
    });
  }

  /** Takes up what is in the store and what the others know; then callers are answered. */
  async open(peer: PeerDriver, { name: ringName }: Ring): Promise<void> {
    const { config, stores, log } = this.#deps;
    const { address } = peer.state.self;
    this.#links = new BinderLinks({ clock: systemClock, caller: { address, ringName } });
    const { endpointsMax, protectionPercent } = config;
    const protection = { ...BINDER_LIMITS.protection, share: protectionPercent / 100 };
    this.#driver = BinderDriver.create({
      self: address,
      limits: { ...BINDER_LIMITS, endpointsMax, protection },
      beatMs: BEAT_MS,
      clock: systemClock,
      links: this.#links,
      archive: new EndpointArchive({ store: stores.directory, clock: systemClock, log }),
      isShared: typeof config.store === 'object',
      others: () => knownTo(peer),
      probe: async (address, method, timeoutMs) => this.#probe(address, method, timeoutMs),
      log,
    });
    this.#driver.onChange((change) => this.#watches.tell(change));
    await this.#driver.start();
    this.#isReady = true;
  }

  /** Tells of every endpoint there is, and then of all that come and go. */
  follow(changed: (change: EndpointChange) => void): void {
    const driver = this.#driver;
    if (driver === undefined) return;
    const tell = (kind: EndpointChange['kind'], { registration }: Endpoint): void => {
      const { service, address } = registration;
      changed({ kind, service, address });
    };
    for (const endpoint of driver.binder.registry.all())
      if (isLive(endpoint)) tell('added', endpoint);
    driver.onChange(({ endpoint, previous }) => {
      if (isLive(endpoint) && !isLive(previous)) tell('added', endpoint);
      if (!isLive(endpoint) && isLive(previous)) tell('removed', endpoint);
    });
  }

  /** Lets a dialect that runs here make the checks in it; else each check has a socket of its own. */
  proveBy(dialect: string, prove: Prover): void {
    this.#provers.set(dialect, prove);
  }

  /** What it knows now; nothing where there is no binder. */
  get counts(): { readonly services: number; readonly endpoints: number } {
    const registry = this.#driver?.binder.registry;
    return { services: registry?.serviceCount ?? 0, endpoints: registry?.liveCount ?? 0 };
  }

  /** Gives its leases to other binders. */
  async leave(): Promise<void> {
    this.#isReady = false;
    await this.#driver?.stop();
  }

  close(): void {
    this.#links?.close();
  }

  async #probe(address: string, method: CheckMethod, timeoutMs: number): Promise<CheckOutcome> {
    const prove = method.kind === 'legacy' ? this.#provers.get(method.dialect) : undefined;
    if (prove === undefined) return probe(address, method, timeoutMs);
    const hasPassed = await prove(address);
    return { hasPassed, text: hasPassed ? 'passed' : 'no answer' };
  }
}

function knownTo(peer: PeerDriver): readonly string[] {
  const { predecessor, successors } = peer.state;
  const near = predecessor === undefined ? successors : [predecessor, ...successors];
  const known = [...near, ...peer.acquaintances, ...peer.routes.peers()];
  return known.filter((it) => !isGuest(it)).map(({ address }) => address);
}
