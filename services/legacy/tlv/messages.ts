/** The messages of dialect `tlv`, whichever framing they come in (wire/tlv.md, section 4). */

/**
 * How a message is written: as the original programs do, or as their document reads: TYPE one byte,
 * LENGTH two bytes, high byte first, DATA. An answer goes out in the framing of its question.
 */
export type Framing = 'original' | 'plain';

/** Texts have one character, U+0000 to U+00FF, for each byte: nothing read is lost or made up. */
export type TlvMessage = { readonly framing: Framing } & (
  | { readonly kind: 'GET'; readonly hash: string }
  | { readonly kind: 'PUT'; readonly ip: string; readonly hash: string }
  /** Between servers. */
  | { readonly kind: 'HAVE'; readonly ip: string; readonly hash: string }
  /** The HAVE that answers a GET: addresses with spaces between, or `NOTHING_KNOWN`. */
  | { readonly kind: 'ANSWER'; readonly text: string }
  | { readonly kind: 'EXIT'; readonly password: string }
  | { readonly kind: 'EXIT_ANSWER'; readonly text: string }
  | { readonly kind: 'NEW_SERV'; readonly ip: string }
  | { readonly kind: SignalKind }
  /** The empty datagram, which is never written (wire/tlv.md, B10). */
  | { readonly kind: 'REFUSAL' }
);

/** Messages that say no more than their type. */
export type SignalKind = 'NEW' | 'DECO' | 'KEEP_ALIVE' | 'YES';

export type TlvKind = TlvMessage['kind'];

/** Types as numbers; in the original framing the ASCII digit of it. 2 is WANT, never sent by anybody. */
export const TLV_TYPES = {
  GET: 0,
  PUT: 1,
  HAVE: 3,
  ANSWER: 3,
  EXIT: 4,
  NEW: 5,
  DECO: 6,
  EXIT_ANSWER: 6,
  KEEP_ALIVE: 7,
  YES: 8,
  NEW_SERV: 9,
} as const satisfies Record<Exclude<TlvKind, 'REFUSAL'>, number>;

/** What the originals answer, word for word. */
export const NOTHING_KNOWN = 'no IP match with request';
export const EXIT_ACCEPTED = 'mot de passe correct, arret du serveur';
export const EXIT_REFUSED = 'mot de passe incorrect';

/** The same byte in the original framing. */
export const ASCII_ZERO = 0x30;

/** The kind of a type that is a signal; undefined for the others. */
export function signalOf(type: number): SignalKind | undefined {
  return SIGNALS.get(type);
}

const SIGNALS: ReadonlyMap<number, SignalKind> = new Map(
  (['NEW', 'DECO', 'KEEP_ALIVE', 'YES'] as const).map((kind) => [TLV_TYPES[kind], kind]),
);
