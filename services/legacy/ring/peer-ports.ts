/**
 * The ports of an original peer: the one that a monitor asks (wire/ring.md, section 5), and the one for the
 * programs of group 1 (section 7.1).
 */
import type { RingCalls } from '../core/session.js';
import { isRowSayable, isSayable } from './fields.js';
import type { RingReply } from './reply-codec.js';
import { peerRequestIn, type PeerRequest } from './request-codec.js';
import type { RingPort } from './session.js';

type PeerQuestion = PeerRequest | { readonly kind: 'malformed' };

const NOT_UNDERSTOOD = { kind: 'not-understood' } as const;

/** Any line asks for the table. One that can't be had is empty, which a monitor shows as that. */
export function monitorPort(calls: RingCalls): RingPort<{ readonly kind: 'table' }> {
  return {
    refusal: { kind: 'table', rows: [] },
    read: () => ({ kind: 'table' }),
    answer: (_, done) => answerTable(calls, done),
  };
}

/**
 * Answers as group 1 does, with `end` behind a table. A notice of a new neighbour gets the line that
 * original peers give, and changes nothing: our ring finds its neighbours itself.
 *
 * When a call fails, nobody was there for a message. A newcomer that asks for its neighbours survives no
 * answer but those; it gets the line for what is not understood.
 */
export function peerPort(calls: RingCalls): RingPort<PeerQuestion> {
  return {
    refusal: NOT_UNDERSTOOD,
    read: (line) => peerRequestIn(line) ?? { kind: 'malformed' },
    answer: (question, done) => {
      switch (question.kind) {
        case 'table':
          return answerTable(calls, done);
        case 'enter':
          return calls.neighbors(question.ringId, (both) => {
            const isAnswer =
              both !== undefined && isSayable(both.predecessor) && isSayable(both.successor);
            done(isAnswer ? { kind: 'neighbors', ...both } : NOT_UNDERSTOOD);
          });
        case 'message':
          return answerMessage(calls, question, done);
        case 'neighbor':
        case 'malformed':
          return done(NOT_UNDERSTOOD);
      }
    },
  };
}

function answerTable(calls: RingCalls, done: (reply: RingReply) => void): void {
  calls.table((rows) => done({ kind: 'table', rows: (rows ?? []).filter(isRowSayable) }));
}

function answerMessage(
  calls: RingCalls,
  { to, senderHost, text }: Extract<PeerRequest, { kind: 'message' }>,
  done: (reply: RingReply) => void,
): void {
  calls.send(to, senderHost, text, (outcome) => {
    if (outcome === 'own') return done({ kind: 'received' });
    done(outcome === 'delivered' ? { kind: 'passed-on' } : { kind: 'nobody', to });
  });
}
