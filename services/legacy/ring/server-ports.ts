/** The ports of the original servers: HashServer and WelcomeServer (wire/ring.md, sections 3 and 4). */
import type { RingCalls, RingNeighbor } from '../core/session.js';
import { isRowSayable, isSayable, RING_ID_MAX } from './fields.js';
import { idealTable } from './ideal-table.js';
import type { RingReply } from './reply-codec.js';
import { welcomeRequestIn, type WelcomeRequest } from './request-codec.js';
import type { RingPort } from './session.js';

type Reply = (reply: RingReply) => void;
type TextQuestion = { readonly kind: 'text'; readonly text: string };
type WelcomeQuestion = WelcomeRequest | { readonly kind: 'malformed' };

const REFUSED = { kind: 'refused' } as const;
const UNKNOWN = { kind: 'unknown' } as const;
const FULL = { kind: 'full' } as const;

/**
 * Any line is a text that gets a ring ID; one that no original can read counts as none left. `aht` is
 * also the answer when the call fails: some programs end on it with a message, all others on anything
 * that is no number, and none takes it for a ring ID.
 */
export function hashPort(calls: RingCalls): RingPort<TextQuestion> {
  return {
    refusal: FULL,
    read: (text) => ({ kind: 'text', text }),
    answer: ({ text }, done) =>
      calls.assign(text, (ringId) => {
        const isNumber = typeof ringId === 'number' && ringId <= RING_ID_MAX;
        done(isNumber ? { kind: 'ring-id', ringId } : FULL);
      }),
  };
}

/**
 * When a call fails, `yo` and `a+` are refused (`wrq`), which originals expect; nobody is known (`ukh`)
 * to `ip?` and `rt?`, for on `wrq` to `rt?` the original monitor dies; and `li?` has no members, for it
 * knows no refusal.
 */
export function welcomePort(calls: RingCalls): RingPort<WelcomeQuestion> {
  return {
    refusal: REFUSED,
    read: (line) => welcomeRequestIn(line) ?? { kind: 'malformed' },
    answer: (question, done) => {
      switch (question.kind) {
        case 'enter':
          return enter(calls, question, done);
        case 'leave':
          return calls.leave(question.ringId, (outcome) =>
            done(outcome === 'left' ? { kind: 'done' } : REFUSED),
          );
        case 'host':
          return sayableMembers(calls, (members) => {
            const member = members.find(({ ringId }) => ringId === question.ringId);
            done(member === undefined ? UNKNOWN : { kind: 'host', host: member.host });
          });
        case 'base-table':
          return sayableMembers(calls, (members) => {
            if (!members.some(({ ringId }) => ringId === question.ringId)) return done(UNKNOWN);
            const rows = idealTable(members, question.ringId, calls.ringSize);
            done({ kind: 'table', rows: rows.filter(isRowSayable) });
          });
        case 'list':
          return sayableMembers(calls, (members) => done({ kind: 'members', members }));
        case 'malformed':
          return done(REFUSED);
      }
    },
  };
}

/** Originals take a ring ID that is not on the ring; a ring can't. */
function enter(
  calls: RingCalls,
  { ringId, host }: Extract<WelcomeRequest, { kind: 'enter' }>,
  done: Reply,
): void {
  if (ringId >= calls.ringSize) return done(REFUSED);
  calls.join(ringId, host, (outcome) => {
    if (outcome === 'first') return done({ kind: 'first' });
    const isEntered = outcome !== undefined && outcome !== 'taken';
    done(isEntered ? { kind: 'host', host: outcome.entry } : REFUSED);
  });
}

/** None when the call fails. */
function sayableMembers(calls: RingCalls, done: (members: readonly RingNeighbor[]) => void): void {
  calls.members((members) => done((members ?? []).filter(isSayable)));
}
