import { canonicalIpv6 } from '../../../services/legacy/tlv/ipv6.js';

/**
 * The addresses of an answer, in their one spelling. What is no address is left out: an original may
 * add stray bytes (wire/tlv.md, B2).
 */
export function addressesIn(text: string): readonly string[] {
  return text.split(' ').flatMap((word) => canonicalIpv6(word) ?? []);
}
