/**
 * Addresses as bytes and as text, and which of them may be made a peer (wire/simple-dht.md, R3, R8,
 * R10 and R11).
 */
import type { Source } from '../core/session.js';

const MAPPED_PREFIX = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff];

/**
 * Writes 4 or 16 bytes as `canonicalHost` does: dotted, or the shortest lower-case IPv6. A mapped
 * address is the IPv4 address that it means, so that a peer has one entry (R11).
 */
export function hostOfBytes(address: Uint8Array): string {
  if (address.length === 4) return address.join('.');
  if (MAPPED_PREFIX.every((byte, index) => address[index] === byte)) {
    return address.subarray(MAPPED_PREFIX.length).join('.');
  }
  const view = new DataView(address.buffer, address.byteOffset, address.length);
  return shortest(Array.from({ length: 8 }, (_, index) => view.getUint16(2 * index).toString(16)));
}

/** Only this machine sends from there. */
export function isLoopbackHost(host: string): boolean {
  return host === '::1' || host.startsWith('127.');
}

/** One text for one peer, as the key of a table. */
export function peerKey({ host, port }: Source): string {
  return `${host} ${port}`;
}

/** Why nothing may be sent there, or undefined when it is a place for one program. */
export function whyNoPeer({ host, port }: Source): string | undefined {
  if (port === 0) return 'port 0';
  return host.includes(':') ? whyNoIpv6(host) : whyNoIpv4(host);
}

function whyNoIpv4(host: string): string | undefined {
  const first = Number(host.split('.')[0]);
  if (first === 0) return 'unspecified address';
  if (host === '255.255.255.255') return 'broadcast address';
  if (first >= 240) return 'reserved address';
  return first >= 224 ? 'multicast address' : undefined;
}

function whyNoIpv6(host: string): string | undefined {
  if (host === '::') return 'unspecified address';
  if (/^ff..:/.test(host)) return 'multicast address';
  // A message has no room for the interface, without which such an address leads nowhere.
  return /^fe[89ab].:/.test(host) && !host.includes('%') ? 'link-local address' : undefined;
}

/** Leaves out the first of the longest runs of two zeros or more. */
function shortest(groups: readonly string[]): string {
  let run = { from: 0, length: 1 };
  for (let from = 0; from < groups.length; from += 1) {
    const end = groups.findIndex((group, index) => index >= from && group !== '0');
    const length = (end === -1 ? groups.length : end) - from;
    if (length > run.length) run = { from, length };
  }
  if (run.length === 1) return groups.join(':');
  return `${groups.slice(0, run.from).join(':')}::${groups.slice(run.from + run.length).join(':')}`;
}
