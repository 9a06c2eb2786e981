/**
 * Handing records over to those who should keep them, and forgetting them only then.
 *
 * A peer comes to keep records of others when it stepped in for a dead one (a hint), and when the ring
 * has grown past it. It offers them to every peer of their set; only when all of them have each record
 * on disk, in this version or a newer one, does it drop its own copy.
 *
 * Old records, of which a deletion may be forgotten soon or has been, are not given to whoever lacks
 * them. What one of the set has in a newer version is dropped at once: that may be a tombstone, which the
 * others have forgotten a moment before. And what this peer could not hand over for so long that all may
 * have forgotten the deletion (`isForgettable`) it gives to nobody when all of the set lack it: who has
 * everything says then that it was deleted, and it is dropped; while there is nobody who has everything,
 * it stays where it is.
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
  /** Whether a record is so old that its deletion may be forgotten soon. */
  readonly isOld: (entry: Entry) => boolean;
  /** Whether it may have been deleted, and forgotten by all, while this peer kept it for others. */
  readonly isForgettable: (entry: Entry) => boolean;
};

export type HandOverResult = {
  readonly isDone: boolean;
  /** Records that a keeper lacked, counted once for each of them. */
  readonly given: number;
};

export function* handOver(options: HandOverOptions): TableTalk<HandOverResult> {
  const { self, keepers, table, isOld, isForgettable } = options;
  const { entries } = options;
  const voices = yield* askAll(keepers, entries.map(claimOf));
  const isAnyWhole = voices.some(({ lacking }) => lacking.standing === 'whole');
  const isNowhere = (index: number): boolean =>
    voices.every(({ lacking }) => lacking.absent.includes(index));
  const isReplaced = (index: number): boolean =>
    voices.some(({ lacking }) => lacking.newer.includes(index));
  const replaced = new Set(entries.filter((entry, index) => isOld(entry) && isReplaced(index)));
  const gone = new Set(entries.filter((entry, index) => isForgettable(entry) && isNowhere(index)));
  if (replaced.size > 0) {
    yield { to: self, question: { kind: 'drop', claims: [...replaced].map(claimOf) } };
  }
  let isDone = voices.length === keepers.length && (isAnyWhole || gone.size === 0);
  let given = 0;
  for (const { keeper, lacking } of voices) {
    const wanted = [...lacking.absent, ...lacking.older].flatMap((index) => entries[index] ?? []);
    const ids = wanted.filter((entry) => !gone.has(entry) && !replaced.has(entry));
    const taken = yield* give({ table, to: keeper, ids, purpose: 'transfer' });
    if (taken === undefined) isDone = false;
    else given += taken;
  }
  if (!isDone) return { isDone, given };
  const dropped = yield { to: self, question: { kind: 'drop', claims: entries.map(claimOf) } };
  return { isDone: answerOf(dropped, 'noted') !== undefined, given };
}

function claimOf(entry: Entry): Claim {
  return { id: entry, version: entry.version };
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
