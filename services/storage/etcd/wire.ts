/**
 * How a store stands in etcd: keys below one prefix, as bytes, so that etcd's order is the store's.
 *
 * The key that is the prefix alone belongs to no entry. Every commit that deletes puts it too, so a
 * watcher can tell its deletions from those that etcd makes by itself when a lease ends.
 */
import {
  Compare_CompareResult,
  Compare_CompareTarget,
  RangeRequest_SortOrder,
  RangeRequest_SortTarget,
  type Compare,
  type RangeRequest,
  type RequestOp,
  type ResponseOp,
  type TxnRequest,
} from '../../../proto/gen/etcdserverpb/rpc.js';
import { Event_EventType, type Event, type KeyValue } from '../../../proto/gen/mvccpb/kv.js';
import { KEY_BYTES_MAX, keyBytesOf, textBytesOf } from '../bounds.js';
import type {
  StoreCommit,
  StoreCondition,
  StoreEntry,
  StoreListing,
  StoreWrite,
} from '../store.js';

const NOTHING = Buffer.alloc(0);
const NO_LEASE = 0n;

/** An entry with the lease that it hangs on; 0 for none. */
export type LeasedEntry = StoreEntry & { readonly leaseId: bigint };

export type KeyRange = { readonly key: Buffer; readonly rangeEnd: Buffer };

export class EtcdKeys {
  /** The prefix, and the key that deletions are marked with. */
  readonly marker: Buffer;

  constructor(prefix: string) {
    this.marker = keyBytesOf(prefix);
  }

  /** Throws a `RangeError` when it is no key of a store. */
  bytesOf(key: string): Buffer {
    return Buffer.concat([this.marker, keyBytesOf(key)]);
  }

  /** All entries and the marker. */
  all(): KeyRange {
    return { key: this.marker, rangeEnd: endOf(this.marker) };
  }

  /** A question for the entry that was written last, or the mark of the last deletion. */
  newest(): KeyRange & Pick<RangeRequest, 'limit' | 'sortOrder' | 'sortTarget' | 'keysOnly'> {
    return {
      ...this.all(),
      limit: 1n,
      sortOrder: RangeRequest_SortOrder.DESCEND,
      sortTarget: RangeRequest_SortTarget.MOD,
      keysOnly: true,
    };
  }

  /** Undefined when nothing can be in the listing. Throws a `RangeError` like `textBytesOf`. */
  rangeOf({ prefix, after }: StoreListing): KeyRange | undefined {
    const start = Buffer.concat([this.marker, textBytesOf(prefix)]);
    const behind = Buffer.concat([this.marker, textBytesOf(after ?? ''), Buffer.alloc(1)]);
    const rangeEnd = endOf(start);
    const key = behind.compare(start) > 0 ? behind : start;
    return key.compare(rangeEnd) < 0 ? { key, rangeEnd } : undefined;
  }

  isMarker(kv: KeyValue): boolean {
    return this.marker.equals(kv.key);
  }

  /** The key of an entry; undefined for the marker, and for what no store has written. */
  keyOf({ key }: KeyValue): string | undefined {
    const bytes = Buffer.from(key).subarray(this.marker.length);
    const text = bytes.toString('utf8');
    const isKey = bytes.length > 0 && bytes.length <= KEY_BYTES_MAX;
    return isKey && Buffer.from(text, 'utf8').equals(bytes) ? text : undefined;
  }

  entryOf(kv: KeyValue): LeasedEntry | undefined {
    const key = this.keyOf(kv);
    if (key === undefined) return undefined;
    const value = new Uint8Array(kv.value);
    return { key, value, revision: Number(kv.modRevision), leaseId: kv.lease };
  }

  /** `leaseIds` has the lease of each key that gets one. */
  txnOf({ conditions, writes }: StoreCommit, leaseIds: ReadonlyMap<string, bigint>): TxnRequest {
    const success = writes.map((write) => this.#requestOf(write, leaseIds.get(write.key)));
    if (writes.some(({ kind }) => kind === 'delete')) success.push(putOf(this.marker, NOTHING));
    return { compare: conditions.map((it) => this.#compareOf(it)), success, failure: [] };
  }

  #requestOf(write: StoreWrite, leaseId: bigint | undefined): RequestOp {
    const key = this.bytesOf(write.key);
    if (write.kind === 'put') return putOf(key, Buffer.from(write.value), leaseId);
    const value = { key, rangeEnd: NOTHING, prevKv: true };
    return { request: { $case: 'requestDeleteRange', value } };
  }

  /** An absent key has the revision 0. */
  #compareOf(condition: StoreCondition): Compare {
    const revision = condition.kind === 'absent' ? 0 : condition.revision;
    return {
      result: Compare_CompareResult.EQUAL,
      target: Compare_CompareTarget.MOD,
      key: this.bytesOf(condition.key),
      targetUnion: { $case: 'modRevision', value: BigInt(revision) },
    };
  }
}

/** What one commit in etcd did, as the watch tells it. */
export type EtcdCommit = {
  readonly revision: number;
  /** Whether one of our commits deleted, and not the end of a lease. */
  readonly isMarked: boolean;
  readonly puts: readonly LeasedEntry[];
  readonly deletes: readonly string[];
};

/** Returns the commits that a watch has told, in order; each is whole. */
export function commitsOf(events: readonly Event[], keys: EtcdKeys): readonly EtcdCommit[] {
  const groups = new Map<number, KeyValueEvent[]>();
  for (const { type, kv } of events) {
    if (kv === undefined) continue;
    const revision = Number(kv.modRevision);
    const group = groups.get(revision) ?? [];
    group.push({ isPut: type === Event_EventType.PUT, kv });
    groups.set(revision, group);
  }
  return [...groups].map(([revision, group]) => ({
    revision,
    isMarked: group.some(({ kv }) => keys.isMarker(kv)),
    puts: group.flatMap(({ isPut, kv }) => (isPut ? (keys.entryOf(kv) ?? []) : [])),
    deletes: group.flatMap(({ isPut, kv }) => (isPut ? [] : (keys.keyOf(kv) ?? []))),
  }));
}

type KeyValueEvent = { readonly isPut: boolean; readonly kv: KeyValue };

/** The leases of the entries that a commit has replaced or deleted: nothing hangs on them now. */
export function freedLeases(responses: readonly ResponseOp[]): readonly bigint[] {
  return responses.flatMap(({ response }) => {
    if (response?.$case === 'responsePut') return leaseOf(response.value.prevKv);
    if (response?.$case !== 'responseDeleteRange') return [];
    return response.value.prevKvs.flatMap(leaseOf);
  });
}

function leaseOf(kv: KeyValue | undefined): bigint[] {
  return kv === undefined || kv.lease === NO_LEASE ? [] : [kv.lease];
}

function putOf(key: Buffer, value: Buffer, lease = NO_LEASE): RequestOp {
  return { request: { $case: 'requestPut', value: { key, value, lease, prevKv: true } } };
}

/** The first key behind all that begin with these bytes. UTF-8 has no byte 0xFF. */
function endOf(prefix: Buffer): Buffer {
  const end = Buffer.from(prefix);
  end.writeUInt8(end.readUInt8(end.length - 1) + 1, end.length - 1);
  return end;
}
