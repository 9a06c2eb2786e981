/**
 * Programs that speak raw TCP, as the other ends of peer streams: `pair://host:port`. They are in no ring,
 * so their ring ID and incarnation mean nothing (wire/pair.md, section 3).
 */
import { formatHostPort, parseHostPort, type HostPort } from '../../host-port.js';
import type { PeerRef } from '../../peer/core/ring-space.js';

const SCHEME = 'pair://';

export function isPairAddress(address: string): boolean {
  return address.startsWith(SCHEME);
}

/** Where to dial; undefined when the address is none of this scheme, or has no port. */
export function parsePairAddress(address: string): HostPort | undefined {
  if (!isPairAddress(address)) return undefined;
  const where = parseHostPort(address.slice(SCHEME.length));
  return where === undefined || where.port === 0 ? undefined : where;
}

export function pairPeer(where: HostPort): PeerRef {
  return { ringId: 0, address: `${SCHEME}${formatHostPort(where)}`, incarnation: 0 };
}
