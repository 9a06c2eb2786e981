/** What a store refuses that is somewhere else. */
import { RingbinderError } from '../errors.js';

const RETRY_AFTER_MS = 1_000;

/** `why` says what failed, for the log and for the caller. */
export function storeUnreachable(why: string, cause?: unknown): RingbinderError {
  const text = `the store of the directory can't be reached: ${why}`;
  const facts = { why };
  return new RingbinderError('STORE_UNREACHABLE', text, facts, {
    retryAfterMs: RETRY_AFTER_MS,
    cause,
  });
}
