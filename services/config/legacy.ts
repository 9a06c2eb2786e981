/**
 * Where legacy dialects listen, and which legacy servers to work with.
 *
 * `--legacy` names dialects, such as `lieur=127.0.0.1:7403:7404` or `tlv=off`, separated by commas; `off`
 * alone switches all off. One that is not named keeps its default.
 */
import { formatHostPort, isWildcard, parseHostPort, type HostPort } from '../host-port.js';
import { bad, value, type Parsed } from './kinds.js';

/** Where each dialect listens. */
export type LegacyListen = {
  /** The main port; the four others are fixed, on the same host. */
  readonly tlv: HostPort;
  readonly 'simple-dht': HostPort;
  readonly lieur: { readonly main: HostPort; readonly verification: HostPort };
  readonly pair: HostPort;
};

export type LegacyName = keyof LegacyListen;

/** `off`: nowhere. Undefined: not named, so that it depends on whether the node founds a ring. */
export type LegacyChoice = {
  readonly [Name in LegacyName]: LegacyListen[Name] | 'off' | undefined;
};

export type LegacyPeers = {
  /** Hosts of servers, whose ports are fixed. */
  readonly tlv: readonly string[];
  readonly 'simple-dht': readonly HostPort[];
  readonly lieur: readonly HostPort[];
};

export const LEGACY_DEFAULTS: LegacyListen = {
  tlv: { host: '::1', port: 7401 },
  'simple-dht': { host: '127.0.0.1', port: 7402 },
  lieur: {
    main: { host: '127.0.0.1', port: 7403 },
    verification: { host: '127.0.0.1', port: 7404 },
  },
  pair: { host: '127.0.0.1', port: 7405 },
};

const NAMES = Object.keys(LEGACY_DEFAULTS) as LegacyName[];

/** What each must be, to say so. */
const FORMS: Readonly<Record<LegacyName, string>> = {
  tlv: 'tlv=[IPv6]:port',
  'simple-dht': 'simple-dht=host:port',
  lieur: 'lieur=IPv4:port:verification-port',
  pair: 'pair=host:port',
};

type Mutable<Type> = { -readonly [Key in keyof Type]: Type[Key] };

const LISTEN: { readonly [Name in LegacyName]: (text: string) => LegacyListen[Name] | undefined } =
  {
    tlv: (text) => only(parseHostPort(text), ({ host }) => host.includes(':')),
    'simple-dht': parseHostPort,
    lieur: parseLieur,
    pair: parseHostPort,
  };

export function parseLegacy(text: string): Parsed<LegacyChoice> {
  const isAllOff = text.trim() === 'off';
  const choice = Object.fromEntries(
    NAMES.map((name) => [name, isAllOff ? 'off' : undefined]),
  ) as Record<LegacyName, unknown>;
  if (isAllOff) return value(choice as LegacyChoice);
  for (const { name, where } of partsOf(text)) {
    if (!isName(name)) return bad(`off, or ${NAMES.map((each) => FORMS[each]).join(', ')}`);
    choice[name] = where === 'off' ? 'off' : LISTEN[name](where);
    if (choice[name] === undefined) return bad(`${FORMS[name]}, or ${name}=off`);
  }
  return value(choice as LegacyChoice);
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

/** Where a dialect listens, as it was given or would be typed. */
export function describeListen(where: LegacyListen[LegacyName]): string {
  if (!('main' in where)) return formatHostPort(where);
  return `${formatHostPort(where.main)}:${where.verification.port}`;
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

function isName(name: string): name is LegacyName {
  return (NAMES as readonly string[]).includes(name);
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
