/**
 * Where legacy dialects listen, and which legacy servers to work with.
 *
 * `--legacy` names dialects, `lieur=127.0.0.1:7403:7404` or `lieur=off`, separated by commas; `off` alone
 * switches all off. One that is not named keeps its default.
 */
import { formatHostPort, isWildcard, parseHostPort, type HostPort } from '../host-port.js';
import { bad, value, type Parsed } from './kinds.js';

/** Where one dialect listens; `off`: nowhere. */
export type LieurListen = { readonly main: HostPort; readonly verification: HostPort };

export type LegacyChoice = {
  /** Undefined: not named, so that it depends on whether the node founds a ring. */
  readonly lieur: LieurListen | 'off' | undefined;
};

export type LegacyPeers = { readonly lieur: readonly HostPort[] };

export const LIEUR_DEFAULT: LieurListen = {
  main: { host: '127.0.0.1', port: 7403 },
  verification: { host: '127.0.0.1', port: 7404 },
};

export function parseLegacy(text: string): Parsed<LegacyChoice> {
  if (text.trim() === 'off') return value({ lieur: 'off' });
  let lieur: LegacyChoice['lieur'];
  for (const part of partsOf(text)) {
    const [name = '', where = ''] = split(part);
    if (name !== 'lieur') return bad(`off, or lieur=…; this version has no dialect ${name}`);
    lieur = where === 'off' ? 'off' : parseLieur(where);
    if (lieur === undefined)
      return bad(`lieur=host:port:verification-port over IPv4, or lieur=off`);
  }
  return value({ lieur });
}

export function parseLegacyPeers(text: string): Parsed<LegacyPeers> {
  const lieur = new Map<string, HostPort>();
  for (const part of partsOf(text)) {
    const [name = '', where = ''] = split(part);
    if (name !== 'lieur') return bad(`lieur=host:port; this version has no dialect ${name}`);
    const address = parseHostPort(where);
    if (address === undefined || address.port === 0 || !isIpv4(address)) {
      return bad('lieur=host:port with an IPv4 address that can be dialled');
    }
    lieur.set(formatHostPort(address), address);
  }
  return value({ lieur: [...lieur.values()] });
}

/** `host:main-port:verification-port` */
function parseLieur(text: string): LieurListen | undefined {
  const [, host = '', one = '', other = ''] = /^([^:]+):(\d+):(\d+)$/.exec(text) ?? [];
  const main = parseHostPort(`${host}:${one}`);
  const verification = parseHostPort(`${host}:${other}`);
  if (main === undefined || verification === undefined || !isIpv4(main)) return undefined;
  return { main, verification };
}

function isIpv4({ host }: HostPort): boolean {
  return /^\d+\.\d+\.\d+\.\d+$/.test(host) || host === 'localhost' || isWildcard(host);
}

function partsOf(text: string): readonly string[] {
  return text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
}

function split(part: string): readonly string[] {
  const at = part.indexOf('=');
  return at < 0 ? [part] : [part.slice(0, at), part.slice(at + 1)];
}
