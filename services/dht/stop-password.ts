/** Who may stop a node: whoever knows its password, if it has one. */
import { createHash, timingSafeEqual } from 'node:crypto';
import { RingbinderError } from '../errors.js';

/** Takes as long for a wrong password as for the right one. Throws `STOP_DISABLED` or `PASSWORD_WRONG`. */
export function assertPassword(given: string, expected: string | undefined): void {
  if (expected === undefined) {
    throw new RingbinderError('STOP_DISABLED', 'this node has no stop password configured');
  }
  const [one, other] = [given, expected].map((it) => createHash('sha256').update(it).digest());
  if (one !== undefined && other !== undefined && timingSafeEqual(one, other)) return;
  throw new RingbinderError('PASSWORD_WRONG', 'the password is wrong');
}
