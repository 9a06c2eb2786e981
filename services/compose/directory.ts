/**
 * A node's part in the directory, put together: the keepers where it holds one, and the faces of
 * HashService and WelcomeService, which forward where it does not.
 */
import type { Logger } from 'pino';
import { randomBytes } from 'node:crypto';
import { HashServiceService } from '../../proto/gen/ringbinder/v1/hash_service.js';
import { WelcomeServiceService } from '../../proto/gen/ringbinder/v1/welcome_service.js';
import type { Config } from '../config.js';
import { createHashHandler, createHashKey } from '../hash/handler.js';
import { HashKeeper } from '../hash/keeper.js';
import { AdmissionGate } from '../node/admission-gate.js';
import { localDirectory, remoteDirectory, type Directory } from '../node/directory.js';
import type { NodeMemory } from '../node/notebook.js';
import type { Ring } from '../node/ring-finder.js';
import { keepRingIn, ringIn, type RingTerms } from '../node/shared-ring.js';
import { StartError } from '../node/start-error.js';
import type { PeerRef } from '../peer/core/ring-space.js';
import type { Survey } from '../peer/core/survey.js';
import type { Forwarder } from '../rpc/forward.js';
import type { NodeStores } from '../storage/open-stores.js';
import { systemClock } from '../system/clock.js';
import { createWelcomeHandler } from '../welcome/handler.js';
import { WelcomeKeeper } from '../welcome/keeper.js';

/**
 * The directory asks the ring before it lets a peer in while it lists fewer members than so many times
 * r + 1: it also lists the dead until their leases end.
 */
const FORMING_LISTED_FACTOR = 2;
/** How often a node that founds no ring looks whether somebody else has. */
const LOOK_EVERY_MS = 500;

export type DirectoryPartDeps = {
  readonly config: Config;
  readonly stores: NodeStores;
  readonly memory: NodeMemory | undefined;
  readonly log: Logger;
  /** The ring as it is now; rejects while this node is no member. */
  readonly survey: () => Promise<Survey>;
};

type Keepers = {
  readonly ring: RingTerms;
  readonly hash: HashKeeper;
  readonly welcome: WelcomeKeeper;
};

export class DirectoryPart {
  readonly #deps: DirectoryPartDeps;
  readonly #closing = new AbortController();
  #keepers: Keepers | undefined;

  constructor(deps: DirectoryPartDeps) {
    this.#deps = deps;
  }

  /** Whether other nodes hold the directory too, on one store. */
  get isShared(): boolean {
    return typeof this.#deps.config.store === 'object';
  }

  /** Members that this node's directory lists; none where it holds no directory. */
  get members(): readonly PeerRef[] {
    return this.#keepers?.welcome.members ?? [];
  }

  /** Returns the ring whose directory this node holds, or undefined. Throws a `StartError`. */
  async open(): Promise<RingTerms | undefined> {
    const { config, log, stores } = this.#deps;
    const ring = this.isShared ? await this.#sharedRing() : this.#ownRing();
    if (ring === undefined) return undefined;
    if (ring.size !== config.ringSize) {
      const text = 'the ring keeps the size it was founded with';
      log.warn({ ringSize: ring.size, given: config.ringSize }, text);
    }
    this.#keepers = await this.#openKeepers(ring);
    if (this.isShared) {
      void keepRingIn(stores.directory, ring, { log, signal: this.#closing.signal });
    }
    return ring;
  }

  close(): void {
    this.#closing.abort();
    this.#keepers?.welcome.close();
  }

  /** The directory as this node uses it for itself. */
  directoryOf({ directoryAddress, size }: Ring): Directory {
    if (this.#keepers === undefined) return remoteDirectory(directoryAddress, size);
    return localDirectory(this.#keepers.hash, this.#keepers.welcome);
  }

  /** HashService and WelcomeService: here, or forwarded to where the directory is. */
  handlers(ringSize: () => number, forwarder: Forwarder) {
    if (this.#keepers !== undefined) {
      const { hash, welcome, ring } = this.#keepers;
      return {
        hash: createHashHandler({ keeper: hash, ringSize: ring.size }),
        welcome: createWelcomeHandler({ keeper: welcome, ringSize: ring.size }),
      };
    }
    return {
      hash: { ...forwarder.handlers(HashServiceService), hashKey: createHashKey(ringSize) },
      welcome: forwarder.handlers(WelcomeServiceService),
    };
  }

  #ownRing(): RingTerms | undefined {
    const { config, memory } = this.#deps;
    const isHolder = memory?.holdsDirectory ?? config.join.length === 0;
    return isHolder ? this.#candidate() : undefined;
  }

  /** Who is told to join founds nothing, and waits until the ring is in the store. */
  async #sharedRing(): Promise<RingTerms> {
    const { config, memory, stores } = this.#deps;
    const candidate = config.join.length === 0 ? this.#candidate() : undefined;
    const endMs = systemClock.monotonicMs() + config.joinTimeoutMs;
    let ring: RingTerms | undefined;
    for (;;) {
      try {
        ring = await ringIn(stores.directory, candidate);
      } catch (thrown) {
        this.#deps.log.warn({ err: thrown }, 'the ring can not be read yet');
      }
      if (ring !== undefined) break;
      if (systemClock.monotonicMs() > endMs) {
        throw new StartError('the etcd has no ring; a node without --join founds one');
      }
      await new Promise<void>((wake) => systemClock.after(LOOK_EVERY_MS, wake));
    }
    if (memory === undefined || memory.ringName === ring.name) return ring;
    throw new StartError(
      `the data directory belongs to the ring ${memory.ringName}, the etcd to ${ring.name}`,
    );
  }

  /** The ring in the data directory, or a new one. */
  #candidate(): RingTerms {
    const { config, memory } = this.#deps;
    return {
      name: memory?.ringName ?? `ring-${randomBytes(6).toString('hex')}`,
      size: memory?.ringSize ?? config.ringSize,
      successorsMax: memory?.successorsMax ?? config.successorsMax,
      copies: memory?.copies ?? config.copies,
    };
  }

  async #openKeepers(ring: RingTerms): Promise<Keepers> {
    const { config, log, stores, survey } = this.#deps;
    const { size, successorsMax } = ring;
    const gate = new AdmissionGate({ clock: systemClock, successorsMax, survey });
    const welcome = await WelcomeKeeper.open({
      store: stores.directory,
      clock: systemClock,
      ringSize: size,
      ttlMs: config.membershipTtlMs,
      log: log.child({ component: 'welcome' }),
      admission: async (peer, latest) => gate.ask(peer, latest),
      askedBelow: FORMING_LISTED_FACTOR * (successorsMax + 1),
    });
    const hash = new HashKeeper({
      store: stores.directory,
      ringSize: size,
      isMember: async (ringId) => welcome.isMember(ringId),
    });
    return { ring, hash, welcome };
  }
}
