/** The legacy dialects of a process, put together: which are on, and where each listens. */
import type { Logger } from 'pino';
import {
  listenOf,
  type LegacyChoice,
  type LegacyListen,
  type LegacyName,
  type LegacyPeers,
} from '../../config/legacy.js';
import { RingbinderError } from '../../errors.js';
import { logNote } from '../../legacy/adapter.js';
import type { SessionNote } from '../../legacy/core/session.js';
import type { BoundSockets, LegacyCalls, OpenDialect, OpenerOf } from './dialect.js';
import { openLieur } from './lieur.js';
import { openRing } from './ring.js';
import { openPair } from './pair.js';
import { openSimpleDht } from './simple-dht.js';
import { openTlv } from './tlv.js';

const OPENERS: { readonly [Name in LegacyName]: OpenerOf<Name> } = {
  tlv: openTlv,
  'simple-dht': openSimpleDht,
  lieur: openLieur,
  ring: openRing,
  pair: openPair,
};

export type LegacyPartDeps = {
  readonly legacy: LegacyChoice;
  readonly legacyPeer: LegacyPeers;
  readonly legacyRate: number | undefined;
  readonly calls: LegacyCalls;
  /** Told of every message, with its dialect. */
  readonly noted: (dialect: LegacyName, note: SessionNote) => void;
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
    const listen = listenOf(this.#deps.legacy, isOnByDefault);
    for (const name of Object.keys(OPENERS) as LegacyName[]) {
      const where = listen[name];
      if (where !== 'off') await this.#try(name, where);
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

  /** Programs that work with this process, by dialect. */
  get programCounts(): Readonly<Record<string, number>> {
    const counts = [...this.#open].map(([name, open]) => [name, open.programCount?.() ?? 0]);
    return Object.fromEntries(counts) as Record<string, number>;
  }

  async close(): Promise<void> {
    const all = [...this.#open.values()];
    this.#open.clear();
    for (const { close } of all) await close();
  }

  async #try<Name extends LegacyName>(name: Name, listen: LegacyListen[Name]): Promise<void> {
    const { calls, legacyPeer: peers, legacyRate: rate, log: parent } = this.#deps;
    const log = parent.child({ dialect: name });
    const note = (it: SessionNote): void => {
      logNote(log, it);
      this.#deps.noted(name, it);
    };
    try {
      const opened = await OPENERS[name]({ listen, peers, calls, rate, note, log });
      if (opened !== undefined) this.#open.set(name, opened);
    } catch (err) {
      const text = 'the dialect is off: its ports can not be had';
      parent.warn({ err, dialect: name, where: listen }, text);
    }
  }
}
