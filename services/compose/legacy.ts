/** The legacy dialects of a node, put together: where each listens, and what it calls. */
import type { Logger } from 'pino';
import { LIEUR_DEFAULT, type LieurListen } from '../config/legacy.js';
import type { Config } from '../config.js';
import { parseHostPort } from '../host-port.js';
import type { BinderCalls } from '../legacy/core/session.js';
import { LieurAdapter } from '../legacy/lieur/adapter.js';
import { LEGACY_RATES } from '../limits.js';
import { systemClock } from '../system/clock.js';
import type { BinderPart } from './binder.js';

export type LegacyPartDeps = {
  readonly config: Config;
  readonly binder: BinderPart;
  readonly log: Logger;
};

export class LegacyPart {
  readonly #deps: LegacyPartDeps;
  #lieur: LieurAdapter | undefined;

  constructor(deps: LegacyPartDeps) {
    this.#deps = deps;
  }

  /**
   * Listens for the dialects that are on, and returns where. One that can't listen is off, with one
   * warning. A node that joined has none on unless it is told.
   */
  async open({
    isFounder,
  }: {
    readonly isFounder: boolean;
  }): Promise<Readonly<Record<string, string>>> {
    const { config } = this.#deps;
    const lieur = config.legacy.lieur ?? (isFounder ? LIEUR_DEFAULT : 'off');
    if (lieur === 'off' || !config.roles.includes('binder')) return {};
    const { addresses } = (await this.#openLieur(lieur)) ?? {};
    if (addresses === undefined) return {};
    return { lieur: addresses.main, 'lieur verification': addresses.verification };
  }

  async close(): Promise<void> {
    await this.#lieur?.close();
  }

  async #openLieur(addresses: LieurListen): Promise<LieurAdapter | undefined> {
    const { config, binder, log: parent } = this.#deps;
    const log = parent.child({ dialect: 'lieur' });
    const options = { binders: config.legacyPeer.lieur, names: new Map(), rates: LEGACY_RATES };
    try {
      const calls = binderCalls(binder);
      const lieur = await LieurAdapter.open({ addresses, calls, options, clock: systemClock, log });
      binder.follow((change) => lieur.changed(change));
      binder.proveBy('lieur', async (address) => {
        const to = parseHostPort(address);
        return to !== undefined && lieur.verify(to);
      });
      this.#lieur = lieur;
      return lieur;
    } catch (err) {
      log.warn({ err, ...addresses }, 'the dialect is off: its ports can not be had');
      return undefined;
    }
  }
}

function binderCalls({ application }: BinderPart): BinderCalls {
  return {
    register: (service, address, ttlMs, done) => {
      const check = {
        method: { kind: 'legacy', dialect: 'lieur' },
        intervalMs: 60_000,
        timeoutMs: 2_000,
        healthyThreshold: 1,
        unhealthyThreshold: 1,
        removalThreshold: 3,
      } as const;
      application.keep({ service, address, ttlMs, metadata: {}, check }).then(
        () => done(true),
        () => done(false),
      );
    },
    report: (service, address) => {
      application.report(service, address).catch(() => undefined);
    },
  };
}
