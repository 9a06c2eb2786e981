/** A node's binder, put together: its store, its links, its driver, and both gRPC faces. */
import type { Logger } from 'pino';
import { EndpointArchive } from '../binder/archive.js';
import { BinderApplication } from '../binder/application.js';
import { BEAT_MS, BINDER_LIMITS } from '../binder/core/limits.js';
import { BinderDriver } from '../binder/driver.js';
import { createBinderHandler } from '../binder/handler.js';
import { BinderLinks } from '../binder/link.js';
import { probe } from '../binder/probe.js';
import { createRegistryHandler } from '../binder/registry-handler.js';
import { ServiceWatches } from '../binder/watches.js';
import type { Config } from '../config.js';
import { RingbinderError } from '../errors.js';
import type { Ring } from '../node/ring-finder.js';
import type { PeerDriver } from '../peer/driver.js';
import type { PeerFace } from '../peer/face.js';
import type { NodeStores } from '../storage/open-stores.js';
import { systemClock } from '../system/clock.js';

export type BinderPartDeps = {
  readonly config: Config;
  readonly stores: NodeStores;
  readonly face: PeerFace;
  readonly log: Logger;
};

export class BinderPart {
  readonly #deps: BinderPartDeps;
  readonly #watches = new ServiceWatches(systemClock);
  #links: BinderLinks | undefined;
  #driver: BinderDriver | undefined;
  #isReady = false;

  constructor(deps: BinderPartDeps) {
    this.#deps = deps;
  }

  /** For applications; refuses calls before the binder knows what the others know. */
  binderHandler() {
    const driver = (): BinderDriver | undefined => (this.#isReady ? this.#driver : undefined);
    return createBinderHandler({
      application: new BinderApplication({ driver, watches: this.#watches }),
    });
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
      probe,
      log,
    });
    this.#driver.onChange((change) => this.#watches.tell(change));
    await this.#driver.start();
    this.#isReady = true;
  }

  /** Gives its leases to other binders. */
  async leave(): Promise<void> {
    this.#isReady = false;
    await this.#driver?.stop();
  }

  close(): void {
    this.#links?.close();
  }
}

function knownTo(peer: PeerDriver): readonly string[] {
  const { predecessor, successors } = peer.state;
  const near = predecessor === undefined ? successors : [predecessor, ...successors];
  const known = [...near, ...peer.acquaintances, ...peer.routes.peers()];
  return known.map(({ address }) => address);
}
