/** The legacy dialects of a process, put together: which are on, and where each listens. */
import type { Logger } from 'pino';
import {
  LEGACY_DEFAULTS,
  type LegacyChoice,
  type LegacyListen,
  type LegacyName,
  type LegacyPeers,
} from '../../config/legacy.js';
import { RingbinderError } from '../../errors.js';
import type { BoundSockets, LegacyCalls, OpenDialect, OpenerOf } from './dialect.js';
import { openLieur } from './lieur.js';
import { openPair } from './pair.js';
import { openSimpleDht } from './simple-dht.js';
import { openTlv } from './tlv.js';

const OPENERS: { readonly [Name in LegacyName]: OpenerOf<Name> } = {
  tlv: openTlv,
  'simple-dht': openSimpleDht,
  lieur: openLieur,
  pair: openPair,
};

export type LegacyPartDeps = {
  readonly legacy: LegacyChoice;
  readonly legacyPeer: LegacyPeers;
  readonly calls: LegacyCalls;
  readonly log: Logger;
};

export class LegacyPart {
  readonly #deps: LegacyPartDeps;
  readonly #open = new Map<string, OpenDialect>();

  constructor(deps: LegacyPartDeps) {
    this.#deps = deps;
  }

  /**
   * Listens for the dialects that are on, and returns where; those that are not named are on or off
   * together. One that can't listen is off, with one warning.
   */
  async open({ isOnByDefault }: { readonly isOnByDefault: boolean }): Promise<BoundSockets> {
    for (const name of Object.keys(OPENERS) as LegacyName[]) {
      const choice = this.#deps.legacy[name] ?? (isOnByDefault ? LEGACY_DEFAULTS[name] : 'off');
      if (choice !== 'off') await this.#try(name, choice);
    }
    return Object.assign({}, ...[...this.#open.values()].map(({ bound }) => bound)) as BoundSockets;
  }

  /** Makes a legacy server known to the dialect. Throws `DIALECT_UNKNOWN` or `REQUEST_INVALID`. */
  introduce(address: string, dialect: string): void {
    const introduce = this.#open.get(dialect)?.introduce;
    if (introduce === undefined) {
      const text = `this node does not speak ${dialect} as a server among servers`;
      throw new RingbinderError('DIALECT_UNKNOWN', text, { dialect });
    }
    const why = introduce(address);
    if (why === undefined) return;
    const violations = [{ field: 'address', description: why }];
    throw new RingbinderError('REQUEST_INVALID', `address: ${why}`, { address }, { violations });
  }

  async close(): Promise<void> {
    const all = [...this.#open.values()];
    this.#open.clear();
    for (const { close } of all) await close();
  }

  async #try<Name extends LegacyName>(name: Name, listen: LegacyListen[Name]): Promise<void> {
    const { calls, legacyPeer: peers, log: parent } = this.#deps;
    const log = parent.child({ dialect: name });
    try {
      const opened = await OPENERS[name]({ listen, peers, calls, log });
      if (opened !== undefined) this.#open.set(name, opened);
    } catch (err) {
      const text = 'the dialect is off: its ports can not be had';
      parent.warn({ err, dialect: name, where: listen }, text);
    }
  }
}
