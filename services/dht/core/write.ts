/**
 * One write: the record goes to every peer that should keep it, and is acknowledged when W of them
 * have it on disk. A peer that steps in for another one keeps it until it can hand it over (hinted
 * handoff).
 */
import type { PeerRef } from '../../peer/core/ring-space.js';
import { canvass, type Tally } from './canvass.js';
import { answerOf, type TableHeard, type TableTalk } from './messages.js';
import type { TableRecord } from './record.js';
import type { Quorum } from './replica-set.js';
import { isNewer, type Version } from './version.js';

export type WriteOutcome = Tally & {
  /** Whether a peer that answered had a live value or holder. */
  readonly wasLive: boolean;
  /** What a peer has instead, when that is newer than what was written. */
  readonly newer: Version | undefined;
  /** Peers that had no room left, and that took the version for one from the future. */
  readonly full: number;
  readonly ahead: number;
};

/**
 * Whether a write may be acknowledged. Not when a peer took its version for one from the future: then
 * this node's clock is wrong, and those who stepped in could not hand it over.
 */
export function isWritten({
  outcome,
  quorum,
}: {
  readonly outcome: WriteOutcome;
  readonly quorum: Quorum;
}): boolean {
  return outcome.counted >= quorum.required && outcome.ahead === 0;
}

export function* writeRecord(
  record: TableRecord,
  peers: readonly PeerRef[],
  { copies, required }: Quorum,
): TableTalk<WriteOutcome> {
  let wasLive = false;
  let newer: Version | undefined;
  const refusals = { full: 0, ahead: 0 };
  const hear = (heard: TableHeard): 'counts' | 'fails' => {
    const [result] = answerOf(heard, 'stored')?.results ?? [];
    if (result === undefined) {
      if (answerOf(heard, 'full') !== undefined) refusals.full += 1;
      if (answerOf(heard, 'ahead') !== undefined) refusals.ahead += 1;
      return 'fails';
    }
    wasLive ||= result.wasLive;
    if (isNewer(result.version, newer ?? record.version)) newer = result.version;
    return 'counts';
  };
  const tally = yield* canvass({
    peers,
    copies,
    required,
    question: (_peer, index) => ({
      kind: 'store',
      records: [record],
      purpose: index < copies ? 'write' : 'hint',
    }),
    hear,
  });
  return { ...tally, wasLive, newer, ...refusals };
}
