/**
 * Texts of dialect `tlv` and their bytes: one character for each byte, so that what is read stays as it
 * was; what is written is printable ASCII only, for an original ends every text at a zero byte.
 */
import { canonicalIpv6 } from './ipv6.js';

const PRINTABLE = /^[\x20-\x7e]*$/;
const WORD = /^[\x21-\x7e]+$/;

/** Bytes of `bytes` from `start`, at most `length`, as characters U+0000 to U+00FF. */
export function textAt(bytes: Uint8Array, start: number, length = bytes.length): string {
  const { buffer, byteOffset } = bytes;
  const buffered = bytes instanceof Buffer ? bytes : Buffer.from(buffer, byteOffset, bytes.length);
  return buffered.toString('latin1', start, Math.min(start + length, bytes.length));
}

/** The bytes of a text that `textAt` has read, or that is printable, from `start` on. */
export function writeText(text: string, bytes: Uint8Array, start: number): void {
  for (let index = 0; index < text.length; index += 1)
    bytes[start + index] = text.charCodeAt(index);
}

/** Throws a `RangeError` for a text that is not printable ASCII or is longer than `bytesMax`. */
export function assertPrintable(what: string, text: string, bytesMax: number): void {
  if (!PRINTABLE.test(text)) throw new RangeError(`${what} is not printable ASCII`);
  if (text.length > bytesMax) {
    throw new RangeError(`${what} has ${text.length} bytes, at most ${bytesMax} may be sent`);
  }
}

/** Throws a `RangeError` for a text that is no single printable word. */
export function assertWord(what: string, text: string, bytesMax: number): void {
  assertPrintable(what, text, bytesMax);
  if (!isWord(text)) throw new RangeError(`${what} is empty or has spaces`);
}

/** Throws a `RangeError` for what is no IPv6 address in its one spelling: a server may die of it (B11). */
export function assertAddress(what: string, text: string): void {
  if (canonicalIpv6(text) !== text) throw new RangeError(`${what} is no IPv6 address: ${text}`);
}

/** Printable ASCII without spaces, and not empty. */
export function isWord(text: string): boolean {
  return WORD.test(text);
}

export function isPrintable(text: string): boolean {
  return PRINTABLE.test(text);
}
