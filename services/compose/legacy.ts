/** The legacy dialects of a node, put together: where each listens, and what it calls. */
import type { Logger } from 'pino';
import { LEGACY_DEFAULTS, type LegacyListen, type LegacyName } from '../config/legacy.js';
import type { Config } from '../config.js';
import { RingbinderError } from '../errors.js';
import { isWildcard, parseHostPort, type HostPort } from '../host-port.js';
import { DatagramAdapter } from '../legacy/adapter.js';
import { withRate } from '../legacy/core/rate-limit.js';
import { LieurSession, type LieurSocket } from '../legacy/lieur/session.js';
import { SIMPLE_DHT_LIMITS } from '../legacy/simple-dht/limits.js';
import { SimpleDhtSession, type SimpleDhtOptions } from '../legacy/simple-dht/session.js';
import { isOwnHost } from '../legacy/own-hosts.js';
import { TLV_DEFAULTS, TLV_PORTS, type TlvSocket } from '../legacy/tlv/options.js';
import { TlvSession } from '../legacy/tlv/session.js';
import { TlvStreams } from '../legacy/tlv/socket.js';
import { LEGACY_RATES } from '../limits.js';
import { systemClock } from '../system/clock.js';

import type { BinderPart } from './binder.js';
import { binderCalls, holderCalls, stopCalls, valueCalls } from './legacy-calls.js';
import type { TablePart } from './table.js';

export type LegacyPartDeps = {
  readonly config: Config;
  readonly table: TablePart;
  readonly binder: BinderPart;
  readonly requestStop: () => void;
  readonly log: Logger;
};

type Closer = () => Promise<void>;
type Where = Readonly<Record<string, string>>;

export class LegacyPart {
  readonly #deps: LegacyPartDeps;
  readonly #closers: Closer[] = [];
  /** By dialect; each returns why an address can't be had, or undefined. */
  readonly #introducers = new Map<string, (address: string) => string | undefined>();

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
      ...(await this.#try('tlv', chosen('tlv'), async (it) => this.#openTlv(it))),
      ...(await this.#try('simple-dht', chosen('simple-dht'), async (it) =>
        this.#openSimpleDht(it),
      )),
      ...(hasBinder &&
        (await this.#try('lieur', chosen('lieur'), async (it) => this.#openLieur(it)))),
    };
  }

  /** Makes a legacy server known to the dialect. Throws `DIALECT_UNKNOWN` or `REQUEST_INVALID`. */
  introduce(address: string, dialect: string): void {
    const introduce = this.#introducers.get(dialect);
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

  /** Clients of the plain framing may also come by TCP, to the same port. */
  async #openTlv(client: LegacyListen['tlv']): Promise<Where> {
    const { config, table, requestStop, log: parent } = this.#deps;
    const log = parent.child({ dialect: 'tlv' });
    const { host } = client;
    const fixed = Object.entries(TLV_PORTS).map(([name, port]) => [name, { host, port }]);
    const addresses = { client, ...Object.fromEntries(fixed) } as Record<TlvSocket, HostPort>;
    const { stopPassword } = config;
    const calls = {
      holders: holderCalls(table.application),
      ...(stopPassword !== undefined && { stop: stopCalls(stopPassword, requestStop) }),
    };
    const clientRate = withRate(TLV_DEFAULTS.clientRate, config.legacyRate);
    const options = { ...TLV_DEFAULTS, ownHosts: [host], clientRate };
    const adapter = await DatagramAdapter.open<TlvSocket, TlvSession>({
      addresses,
      clock: systemClock,
      log,
      create: (end) => new TlvSession({ ...end, calls, options }),
    });
    const { session } = adapter;
    const bound = parseHostPort(adapter.addresses.client) ?? client;
    const streamsDeps = { where: bound, session, clock: systemClock, log };
    const streams = await TlvStreams.open(streamsDeps).catch(async (thrown: unknown) => {
      await adapter.close();
      throw thrown;
    });
    table.application.onWrite(({ key, address, content }) => {
      if (content.kind === 'holder' && address !== undefined) session.holderAnnounced(key, address);
    });
    for (const server of config.legacyPeer.tlv) {
      session.join(server, (outcome) =>
        log.info({ server, outcome }, 'asked to join a legacy server'),
      );
    }
    this.#introducers.set('tlv', (address) => {
      const server = parseHostPort(address)?.host ?? address.replace(/^\[(.*)\]$/, '$1');
      if (!server.includes(':')) return 'must be an IPv6 address';
      session.join(server);
      return undefined;
    });
    this.#closers.push(async () => {
      session.close();
      await streams.close();
      await adapter.close();
    });
    return { tlv: adapter.addresses.client };
  }

  async #openSimpleDht(main: LegacyListen['simple-dht']): Promise<Where> {
    const { config, table, log: parent } = this.#deps;
    const log = parent.child({ dialect: 'simple-dht' });
    const isIpv6 = (host: string): boolean => host.includes(':');
    let own = main;
    const datagrams = withRate(SIMPLE_DHT_LIMITS.datagrams, config.legacyRate);
    const options: SimpleDhtOptions<'main'> = {
      isOwn: ({ host, port }) =>
        port === own.port && (isWildcard(own.host) ? isOwnHost(host) : host === own.host),
      socketFor: (host) => (isIpv6(host) === isIpv6(main.host) ? 'main' : undefined),
      limits: { ...SIMPLE_DHT_LIMITS, datagrams },
    };
    const calls = valueCalls(table.application);
    const adapter = await DatagramAdapter.open<'main', SimpleDhtSession<'main'>>({
      addresses: { main },
      clock: systemClock,
      log,
      create: (end) => new SimpleDhtSession({ ...end, calls, options }),
    });
    const { session } = adapter;
    own = parseHostPort(adapter.addresses.main) ?? main;
    table.application.onWrite(({ key, content, expiresAtMs }) => {
      const lifeMs = (expiresAtMs ?? Number.POSITIVE_INFINITY) - systemClock.now();
      if (content.kind === 'value') session.valueChanged(key, content.bytes, lifeMs);
    });
    for (const peer of config.legacyPeer['simple-dht']) {
      const why = session.join(peer);
      if (why !== undefined) log.warn({ peer, why }, 'can not work with this legacy server');
    }
    this.#introducers.set('simple-dht', (address) => {
      const peer = parseHostPort(address);
      return peer === undefined ? 'must be host:port' : session.discover(peer);
    });
    this.#closers.push(async () => {
      session.close();
      await adapter.close();
    });
    return { 'simple-dht': adapter.addresses.main };
  }

  async #openLieur(addresses: LegacyListen['lieur']): Promise<Where> {
    const { config, binder, log } = this.#deps;
    const rates = withRate(LEGACY_RATES, config.legacyRate);
    const options = { binders: config.legacyPeer.lieur, names: new Map(), rates };
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
