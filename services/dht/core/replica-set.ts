/**
 * Who keeps a record: its owner and the next peers, and how many of them must answer.
 *
 * N copies, R answers for a read, W for a write (DeCandia et al., "Dynamo", 2007, section 4.5). With
 * R + W > N, each read asks at least one peer that has the last acknowledged write.
 */
import type { PeerRef } from '../../peer/core/ring-space.js';
import type { Range } from './span.js';

/** The peers for the records of one owner. */
export type ReplicaSet = {
  /** The owner's range: the set is right for these positions. */
  readonly range: Range;
  /** The owner, then its successors. The first N keep a copy, the others step in for them. */
  readonly peers: readonly PeerRef[];
};

export type Replication = {
  /** N: copies of each record. */
  readonly copies: number;
  /** R: answers that a read waits for, unless the caller says otherwise. */
  readonly readQuorum: number;
  /** W: the same of a write. */
  readonly writeQuorum: number;
};

export const COPIES_MAX = 16;

export type Quorum = {
  readonly copies: number;
  readonly required: number;
  /** Whether `required` is less than what was configured or asked for. */
  readonly isCapped: boolean;
};

/** What a call needs in a ring of so many members; a ring smaller than N has fewer copies. */
export function quorumOf(wanted: number, copies: number, members: number): Quorum {
  const possible = Math.max(1, Math.min(copies, members));
  return {
    copies: possible,
    required: Math.min(wanted, possible),
    isCapped: wanted > possible,
  };
}
