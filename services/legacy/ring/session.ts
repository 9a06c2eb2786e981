/** One port of dialect `ring`: reads the line, answers as the port does, and notes both. Pure. */
import type { LineSession, SessionNote, Source } from '../core/session.js';
import { replyLines, type RingReply } from './reply-codec.js';
import type { RingRequest } from './request-codec.js';

/** A text for the HashServer, a request, or a line that is none. */
export type RingQuestion =
  RingRequest | { readonly kind: 'text'; readonly text: string } | { readonly kind: 'malformed' };

/** What a port makes of a line. */
export interface RingPort<Question extends RingQuestion> {
  read(line: string): Question;
  /** Calls `done` once. */
  answer(question: Question, done: (reply: RingReply) => void): void;
  /** To a line that is too long to be read. */
  readonly refusal: RingReply;
}

export type RingSessionDeps<Question extends RingQuestion> = {
  readonly socket: string;
  readonly port: RingPort<Question>;
  readonly note: (note: SessionNote) => void;
};

export class RingSession<Question extends RingQuestion> implements LineSession {
  readonly tooLong: readonly string[];
  readonly #deps: RingSessionDeps<Question>;

  constructor(deps: RingSessionDeps<Question>) {
    this.#deps = deps;
    this.tooLong = replyLines(deps.port.refusal);
  }

  answer(line: string, peer: Source, reply: (lines: readonly string[]) => void): void {
    const { socket, port, note } = this.#deps;
    const question = port.read(line);
    note({ direction: 'in', socket, peer, what: question.kind, fields: questionFields(question) });
    port.answer(question, (replied) => {
      note({ direction: 'out', socket, peer, what: replied.kind, fields: replyFields(replied) });
      reply(replyLines(replied));
    });
  }
}

const NOTED_LENGTH_MAX = 100;

/** Of what a user says, only its length. */
function questionFields(question: RingQuestion): SessionNote['fields'] {
  switch (question.kind) {
    case 'text':
      return { text: noted(question.text) };
    case 'enter':
      return { ringId: question.ringId, host: noted(question.host) };
    case 'neighbor': {
      const { side, ringId, host } = question;
      return { side, ringId, host: noted(host) };
    }
    case 'leave':
    case 'host':
    case 'base-table':
      return { ringId: question.ringId };
    case 'message': {
      const { to, senderHost, text } = question;
      return { to, sender: noted(senderHost), characters: text.length };
    }
    default:
      return {};
  }
}

function replyFields(reply: RingReply): SessionNote['fields'] {
  switch (reply.kind) {
    case 'ring-id':
      return { ringId: reply.ringId };
    case 'host':
      return { host: noted(reply.host) };
    case 'members':
      return { members: reply.members.length };
    case 'table':
      return { rows: reply.rows.length };
    case 'neighbors':
      return { predecessor: reply.predecessor.ringId, successor: reply.successor.ringId };
    case 'nobody':
      return { to: reply.to };
    default:
      return {};
  }
}

function noted(text: string): string {
  return text.length > NOTED_LENGTH_MAX ? `${text.slice(0, NOTED_LENGTH_MAX)}…` : text;
}
