/** The text that answers a GET, in either framing (wire/tlv.md, section 4 and B5). */
import { canonicalIpv6, IPV6_TEXT_BYTES_MAX } from './ipv6.js';
import { type Framing, NOTHING_KNOWN } from './messages.js';
import { ANSWER_ADDRESSES_MAX } from './options.js';
import { SECOND_BYTES_MAX } from './original-codec.js';
import { PLAIN_DATA_BYTES_MAX } from './plain-codec.js';

/**
 * At most ten addresses, as many as fit into `bytesMax`, at least one; each once and in its one spelling,
 * and what is no IPv6 address is left out. In the original framing each has one space behind it, the last
 * one too, and nothing is `NOTHING_KNOWN`; in the plain one spaces are between, and nothing is nothing.
 */
export function answerText(
  framing: Framing,
  addresses: readonly string[],
  bytesMax: number,
): string {
  const formatMax = framing === 'original' ? SECOND_BYTES_MAX : PLAIN_DATA_BYTES_MAX;
  const roomBytes = Math.min(formatMax, Math.max(bytesMax, IPV6_TEXT_BYTES_MAX + 1));
  const words = new Set<string>();
  let text = '';
  for (const address of addresses) {
    const word = canonicalIpv6(address);
    if (word === undefined || words.has(word)) continue;
    if (words.size === ANSWER_ADDRESSES_MAX || text.length + word.length + 1 > roomBytes) break;
    words.add(word);
    text += `${word} `;
  }
  if (framing === 'plain') return text.trimEnd();
  return text === '' ? NOTHING_KNOWN : text;
}

/**
 * The addresses of an answer, in their one spelling. What is no address is left out: an original may
 * add stray bytes (wire/tlv.md, B2).
 */
export function addressesIn(text: string): readonly string[] {
  return text.split(' ').flatMap((word) => canonicalIpv6(word) ?? []);
}
