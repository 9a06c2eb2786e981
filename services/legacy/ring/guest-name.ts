/**
 * What a legacy peer of dialect `ring` is called in the ring: a URI with the dialect as its scheme, so
 * that any text is an address of its own and none is that of a node.
 */
import { createHash } from 'node:crypto';

const SCHEME = 'ring://';
/** A text whose URI would be longer than an address may be; its digest stands for it. */
const DIGEST_SCHEME = 'ring:sha-256;';
const ADDRESS_BYTES_MAX = 4_096;

/**
 * The address of a text; with a ring ID for one that has another one besides, as originals let a host
 * have several.
 */
export function guestAddress(text: string, ringId?: number): string {
  const besides = ringId === undefined ? '' : `${ringId}@`;
  const address = SCHEME + besides + encodeURIComponent(text.toWellFormed());
  if (address.length <= ADDRESS_BYTES_MAX) return address;
  return (
    DIGEST_SCHEME +
    createHash('sha256')
      .update(besides + text)
      .digest('hex')
  );
}

/** The text of an address; undefined when it is none of this dialect, or was too long for it. */
export function guestText(address: string): string | undefined {
  if (!address.startsWith(SCHEME)) return undefined;
  const text = address.slice(SCHEME.length).replace(/^\d+@/, '');
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
