/**
 * Where legacy dialects listen, and which legacy servers to work with.
 *
 * `--legacy` names dialects, such as `lieur=127.0.0.1:7403:7404` or `tlv=off`, separated by commas; `off`
 * alone switches all off. One that is not named keeps its default.
 */
import { isWildcard, parseHostPort, type HostPort } from '../host-port.js';
import { bad, value, type Parsed } from './kinds.js';

/** Where each dialect listens. */
export type LegacyListen = {
  /** The main port; the four others are fixed, on the same host. */
  readonly tlv: HostPort;
  readonly 'simple-dht': HostPort;
  readonly lieur: { readonly main: HostPort; readonly verification: HostPort };
  readonly pair: HostPort;
  /** Each port by itself may be off. */
  readonly ring: { readonly [Port in RingPortName]: HostPort | undefined };
};

export type LegacyName = keyof LegacyListen;
export type RingPortName = 'hash' | 'welcome' | 'monitor' | 'peer';

/** `off`: nowhere. Undefined: not named, so that it depends on whether the node founds a ring. */
export type LegacyChoice = {
  readonly [Name in Exclude<LegacyName, 'ring'>]: LegacyListen[Name] | 'off' | undefined;
} & { readonly ring: { readonly [Port in RingPortName]: HostPort | 'off' | undefined } };

export type LegacyPeers = {
  /** Hosts of servers, whose ports are fixed. */
  readonly tlv: readonly string[];
  readonly 'simple-dht': readonly HostPort[];
  readonly lieur: readonly HostPort[];
};

/** Where the programs of group 1 listen (wire/ring.md, section 7). */
export const RING_PEER_PORT = 2016;

export const LEGACY_DEFAULTS: LegacyListen = {
  tlv: { host: '::1', port: 7401 },
  'simple-dht': { host: '127.0.0.1', port: 7402 },
  lieur: {
    main: { host: '127.0.0.1', port: 7403 },
    verification: { host: '127.0.0.1', port: 7404 },
  },
  pair: { host: '127.0.0.1', port: 7405 },
  ring: {
    hash: { host: '127.0.0.1', port: 8001 },
    welcome: { host: '127.0.0.1', port: 8000 },
    monitor: { host: '127.0.0.1', port: 8002 },
    peer: { host: '127.0.0.1', port: RING_PEER_PORT },
  },
};

const RING_PORTS = Object.keys(LEGACY_DEFAULTS.ring) as RingPortName[];

/** What each must be, to say so. */
const FORMS = {
  tlv: 'tlv=[IPv6]:port',
  'simple-dht': 'simple-dht=host:port',
  lieur: 'lieur=IPv4:port:verification-port',
  pair: 'pair=host:port',
  'ring-hash': 'ring-hash=host:port',
  'ring-welcome': 'ring-welcome=host:port',
  'ring-monitor': 'ring-monitor=host:port',
  'ring-peer': 'ring-peer=host:port',
} as const;

type Named = keyof typeof FORMS;

type Mutable<Type> = { -readonly [Key in keyof Type]: Type[Key] };

/** Undefined for what is no such place. */
const LISTEN: { readonly [Name in Named]: (text: string) => unknown } = {
  tlv: (text) => only(parseHostPort(text), ({ host }) => host.includes(':')),
  'simple-dht': parseHostPort,
  lieur: parseLieur,
  pair: parseHostPort,
  'ring-hash': parseHostPort,
  'ring-welcome': parseHostPort,
  'ring-monitor': parseHostPort,
  'ring-peer': parseHostPort,
};

const NAMES = Object.keys(FORMS) as Named[];

export function parseLegacy(text: string): Parsed<LegacyChoice> {
  const places = new Map<Named, unknown>();
  if (text.trim() === 'off') return value(choiceOf(new Map(NAMES.map((name) => [name, 'off']))));
  for (const { name, where } of partsOf(text)) {
    if (name === 'ring') {
      if (where !== 'off') return bad('ring=off, or each of its ports by itself');
      for (const port of RING_PORTS) places.set(`ring-${port}`, 'off');
      continue;
    }
    if (!isName(name)) return bad(`off, or ${Object.values(FORMS).join(', ')}`);
    const place = where === 'off' ? 'off' : LISTEN[name](where);
    if (place === undefined) return bad(`${FORMS[name]}, or ${name}=off`);
    places.set(name, place);
  }
  return value(choiceOf(places));
}

function choiceOf(places: ReadonlyMap<Named, unknown>): LegacyChoice {
  return {
    tlv: places.get('tlv'),
    'simple-dht': places.get('simple-dht'),
    lieur: places.get('lieur'),
    pair: places.get('pair'),
    ring: Object.fromEntries(RING_PORTS.map((port) => [port, places.get(`ring-${port}`)])),
  } as LegacyChoice;
}

/** Where to listen; what is not named has its default, or is off with all others. */
export function listenOf(
  choice: LegacyChoice,
  isOnByDefault: boolean,
): { readonly [Name in LegacyName]: LegacyListen[Name] | 'off' } {
  const placeOf = <Place>(chosen: Place | 'off' | undefined, byDefault: Place): Place | 'off' =>
    chosen ?? (isOnByDefault ? byDefault : 'off');
  const ports = RING_PORTS.map((port) => {
    const place = placeOf(choice.ring[port], LEGACY_DEFAULTS.ring[port]);
    return [port, place === 'off' ? undefined : place] as const;
  });
  const ring = Object.fromEntries(ports) as LegacyListen['ring'];
  return {
    tlv: placeOf(choice.tlv, LEGACY_DEFAULTS.tlv),
    'simple-dht': placeOf(choice['simple-dht'], LEGACY_DEFAULTS['simple-dht']),
    lieur: placeOf(choice.lieur, LEGACY_DEFAULTS.lieur),
    pair: placeOf(choice.pair, LEGACY_DEFAULTS.pair),
    ring: ports.every(([, place]) => place === undefined) ? 'off' : ring,
  };
}

export function parseLegacyPeers(text: string): Parsed<LegacyPeers> {
  const peers: Mutable<LegacyPeers> = { tlv: [], 'simple-dht': [], lieur: [] };
  for (const { name, where } of partsOf(text)) {
    if (name === 'tlv') {
      const host = parseHostPort(`${where}:1`)?.host;
      if (host?.includes(':') !== true) return bad('tlv=[IPv6]');
      peers.tlv = [...peers.tlv, host];
      continue;
    }
    const address = only(parseHostPort(where), ({ port }) => port > 0);
    if (name === 'simple-dht' && address !== undefined) {
      peers['simple-dht'] = [...peers['simple-dht'], address];
    } else if (name === 'lieur' && address !== undefined && isIpv4(address)) {
      peers.lieur = [...peers.lieur, address];
    } else {
      return bad('tlv=[IPv6], simple-dht=host:port or lieur=IPv4:port');
    }
  }
  return value(peers);
}

/** `host:main-port:verification-port` */
function parseLieur(text: string): LegacyListen['lieur'] | undefined {
  const [, host = '', one = '', other = ''] = /^([^:]+):(\d+):(\d+)$/.exec(text) ?? [];
  const main = only(parseHostPort(`${host}:${one}`), isIpv4);
  const verification = parseHostPort(`${host}:${other}`);
  return main === undefined || verification === undefined ? undefined : { main, verification };
}

function isIpv4({ host }: HostPort): boolean {
  return /^\d+\.\d+\.\d+\.\d+$/.test(host) || (isWildcard(host) && !host.includes(':'));
}

function only<Value>(found: Value | undefined, fits: (found: Value) => boolean): Value | undefined {
  return found !== undefined && fits(found) ? found : undefined;
}

function isName(name: string): name is Named {
  return Object.hasOwn(FORMS, name);
}

function partsOf(text: string): readonly { readonly name: string; readonly where: string }[] {
  const parts = text.split(',').map((part) => part.trim());
  return parts
    .filter((part) => part !== '')
    .map((part) => {
      const at = part.indexOf('=');
      return at < 0
        ? { name: part, where: '' }
        : { name: part.slice(0, at), where: part.slice(at + 1) };
    });
}
