/**
 * What is asked on the ports of dialect `ring` (wire/ring.md, sections 3, 4 and 7.1), as lines without
 * their terminator. A line that is none of a port's requests is read as undefined.
 */
import { fieldsOf, isHostText, RING_ID_MAX, ringIdOf } from './fields.js';

/** To a WelcomeServer. */
export type WelcomeRequest =
  | { readonly kind: 'enter'; readonly ringId: number; readonly host: string }
  | { readonly kind: 'leave'; readonly ringId: number }
  | { readonly kind: 'host'; readonly ringId: number }
  | { readonly kind: 'base-table'; readonly ringId: number }
  | { readonly kind: 'list' };

/** To a peer, as group 1's programs ask; `table` is also what a monitor asks. */
export type PeerRequest =
  | { readonly kind: 'table' }
  | { readonly kind: 'enter'; readonly ringId: number; readonly host: string }
  | {
      readonly kind: 'message';
      readonly to: number;
      readonly senderHost: string;
      /** May have colons. */
      readonly text: string;
    }
  | {
      readonly kind: 'neighbor';
      readonly side: 'predecessor' | 'successor';
      readonly ringId: number;
      readonly host: string;
    };

export type RingRequest = WelcomeRequest | PeerRequest;

const SIDES = { '0': 'predecessor', '1': 'successor' } as const;

export function welcomeRequestIn(line: string): WelcomeRequest | undefined {
  const fields = fieldsOf(line);
  const [command, ringIdText, host] = fields;
  if (command === 'li?') return { kind: 'list' };
  const ringId = ringIdOf(ringIdText);
  if (ringId === undefined) return undefined;
  if (command === 'yo') return enterIn(fields.length, ringId, host);
  if (fields.length !== 2) return undefined;
  if (command === 'a+') return { kind: 'leave', ringId };
  if (command === 'ip?') return { kind: 'host', ringId };
  return command === 'rt?' ? { kind: 'base-table', ringId } : undefined;
}

export function peerRequestIn(line: string): PeerRequest | undefined {
  const fields = fieldsOf(line);
  const [command, first, second, third] = fields;
  switch (command) {
    case 'rt?':
      return { kind: 'table' };
    case 'msg':
      return messageIn(line, fields);
    case 'yo': {
      const ringId = ringIdOf(first);
      return ringId === undefined ? undefined : enterIn(fields.length, ringId, second);
    }
    case 'ctr': {
      const ringId = ringIdOf(second);
      const side = first === '0' || first === '1' ? SIDES[first] : undefined;
      const isWhole = ringId !== undefined && side !== undefined && third !== undefined;
      return isWhole ? { kind: 'neighbor', side, ringId, host: third } : undefined;
    }
    default:
      return undefined;
  }
}

function enterIn(
  fieldCount: number,
  ringId: number,
  host: string | undefined,
): Extract<WelcomeRequest, { kind: 'enter' }> | undefined {
  return fieldCount === 3 && host !== undefined ? { kind: 'enter', ringId, host } : undefined;
}

/** The text is all of the line behind the third colon: group 1 passes on what it does not show. */
function messageIn(line: string, fields: readonly string[]): PeerRequest | undefined {
  const [command = '', toText = '', senderHost = ''] = fields;
  const to = ringIdOf(toText);
  if (to === undefined || fields.length < 4) return undefined;
  const text = line.slice(command.length + toText.length + senderHost.length + 3);
  return { kind: 'message', to, senderHost, text };
}

/** Throws a `RangeError` for what no line can say. */
export function requestLine(request: RingRequest): string {
  switch (request.kind) {
    case 'enter':
      return `yo:${ringIdField(request.ringId)}:${hostField(request.host)}`;
    case 'leave':
      return `a+:${ringIdField(request.ringId)}`;
    case 'host':
      return `ip?:${ringIdField(request.ringId)}`;
    case 'base-table':
      return `rt?:${ringIdField(request.ringId)}`;
    case 'list':
      return 'li?';
    case 'table':
      return 'rt?';
    case 'message': {
      const { to, senderHost, text } = request;
      if (/^:*$|[\n\r]/.test(text)) throw new RangeError('a text of no words, or of several lines');
      return `msg:${ringIdField(to)}:${hostField(senderHost)}:${text}`;
    }
    case 'neighbor': {
      const side = request.side === 'predecessor' ? 0 : 1;
      return `ctr:${side}:${ringIdField(request.ringId)}:${hostField(request.host)}`;
    }
  }
}

function ringIdField(ringId: number): number {
  if (Number.isInteger(ringId) && ringId >= 0 && ringId <= RING_ID_MAX) return ringId;
  throw new RangeError(`a ring ID of ${ringId}; 0 to ${RING_ID_MAX} allowed`);
}

function hostField(host: string): string {
  if (isHostText(host)) return host;
  throw new RangeError('a host that is empty, or has colons or line ends');
}
