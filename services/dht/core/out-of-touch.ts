/**
 * What a peer does with its records when it was out of touch for so long that deletions may have been
 * forgotten meanwhile: the tombstone is collected, and its old copy would bring the dead back.
 *
 * It asks those who keep the same records. What they lack who have everything was deleted: it drops
 * that, and what one of them has in a newer version. What one of them has as well, it keeps; and everything, when there is nobody who has everything: they
 * were all away like itself, and nobody has collected anything. Until that is settled for a record, it
 * speaks of none.
 */
import type { PeerRef } from '../../peer/core/ring-space.js';
import { answerOf, type Claim, type TableTalk } from './messages.js';
import type { Entry } from './table.js';

export type ForgottenOptions = {
  /** Records of one replica set. */
  readonly entries: readonly Entry[];
  /** The others who keep them. */
  readonly keepers: readonly PeerRef[];
};

/** What may be forgotten; or that somebody did not say, or that nobody has everything. */
export type Forgotten = readonly Claim[] | 'somebody-silent' | 'nobody-whole';

export function* findForgotten({ entries, keepers }: ForgottenOptions): TableTalk<Forgotten> {
  const claims = entries.map((entry): Claim => ({ id: entry, version: entry.version }));
  const lackedBy = claims.map(() => 0);
  const outdated = new Set<number>();
  let votes = 0;
  let silent = 0;
  for (const to of keepers) {
    const answer = answerOf(yield { to, question: { kind: 'lacking', claims } }, 'lacking');
    if (answer === undefined) silent += 1;
    for (const index of answer?.outdated ?? []) outdated.add(index);
    if (answer?.standing !== 'whole') continue;
    votes += 1;
    for (const index of answer.indexes) lackedBy[index] = (lackedBy[index] ?? 0) + 1;
  }
  if (votes > 0)
    return claims.filter((_, index) => outdated.has(index) || lackedBy[index] === votes);
  return silent > 0 ? 'somebody-silent' : 'nobody-whole';
}
