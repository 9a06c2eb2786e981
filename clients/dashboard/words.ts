/** Figures and names as people read them. */
import type { PeerJson } from '../../services/dashboard/messages.js';
import { dialectOf, type ShownPeer } from './model.js';

const NUMBER = new Intl.NumberFormat('en');
const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB'] as const;

export function count(value: number): string {
  return NUMBER.format(value);
}

/** `one` for one, `one` with an s for all other counts. */
export function counted(value: number, one: string): string {
  return `${count(value)} ${one}${value === 1 ? '' : 's'}`;
}

export function bytes(value: number): string {
  const power = Math.min(Math.floor(Math.log2(Math.max(value, 1)) / 10), UNITS.length - 1);
  const scaled = value / 1_024 ** power;
  return `${scaled.toFixed(power === 0 || scaled >= 100 ? 0 : 1)} ${UNITS[power] ?? ''}`;
}

export function milliseconds(value: number): string {
  return `${value.toFixed(value < 10 ? 1 : 0)} ms`;
}

export function time(ms: number): string {
  return new Date(ms).toLocaleTimeString('en-GB');
}

/** What a peer is, for those who listen. */
export function description({ peer, view, isAnswering }: ShownPeer): string {
  const dialect = dialectOf(peer);
  const kind = dialect === undefined ? 'Peer' : `Guest of dialect ${dialect}`;
  const successor = view?.successors[0]?.address;
  const next = successor === undefined ? '' : `, before ${successor}`;
  return `${kind} ${peer.address}${isAnswering ? next : ', does not answer'}`;
}

/** A name that fits: what all addresses share is left out, and the rest loses its beginning. */
export function shortName(
  peer: PeerJson,
  sharedHost: string | undefined,
  charsMax: number,
): string {
  const dialect = dialectOf(peer);
  if (dialect !== undefined) return shortGuest(dialect, charsMax);
  const text = withoutHost(peer.address, sharedHost);
  return text.length > charsMax ? `…${text.slice(1 - charsMax)}` : text;
}

/** The host of all peers that are no guests, when it is one. */
export function sharedHostOf(peers: readonly PeerJson[]): string | undefined {
  const hosts = new Set(
    peers.filter(({ host }) => host === undefined).map(({ address }) => hostOf(address)),
  );
  const [host] = hosts;
  return hosts.size === 1 ? host : undefined;
}

function shortGuest(dialect: string, charsMax: number): string {
  const text = `${dialect} guest`;
  return text.length > charsMax ? dialect.slice(0, charsMax) : text;
}

function withoutHost(address: string, host: string | undefined): string {
  return host !== undefined && hostOf(address) === host ? address.slice(host.length) : address;
}

function hostOf(address: string): string {
  return address.slice(0, address.lastIndexOf(':'));
}
