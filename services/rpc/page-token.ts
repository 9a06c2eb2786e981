/**
 * Page tokens: where the next page of a list begins, opaque to callers.
 *
 * Before base64url: version (1 byte), the first 8 bytes of SHA-256 of the scope, the first 8 bytes
 * of SHA-256 of everything else, and the last key of the previous page in UTF-8. The checksum finds
 * damage and mix-ups; it is no seal, and a token carries no rights.
 */
import { createHash } from 'node:crypto';
import { RingbinderError } from '../errors.js';

const VERSION = 1;
const DIGEST_BYTES = 8;
const SCOPE_OFFSET = 1;
const CHECKSUM_OFFSET = SCOPE_OFFSET + DIGEST_BYTES;
const AFTER_OFFSET = CHECKSUM_OFFSET + DIGEST_BYTES;

/** Longest key that a list is in order of: an address. Its token has 5,484 characters. */
const AFTER_BYTES_MAX = 4096;

const PAGE_SIZE_DEFAULT = 100;
const PAGE_SIZE_MAX = 1000;

/** What a token stands for. */
export type PagePosition = {
  /** Which list, and every argument that changes its contents or order; the page size doesn't. */
  readonly scope: string;
  /** Key of the last entry of the previous page. */
  readonly after: string;
};

/** Returns the token of the page behind a position. */
export function encodePageToken({ scope, after }: PagePosition): string {
  const afterBytes = Buffer.from(after, 'utf8');
  const head = Buffer.concat([Buffer.of(VERSION), digestOf(scope)]);
  const checksum = digestOf(head, afterBytes);
  return Buffer.concat([head, checksum, afterBytes]).toString('base64url');
}

/**
 * Returns the key that the page begins behind, undefined for the first page (an empty token).
 * Throws `PAGE_TOKEN_INVALID` when the token is damaged, of another version or of another scope.
 */
export function decodePageToken(token: string, scope: string): string | undefined {
  if (token === '') return undefined;
  const bytes = Buffer.from(token, 'base64url');
  const afterBytes = bytes.subarray(AFTER_OFFSET);
  const isWhole =
    bytes.toString('base64url') === token &&
    bytes.length >= AFTER_OFFSET &&
    afterBytes.length <= AFTER_BYTES_MAX;
  if (!isWhole) throw invalid('damaged');
  if (bytes[0] !== VERSION) throw invalid('of another version');
  const checksum = digestOf(bytes.subarray(0, CHECKSUM_OFFSET), afterBytes);
  if (!checksum.equals(bytes.subarray(CHECKSUM_OFFSET, AFTER_OFFSET))) throw invalid('damaged');
  if (!digestOf(scope).equals(bytes.subarray(SCOPE_OFFSET, CHECKSUM_OFFSET))) {
    throw invalid('of another list or other arguments');
  }
  return textOf(afterBytes);
}

/** Returns how many entries a page has at most: 100 when 0 was asked for, never above 1,000. */
export function pageSizeOf(requested: number): number {
  if (requested === 0) return PAGE_SIZE_DEFAULT;
  return Math.min(requested, PAGE_SIZE_MAX);
}

function textOf(bytes: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw invalid('damaged');
  }
}

function invalid(defect: string): RingbinderError {
  return new RingbinderError(
    'PAGE_TOKEN_INVALID',
    `the page token is ${defect}; start again with an empty one`,
    { defect },
  );
}

function digestOf(...parts: readonly (string | Buffer)[]): Buffer {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest().subarray(0, DIGEST_BYTES);
}
