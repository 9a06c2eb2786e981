/**
 * IPv6 addresses as the text that travels in dialect `tlv`: read strictly, and written as `inet_ntop`
 * writes them. Addresses are compared whole in this one form (wire/tlv.md, B8 and B9).
 *
 * Pure, so that the session may use it: no `node:net`.
 */

/** `inet_ntop` writes no longer text, and an original has no room for one (wire/tlv.md, B13). */
export const IPV6_TEXT_BYTES_MAX = 45;

/**
 * A server bound to a mapped address (`::ffff:a.b.c.d`) can't send to a native one, nor the other way
 * round; an original dies of trying (wire/tlv.md, B11).
 */
export type AddressKind = 'native' | 'mapped';

const GROUPS = 8;
const GROUP = /^[0-9a-f]{1,4}$/;
const IPV4 = /^(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(?:\.(?!$)|$)){4}$/;

/** The one spelling of an address; undefined for what is no IPv6 address, and for one with a zone. */
export function canonicalIpv6(text: string): string | undefined {
  if (text.length > IPV6_TEXT_BYTES_MAX) return undefined;
  const groups = groupsOf(text.toLowerCase());
  return groups === undefined ? undefined : textOf(groups);
}

/** Of an address in its one spelling. */
export function addressKind(address: string): AddressKind {
  return address.startsWith('::ffff:') && address.includes('.') ? 'mapped' : 'native';
}

/**
 * Whether anybody elsewhere could send to the address, in its one spelling: not to the unspecified one,
 * a multicast group, or an address that holds on one link only.
 */
export function isSendable(address: string): boolean {
  if (addressKind(address) === 'mapped')
    return !/^::ffff:(?:0|22[4-9]|23\d|2[45]\d)\./.test(address);
  return address !== '::' && !/^(?:ff[0-9a-f]{2}|fe[89ab][0-9a-f]):/.test(address);
}

function groupsOf(text: string): readonly number[] | undefined {
  const halves = text.split('::');
  if (halves.length > 2) return undefined;
  const [head, tail] = halves.map((half, index) => partsOf(half, index === halves.length - 1));
  if (head === undefined) return undefined;
  if (halves.length === 1) return head.length === GROUPS ? head : undefined;
  if (tail === undefined || head.length + tail.length >= GROUPS) return undefined;
  return [...head, ...Array<number>(GROUPS - head.length - tail.length).fill(0), ...tail];
}

/** The groups of one side of `::`; only the very last part may be an IPv4 address. */
function partsOf(half: string, isLast: boolean): readonly number[] | undefined {
  if (half === '') return [];
  const groups: number[] = [];
  const parts = half.split(':');
  for (const [index, part] of parts.entries()) {
    if (GROUP.test(part)) groups.push(parseInt(part, 16));
    else if (isLast && index === parts.length - 1 && IPV4.test(part))
      groups.push(...ipv4Groups(part));
    else return undefined;
  }
  return groups;
}

function ipv4Groups(text: string): readonly number[] {
  const [a = 0, b = 0, c = 0, d = 0] = text.split('.').map(Number);
  return [a * 256 + b, c * 256 + d];
}

function textOf(groups: readonly number[]): string {
  const [high = 0, low = 0] = groups.slice(6);
  const isMapped = groups[5] === 0xffff && groups.slice(0, 5).every((group) => group === 0);
  if (isMapped) return `::ffff:${[high >> 8, high & 255, low >> 8, low & 255].join('.')}`;
  const { start, count } = longestZeros(groups);
  const hex = (some: readonly number[]): string =>
    some.map((group) => group.toString(16)).join(':');
  if (count < 2) return hex(groups);
  return `${hex(groups.slice(0, start))}::${hex(groups.slice(start + count))}`;
}

/** The first of the longest runs of zero groups, which `::` stands for. */
function longestZeros(groups: readonly number[]): {
  readonly start: number;
  readonly count: number;
} {
  let best = { start: 0, count: 0 };
  let start = 0;
  for (const [index, group] of groups.entries()) {
    if (group !== 0) start = index + 1;
    else if (index + 1 - start > best.count) best = { start, count: index + 1 - start };
  }
  return best;
}
