/** The legacy dialects of a node, put together: where each listens, and what it calls. */
import type { Logger } from 'pino';
import { LEGACY_DEFAULTS, type LegacyListen, type LegacyName } from '../config/legacy.js';
import type { Config } from '../config.js';
import { parseHostPort } from '../host-port.js';
import { DatagramAdapter } from '../legacy/adapter.js';
import { LieurSession, type LieurSocket } from '../legacy/lieur/session.js';
import { LEGACY_RATES } from '../limits.js';
import { systemClock } from '../system/clock.js';
import type { BinderPart } from './binder.js';
import { binderCalls } from './legacy-calls.js';
import type { TablePart } from './table.js';

export type LegacyPartDeps = {
  readonly config: Config;
  readonly table: TablePart;
  readonly binder: BinderPart;
  readonly log: Logger;
};

type Closer = () => Promise<void>;
type Where = Readonly<Record<string, string>>;

export class LegacyPart {
  readonly #deps: LegacyPartDeps;
  readonly #closers: Closer[] = [];

  constructor(deps: LegacyPartDeps) {
    this.#deps = deps;
  }

  /**
   * Listens for the dialects that are on, and returns where. One that can't listen is off, with one
   * warning. A node that joined has none on unless it is told.
   */
  async open({ isFounder }: { readonly isFounder: boolean }): Promise<Where> {
    const { config } = this.#deps;
    const chosen = <Name extends LegacyName>(name: Name): LegacyListen[Name] | undefined => {
      const choice = config.legacy[name] ?? (isFounder ? LEGACY_DEFAULTS[name] : 'off');
      return choice === 'off' ? undefined : (choice as LegacyListen[Name]);
    };
    const hasBinder = config.roles.includes('binder');
    return {
      ...(hasBinder && (await this.#try('lieur', chosen('lieur'), async (it) => this.#lieur(it)))),
    };
  }

  async close(): Promise<void> {
    for (const close of this.#closers.splice(0)) await close();
  }

  async #try<Name extends LegacyName>(
    name: Name,
    where: LegacyListen[Name] | undefined,
    open: (where: LegacyListen[Name]) => Promise<Where>,
  ): Promise<Where> {
    if (where === undefined) return {};
    try {
      return await open(where);
    } catch (err) {
      const text = 'the dialect is off: its ports can not be had';
      this.#deps.log.warn({ err, dialect: name, where }, text);
      return {};
    }
  }

  async #lieur(addresses: LegacyListen['lieur']): Promise<Where> {
    const { config, binder, log } = this.#deps;
    const options = { binders: config.legacyPeer.lieur, names: new Map(), rates: LEGACY_RATES };
    const adapter = await DatagramAdapter.open<LieurSocket, LieurSession>({
      addresses,
      clock: systemClock,
      log: log.child({ dialect: 'lieur' }),
      create: (end) =>
        new LieurSession({ ...end, options, calls: binderCalls(binder.application) }),
    });
    const { session } = adapter;
    binder.follow((change) => session.changed(change));
    binder.proveBy('lieur', async (address) => {
      const to = parseHostPort(address);
      return to !== undefined && new Promise((resolve) => session.verify(to, resolve));
    });
    this.#closers.push(async () => adapter.close());
    const { main, verification } = adapter.addresses;
    return { lieur: main, 'lieur verification': verification };
  }
}
