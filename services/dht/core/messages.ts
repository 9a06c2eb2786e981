/**
 * What peers ask each other about the table, and answer. On the wire they are in
 * `ringbinder.internal.v1.TableService`.
 */
import type { Conversation, Heard } from '../../peer/core/conversation.js';
import type { PeerRef, RingId } from '../../peer/core/ring-space.js';
import type { PartDigest, TreePart } from './merkle.js';
import type { RecordId, TableRecord } from './record.js';
import type { ReplicaSet } from './replica-set.js';
import type { Span } from './span.js';
import type { Entry } from './table.js';
import type { Version } from './version.js';

/** Why records are sent: a call, the repair of what a read found, or repair between peers. */
export type StorePurpose = 'write' | 'hint' | 'read-repair' | 'transfer';

/** What a peer says of a record without sending it. */
export type Claim = { readonly id: RecordId; readonly version: Version };

export type TableQuestion =
  /** Keep these on disk, each unless you have a newer one. */
  | {
      readonly kind: 'store';
      readonly records: readonly TableRecord[];
      readonly purpose: StorePurpose;
    }
  /** Your copy of one record; `same` when it has the version I know. */
  | { readonly kind: 'fetch'; readonly id: RecordId; readonly known: Version | undefined }
  | { readonly kind: 'fetch-holders'; readonly key: string; readonly after: string | undefined }
  /** Like `fetch` of the value of a key, and tell me when it changes, for `INTEREST_MS`. */
  | { readonly kind: 'watch'; readonly key: string; readonly known: Version | undefined }
  | { readonly kind: 'changed'; readonly record: TableRecord }
  /** Which peers keep the records that you own. */
  | { readonly kind: 'describe-set' }
  /** I am the owner of this range, and these keep its records; whether you have all of them. */
  | { readonly kind: 'cover'; readonly set: ReplicaSet; readonly isWhole: boolean }
  /** The digests of these parts of your tree; of what of `spans` you have all. */
  | {
      readonly kind: 'compare';
      readonly parts: readonly TreePart[];
      readonly spans: readonly Span[];
    }
  | { readonly kind: 'list'; readonly span: Span; readonly after: string | undefined }
  | { readonly kind: 'take'; readonly ids: readonly RecordId[] }
  /** Which of these do you lack, or have in an older version? */
  | { readonly kind: 'lacking'; readonly claims: readonly Claim[] }
  /** To itself alone: forget these, if they still have these versions. */
  | { readonly kind: 'drop'; readonly claims: readonly Claim[] };

export type TableAnswer =
  | { readonly kind: 'stored'; readonly results: readonly StoredResult[] }
  /** Nothing was stored: no room left. */
  | { readonly kind: 'full' }
  /** Nothing was stored: a version is so far ahead that one of our clocks must be wrong. */
  | { readonly kind: 'ahead' }
  | { readonly kind: 'disk-failed' }
  | {
      readonly kind: 'fetched';
      readonly record: TableRecord | 'same' | 'damaged' | undefined;
      /** Whether I have all of this part of the ring, so that what I lack does not exist here. */
      readonly isWhole: boolean;
    }
  | {
      readonly kind: 'holders';
      readonly records: readonly TableRecord[];
      readonly next: string | undefined;
      readonly isWhole: boolean;
    }
  | { readonly kind: 'set'; readonly set: ReplicaSet }
  | {
      readonly kind: 'digests';
      readonly digests: readonly PartDigest[];
      readonly isWhole: boolean;
    }
  | {
      readonly kind: 'entries';
      readonly entries: readonly Entry[];
      readonly next: string | undefined;
    }
  /** As many as fit, in the order asked for; what is missing at the end was not looked at. */
  | { readonly kind: 'records'; readonly records: readonly TableRecord[]; readonly looked: number }
  | {
      readonly kind: 'lacking';
      /** Those of which I have nothing, by their places in the question; an older version; a newer one. */
      readonly absent: readonly number[];
      readonly older: readonly number[];
      readonly newer: readonly number[];
      readonly standing: Standing;
    }
  | { readonly kind: 'noted' }
  | { readonly kind: 'not-member' };

/**
 * What a peer's word on what it lacks is worth: it has all of that part of the ring, or not yet; or it
 * was out of touch for so long that its own records may be of the dead.
 */
export type Standing = 'whole' | 'partial' | 'out-of-touch';

export type StoredResult = {
  /** The version that is there now: newer than the one sent when that came too late. */
  readonly version: Version;
  /** Whether a live value or holder was there before. */
  readonly wasLive: boolean;
};

export type TableHeard = Heard<TableQuestion, TableAnswer>;
export type TableTalk<Result> = Conversation<Result, TableQuestion, TableAnswer>;

/** What the ring says of this peer and its neighbours. */
export type RingView = {
  readonly self: PeerRef;
  readonly isMember: boolean;
  readonly predecessor: PeerRef | undefined;
  readonly successors: readonly PeerRef[];
};

/** What the table needs of the ring. */
export type RingAccess = {
  readonly ringSize: number;
  readonly view: () => RingView;
  readonly findOwner: (position: RingId, done: (owner: PeerRef | undefined) => void) => void;
};

/** The answer of the kind that was hoped for; undefined for silence and for any other. */
export function answerOf<Kind extends TableAnswer['kind']>(
  heard: TableHeard,
  kind: Kind,
): Extract<TableAnswer, { kind: Kind }> | undefined {
  if (heard.kind === 'unanswered') return undefined;
  const { answer } = heard;
  return isOfKind(answer, kind) ? answer : undefined;
}

function isOfKind<Kind extends TableAnswer['kind']>(
  answer: TableAnswer,
  kind: Kind,
): answer is Extract<TableAnswer, { kind: Kind }> {
  return answer.kind === kind;
}
