/** Why a call on the table is refused, as its caller hears it. */
import { RingbinderError } from '../errors.js';
import type { ReadOutcome } from './core/read.js';
import { VALUE_BYTES_MAX } from './core/record.js';
import type { Rests } from './core/table-member.js';
import { isWritten, type WriteOutcome } from './core/write.js';

const RETRY_MS = 500;

export function keyNotFound(key: string): RingbinderError {
  return new RingbinderError('KEY_NOT_FOUND', 'there is no value under this key', { key });
}

export function valueTooLarge(bytes: number): RingbinderError {
  const facts = { valueBytes: String(bytes), valueBytesMax: String(VALUE_BYTES_MAX) };
  const text = `a value of ${bytes} bytes is larger than ${VALUE_BYTES_MAX}`;
  return new RingbinderError('VALUE_TOO_LARGE', text, facts);
}

export function tooManyHolders(key: string, holdersMax: number): RingbinderError {
  const text = `this key has ${holdersMax} holders, and may have no more`;
  return new RingbinderError('TABLE_FULL', text, { key, holdersMax: String(holdersMax) });
}

/** What a write did; throws when it was not done, for too few peers have it on disk. */
export function doneWrite(key: string, { outcome, quorum }: Rests<WriteOutcome>): WriteOutcome {
  if (outcome === undefined) throw noWay(key);
  if (isWritten({ outcome, quorum })) return outcome;
  if (outcome.full > 0) {
    const text = `${outcome.full} of ${outcome.asked} peers have no room left in their tables`;
    throw new RingbinderError('TABLE_FULL', text, { key, full: String(outcome.full) });
  }
  if (outcome.ahead > 0) {
    const text = `to ${outcome.ahead} peers the clock of this node is more than an hour ahead`;
    throw new RingbinderError('QUORUM_NOT_REACHED', text, { key, ahead: String(outcome.ahead) });
  }
  throw quorumNotReached(key, { outcome, quorum });
}

/** What a read found; throws when too few peers have said what they have. */
export function doneRead(key: string, { outcome, quorum }: Rests<ReadOutcome>): ReadOutcome {
  if (outcome === undefined) throw noWay(key);
  if (outcome.counted >= quorum.required) return outcome;
  if (outcome.damaged > 0) {
    const text = `the copies of ${outcome.damaged} peers are damaged, and too few others answered`;
    throw new RingbinderError('RECORD_DAMAGED', text, { key, damaged: String(outcome.damaged) });
  }
  throw quorumNotReached(key, { outcome, quorum });
}

function noWay(key: string): RingbinderError {
  const text = 'the peers that keep this key were not found';
  return new RingbinderError('LOOKUP_FAILED', text, { key }, { retryAfterMs: RETRY_MS });
}

type Short = {
  readonly outcome: { readonly asked: number; readonly answered: number; readonly counted: number };
  readonly quorum: { readonly required: number };
};

function quorumNotReached(key: string, { outcome, quorum }: Short): RingbinderError {
  const { asked, answered, counted } = outcome;
  const text = `${counted} of ${asked} peers could do it, ${quorum.required} are required`;
  const facts = {
    key,
    asked: String(asked),
    answered: String(answered),
    counted: String(counted),
    required: String(quorum.required),
  };
  return new RingbinderError('QUORUM_NOT_REACHED', text, facts, { retryAfterMs: RETRY_MS });
}
