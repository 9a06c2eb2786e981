/**
 * Handing records over to those who should keep them, and forgetting them only then.
 *
 * A peer comes to keep records of others when it stepped in for a dead one (a hint), and when the ring
 * has grown past it. It offers them to every peer of their set; only when all of them have each record
 * on disk, in this version or a newer one, does it drop its own copy.
 */
import type { PeerRef } from '../../peer/core/ring-space.js';
import { answerOf, type Claim, type TableTalk } from './messages.js';
import { give } from './synchronize.js';
import type { Entry, Table } from './table.js';

export type HandOverOptions = {
  readonly self: PeerRef;
  /** Everyone who should keep the records. */
  readonly keepers: readonly PeerRef[];
  readonly entries: readonly Entry[];
  readonly table: Table;
};

export type HandOverResult = {
  readonly isDone: boolean;
  /** Records that a keeper lacked, counted once for each of them. */
  readonly given: number;
};

export function* handOver(options: HandOverOptions): TableTalk<HandOverResult> {
  const { self, keepers, entries, table } = options;
  const claims = entries.map((entry): Claim => ({ id: entry, version: entry.version }));
  let given = 0;
  for (const keeper of keepers) {
    const heard = yield { to: keeper, question: { kind: 'lacking', claims } };
    const lacking = answerOf(heard, 'lacking');
    // Whoever does not speak of its records lacks none that it could name.
    if (lacking === undefined || lacking.standing === 'out-of-touch')
      return { isDone: false, given };
    const wanted = [...lacking.absent, ...lacking.older];
    const ids = wanted.flatMap((index) => entries[index] ?? []);
    const taken = yield* give({ table, to: keeper, ids, purpose: 'transfer' });
    if (taken === undefined) return { isDone: false, given };
    given += taken;
  }
  const dropped = yield { to: self, question: { kind: 'drop', claims } };
  return { isDone: answerOf(dropped, 'noted') !== undefined, given };
}
