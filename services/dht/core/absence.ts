/**
 * What a peer does with its records when it comes back after so long that deletions may have been
 * forgotten meanwhile: the tombstone is collected, and its old copy would bring the dead back.
 *
 * It asks those who keep the same records. What so many of them lack who have everything that each
 * acknowledged write is known to one of them, was deleted: it drops that. What one of them has, it
 * keeps, and all when they were away like itself, because then nobody has collected anything. Until
 * that is settled for a record, it speaks of none.
 */
import type { PeerRef } from '../../peer/core/ring-space.js';
import { answerOf, type Claim, type TableTalk } from './messages.js';
import type { Entry } from './table.js';

export type AbsenceOptions = {
  /** Records of one replica set. */
  readonly entries: readonly Entry[];
  /** The others who keep them. */
  readonly keepers: readonly PeerRef[];
  /** How many who have everything must lack a record. */
  readonly votesNeeded: number;
};

/** What may be forgotten; undefined when it can't be settled now. */
export function* findForgotten({
  entries,
  keepers,
  votesNeeded,
}: AbsenceOptions): TableTalk<readonly Claim[] | undefined> {
  const claims = entries.map((entry): Claim => ({ id: entry, version: entry.version }));
  const lackedBy = claims.map(() => 0);
  let votes = 0;
  let wereAway = 0;
  for (const to of keepers) {
    const answer = answerOf(yield { to, question: { kind: 'lacking', claims } }, 'lacking');
    if (answer?.standing === 'back-from-absence') wereAway += 1;
    if (answer?.standing !== 'whole') continue;
    votes += 1;
    for (const index of answer.indexes) lackedBy[index] = (lackedBy[index] ?? 0) + 1;
  }
  if (wereAway === keepers.length) return [];
  if (votes < votesNeeded) return undefined;
  return claims.filter((_, index) => lackedBy[index] === votes);
}
