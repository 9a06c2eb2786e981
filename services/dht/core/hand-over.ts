/**
 * Handing records over to those who should keep them, and forgetting them only then.
 *
 * A peer comes to keep records of others when it stepped in for a dead one (a hint), and when the ring
 * has grown past it. It offers them to every peer of their set; only when all of them have each record
 * on disk, in this version or a newer one, does it drop its own copy.
 *
 * Records that it could not hand over for so long that their deletion may have been forgotten meanwhile
 * (`isOld`) it gives to nobody when all of the set lack them: who has everything says then that they were
 * deleted, and they are dropped; while there is nobody who has everything, they stay where they are.
 */
import type { PeerRef } from '../../peer/core/ring-space.js';
import { answerOf, type Claim, type TableAnswer, type TableTalk } from './messages.js';
import { give } from './synchronize.js';
import type { Entry, Table } from './table.js';

export type HandOverOptions = {
  readonly self: PeerRef;
  /** Everyone who should keep the records. */
  readonly keepers: readonly PeerRef[];
  readonly entries: readonly Entry[];
  readonly table: Table;
  /** Whether a record may have been deleted, and forgotten by all, while this peer kept it for others. */
  readonly isOld: (entry: Entry) => boolean;
};

export type HandOverResult = {
  readonly isDone: boolean;
  /** Records that a keeper lacked, counted once for each of them. */
  readonly given: number;
};

export function* handOver(options: HandOverOptions): TableTalk<HandOverResult> {
  const { self, keepers, entries, table, isOld } = options;
  const claims = entries.map((entry): Claim => ({ id: entry, version: entry.version }));
  const voices = yield* askAll(keepers, claims);
  const isAnyWhole = voices.some(({ lacking }) => lacking.standing === 'whole');
  const isNowhere = (index: number): boolean =>
    voices.every(({ lacking }) => lacking.absent.includes(index));
  const gone = new Set(entries.filter((entry, index) => isOld(entry) && isNowhere(index)));
  let isDone = voices.length === keepers.length && (isAnyWhole || gone.size === 0);
  let given = 0;
  for (const { keeper, lacking } of voices) {
    const wanted = [...lacking.absent, ...lacking.older].flatMap((index) => entries[index] ?? []);
    const ids = wanted.filter((entry) => !gone.has(entry));
    const taken = yield* give({ table, to: keeper, ids, purpose: 'transfer' });
    if (taken === undefined) isDone = false;
    else given += taken;
  }
  if (!isDone) return { isDone, given };
  const dropped = yield { to: self, question: { kind: 'drop', claims } };
  return { isDone: answerOf(dropped, 'noted') !== undefined, given };
}

type Voice = {
  readonly keeper: PeerRef;
  readonly lacking: Extract<TableAnswer, { kind: 'lacking' }>;
};

/** What each keeper lacks. Whoever does not speak of its records lacks none that it could name. */
function* askAll(keepers: readonly PeerRef[], claims: readonly Claim[]): TableTalk<Voice[]> {
  const voices: Voice[] = [];
  for (const keeper of keepers) {
    const heard = yield { to: keeper, question: { kind: 'lacking', claims } };
    const lacking = answerOf(heard, 'lacking');
    if (lacking === undefined || lacking.standing === 'out-of-touch') continue;
    voices.push({ keeper, lacking });
  }
  return voices;
}
