/** Questions of one line to legacy servers, and how a command ends that gets no answer. */
import { END } from '../../../../services/legacy/ring/reply-codec.js';
import { exchangeLine, type LineAnswer } from '../../../../services/legacy/line-client.js';
import { after } from '../../../sdk/timing.js';
import { CommandFailure, EXIT, printable } from '../../output.js';
import { textOf, type Where } from './addresses.js';
import { unavailable, unanswered } from './answers.js';

export type Asking = {
  readonly json: boolean;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
};

export const isFirst = (): boolean => true;
export const isEnd = (line: string): boolean => line === END;

/** At least one line. Throws a `CommandFailure` when there is none, or too many. */
export async function askLine(
  to: Where,
  line: string,
  isLast: (line: string) => boolean,
  { timeoutMs, signal }: Asking,
): Promise<readonly string[]> {
  const { lines, endedBy } = await exchange(to, line, isLast, { timeoutMs, signal });
  const where = printable(textOf(to));
  if (endedBy === 'cut') {
    throw new CommandFailure(`${where} sends more than an answer can be`, EXIT.failed);
  }
  if (endedBy === 'time' || lines.length === 0) {
    const how = endedBy === 'time' ? `within ${timeoutMs} ms; see --timeout-ms` : 'and closes';
    throw unanswered(`${where} does not answer ${how}`);
  }
  return lines;
}

async function exchange(
  to: Where,
  line: string,
  isLast: (line: string) => boolean,
  { timeoutMs, signal }: Pick<Asking, 'timeoutMs' | 'signal'>,
): Promise<LineAnswer> {
  try {
    return await exchangeLine({ to, line, isLast, withinMs: timeoutMs, after, signal });
  } catch (thrown) {
    const why = thrown instanceof Error ? thrown.message : String(thrown);
    throw unavailable(`can not talk to ${printable(textOf(to))}: ${printable(why)}`);
  }
}
