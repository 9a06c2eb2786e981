/**
 * What is answered on the ports of dialect `ring` (wire/ring.md, sections 3, 4, 5 and 7.1), as lines
 * without their terminator. What is read is read as the original MonitorServer reads it: only the number
 * of fields and the numbers are looked at, and nothing behind `end`.
 */
import type { RingNeighbor, RingRow } from '../core/session.js';
import { fieldsOf, ringIdOf } from './fields.js';

export type RingReply =
  /** HashServer. */
  | { readonly kind: 'ring-id'; readonly ringId: number }
  | { readonly kind: 'full' }
  /** WelcomeServer. */
  | { readonly kind: 'first' }
  | { readonly kind: 'refused' }
  | { readonly kind: 'unknown' }
  | { readonly kind: 'done' }
  | { readonly kind: 'host'; readonly host: string }
  | { readonly kind: 'members'; readonly members: readonly RingNeighbor[] }
  /** WelcomeServer and peers. */
  | { readonly kind: 'table'; readonly rows: readonly RingRow[] }
  /** Peers of group 1. */
  | {
      readonly kind: 'neighbors';
      readonly predecessor: RingNeighbor;
      readonly successor: RingNeighbor;
    }
  | { readonly kind: 'received' }
  | { readonly kind: 'passed-on' }
  | { readonly kind: 'nobody'; readonly to: number }
  | { readonly kind: 'not-understood' };

export const TOKENS = {
  full: 'aht',
  first: 'yaf',
  refused: 'wrq',
  unknown: 'ukh',
  done: 'ok',
  'not-understood': 'Message/Commande incompris(e).',
} as const satisfies Partial<Record<RingReply['kind'], string>>;

export const END = 'end';
const RECEIVED = 'message reçu';
const PASSED_ON = 'message transmis au successeur.';

export function replyLines(reply: RingReply): readonly string[] {
  switch (reply.kind) {
    case 'ring-id':
      return [String(reply.ringId)];
    case 'host':
      return [reply.host];
    case 'members':
      return [...reply.members.map(neighborLine), END];
    case 'table':
      return [...reply.rows.map(rowLine), END];
    case 'neighbors':
      return [neighborLine(reply.predecessor), neighborLine(reply.successor)];
    case 'received':
      return [RECEIVED, RECEIVED];
    case 'passed-on':
      return [PASSED_ON, RECEIVED];
    case 'nobody':
      return [`Aucun membre du réseau n'a pour hash : ${reply.to}`, RECEIVED];
    default:
      return [TOKENS[reply.kind]];
  }
}

function neighborLine({ ringId, host }: RingNeighbor): string {
  return `${ringId}:${host}`;
}

function rowLine({ start, successor }: RingRow): string {
  return `${start}:${neighborLine(successor)}`;
}

/** `h:host`, exactly. */
export function neighborIn(line: string): RingNeighbor | undefined {
  const fields = fieldsOf(line);
  const [ringIdText, host] = fields;
  const ringId = ringIdOf(ringIdText);
  if (ringId === undefined || host === undefined || fields.length !== 2) return undefined;
  return { ringId, host };
}

/** `k:h:host`, exactly. */
export function rowIn(line: string): RingRow | undefined {
  const fields = fieldsOf(line);
  const [startText, ringIdText, host] = fields;
  const [start, ringId] = [ringIdOf(startText), ringIdOf(ringIdText)];
  if (start === undefined || ringId === undefined) return undefined;
  if (host === undefined || fields.length !== 3) return undefined;
  return { start, successor: { ringId, host } };
}

/** The answer of a HashServer. */
export function ringIdIn([line]: readonly string[]): number | 'full' | undefined {
  return line === TOKENS.full ? 'full' : ringIdOf(line);
}

/** The answer to `yo` of a WelcomeServer; undefined when it closed without one. */
export function entryIn([line]: readonly string[]):
  'first' | 'refused' | { readonly entry: string } | undefined {
  if (line === TOKENS.first) return 'first';
  if (line === TOKENS.refused) return 'refused';
  return line === undefined ? undefined : { entry: line };
}

/** The answer to `ip?`; undefined when it closed without one. */
export function hostIn([line]: readonly string[]):
  'unknown' | 'refused' | { readonly host: string } | undefined {
  if (line === TOKENS.unknown) return 'unknown';
  if (line === TOKENS.refused) return 'refused';
  return line === undefined ? undefined : { host: line };
}

/** The answer to `a+`. */
export function departureIn([line]: readonly string[]): 'left' | 'refused' | undefined {
  if (line === TOKENS.done) return 'left';
  return line === TOKENS.refused ? 'refused' : undefined;
}

/** The answer to `li?`, which may lack its `end`; undefined when a line of it is no member. */
export function membersIn(lines: readonly string[]): readonly RingNeighbor[] | undefined {
  return each(beforeEnd(lines), neighborIn);
}

/** The answer of a peer to `rt?`, which may lack its `end`; undefined when a line of it is no row. */
export function tableIn(lines: readonly string[]): readonly RingRow[] | undefined {
  return each(beforeEnd(lines), rowIn);
}

/** The answer to `rt?:h`, which must have its `end`; undefined when it is none. */
export function baseTableIn(
  lines: readonly string[],
): 'unknown' | 'refused' | readonly RingRow[] | undefined {
  if (lines[0] === TOKENS.unknown) return 'unknown';
  if (lines[0] === TOKENS.refused) return 'refused';
  return lines.includes(END) ? tableIn(lines) : undefined;
}

/** The answer of a peer of group 1 to `yo`: two lines. */
export function neighborsIn([first, second]: readonly string[]):
  { readonly predecessor: RingNeighbor; readonly successor: RingNeighbor } | undefined {
  const [predecessor, successor] = [neighborIn(first ?? ''), neighborIn(second ?? '')];
  if (predecessor === undefined || successor === undefined) return undefined;
  return { predecessor, successor };
}

function beforeEnd(lines: readonly string[]): readonly string[] {
  const endAt = lines.indexOf(END);
  return endAt === -1 ? lines : lines.slice(0, endAt);
}

function each<Part>(
  lines: readonly string[],
  read: (line: string) => Part | undefined,
): readonly Part[] | undefined {
  const parts: Part[] = [];
  for (const line of lines) {
    const part = read(line);
    if (part === undefined) return undefined;
    parts.push(part);
  }
  return parts;
}
