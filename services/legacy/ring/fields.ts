/** The fields of a line of dialect `ring` (wire/ring.md, section 4), and what may stand in them. */
import type { RingNeighbor, RingRow } from '../core/session.js';

/** Originals read numbers of 32 bits with a sign. */
export const RING_ID_MAX = 2 ** 31 - 1;

const INTEGER = /^(?<sign>[+-]?)(?<digits>\p{Nd}+)$/u;
const DIGIT = /^\p{Nd}$/u;

/** Splits at colons; empty fields at the end are dropped, others are kept. */
export function fieldsOf(line: string): readonly string[] {
  const fields = line.split(':');
  while (fields.at(-1) === '') fields.pop();
  return fields;
}

/**
 * A ring ID, from 0 to `RING_ID_MAX`; undefined for what is none. Decimal digits of any script, a sign
 * and leading zeros are allowed.
 */
export function ringIdOf(text: string | undefined): number | undefined {
  const { sign, digits } = INTEGER.exec(text ?? '')?.groups ?? {};
  if (digits === undefined) return undefined;
  let magnitude = 0;
  for (const digit of digits) {
    magnitude = magnitude * 10 + valueOf(digit);
    if (magnitude > RING_ID_MAX) return undefined;
  }
  return sign === '-' && magnitude > 0 ? undefined : magnitude;
}

/** Digits of a script follow each other from 0 to 9; some scripts follow each other too. */
function valueOf(digit: string): number {
  const codePoint = digit.codePointAt(0) ?? 0;
  let zerosAt = codePoint;
  while (DIGIT.test(String.fromCodePoint(zerosAt - 1))) zerosAt -= 1;
  return (codePoint - zerosAt) % 10;
}

/** Whether a text can be a field that names a host: one field, one line, and not dropped as empty. */
export function isHostText(text: string): boolean {
  return /^[^:\n\r]+$/.test(text);
}

/** Whether a line can name the member: originals take others for a broken transmission. */
export function isSayable({ ringId, host }: RingNeighbor): boolean {
  return ringId <= RING_ID_MAX && isHostText(host);
}

export function isRowSayable({ start, successor }: RingRow): boolean {
  return start <= RING_ID_MAX && isSayable(successor);
}
