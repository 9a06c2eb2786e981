/**
 * One line of dialect `ring`, whoever says it: for people who want it explained. Sessions know their port
 * and read only what may come there; here a line that several ports know is what most of them mean.
 */
import type { Decoded, Dialect } from '../core/dialect.js';
import { LineReader } from '../core/line-reader.js';
import type { RingNeighbor } from '../core/session.js';
import { ringIdOf } from './fields.js';
import { END, neighborIn, rowIn, TOKENS } from './reply-codec.js';
import { peerRequestIn, requestLine, type RingRequest, welcomeRequestIn } from './request-codec.js';

export type RingLine =
  | RingRequest
  /** Answers of one word. */
  | { readonly kind: keyof typeof TOKENS | 'end' }
  | { readonly kind: 'ring-id'; readonly ringId: number }
  | ({ readonly kind: 'member' } & RingNeighbor)
  | { readonly kind: 'row'; readonly start: number; readonly successor: RingNeighbor }
  /** An address, or a text for the HashServer. */
  | { readonly kind: 'text'; readonly text: string };

/** Longer lines are refused: what holds a line for every connection must stay small. */
export const LINE_BYTES_MAX = 64 * 1_024;

export const RING: Dialect<RingLine> = {
  name: 'ring',
  messageBytesMax: LINE_BYTES_MAX + 1,
  decode,
  encode: (line) => new TextEncoder().encode(`${textOf(line)}\n`),
};

/** CR LF is read as CR: the LF belongs to what follows. */
function decode(bytes: Uint8Array): Decoded<RingLine> {
  const reader = new LineReader(LINE_BYTES_MAX);
  const [text] = reader.read(bytes);
  if (reader.isTooLong) {
    return { kind: 'malformed', why: `a line of more than ${LINE_BYTES_MAX} bytes` };
  }
  if (text === undefined) return { kind: 'incomplete' };
  const terminatorAt = bytes.findIndex((byte) => byte === 0x0a || byte === 0x0d);
  return { kind: 'message', message: lineOf(text), bytesUsed: terminatorAt + 1 };
}

function lineOf(text: string): RingLine {
  return welcomeRequestIn(text) ?? peerRequestIn(text) ?? answerOf(text) ?? { kind: 'text', text };
}

function answerOf(text: string): RingLine | undefined {
  if (text === END) return { kind: 'end' };
  for (const [kind, token] of Object.entries(TOKENS) as [keyof typeof TOKENS, string][]) {
    if (text === token) return { kind };
  }
  const ringId = ringIdOf(text);
  if (ringId !== undefined) return { kind: 'ring-id', ringId };
  const row = rowIn(text);
  if (row !== undefined) return { kind: 'row', ...row };
  const member = neighborIn(text);
  return member === undefined ? undefined : { kind: 'member', ...member };
}

function textOf(line: RingLine): string {
  switch (line.kind) {
    case 'end':
      return END;
    case 'ring-id':
      return String(line.ringId);
    case 'member':
      return `${line.ringId}:${line.host}`;
    case 'row':
      return `${line.start}:${line.successor.ringId}:${line.successor.host}`;
    case 'text':
      if (/[\n\r]/.test(line.text)) throw new RangeError('a text of several lines');
      return line.text;
    case 'enter':
    case 'leave':
    case 'host':
    case 'base-table':
    case 'list':
    case 'table':
    case 'message':
    case 'neighbor':
      return requestLine(line);
    default:
      return TOKENS[line.kind];
  }
}
