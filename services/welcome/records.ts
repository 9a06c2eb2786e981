/**
 * A membership as it stands in the store, and the commit that makes it.
 *
 * | key                               | value                                            |
 * | --------------------------------- | ------------------------------------------------ |
 * | `welcome/member/<16 digits>`      | incarnation, decimal; a space; address, in UTF-8 |
 *
 * Every member has its ring ID assigned to it (`hash/records.ts`).
 */
import { addressKey, ringIdKey } from '../hash/core/assignment.js';
import { addressOf, commitOfAssignment, ringIdOf } from '../hash/records.js';
import type { PeerRef, RingId } from '../peer/core/ring-space.js';
import { LIST_LIMIT_MAX } from '../storage/bounds.js';
import type { Store, StoreCommit, StoreWrite } from '../storage/store.js';
import { otherRingIdAssigned, ringIdTaken } from './refusals.js';

const MEMBER_PREFIX = 'welcome/member/';
/** Digits of 2^53 - 1, the largest ring ID: with leading zeros the keys sort like the numbers. */
const RING_ID_DIGITS = 16;

/** Reads every membership, in ring order. Nobody may write meanwhile. */
export async function readMembers(store: Store): Promise<readonly PeerRef[]> {
  const peers: PeerRef[] = [];
  let after: string | undefined;
  for (;;) {
    const entries = await store.list({ prefix: MEMBER_PREFIX, after, limit: LIST_LIMIT_MAX });
    for (const { key, value } of entries) peers.push(peerOf(key, value));
    if (entries.length < LIST_LIMIT_MAX) return peers;
    after = entries.at(-1)?.key;
  }
}

/**
 * Reads the assignments, and returns the commit that makes a peer a member as long as they stay.
 *
 * A ring ID that nobody has goes to an address that has none, as if it had been assigned: so
 * who types a join by hand may choose. Throws `RING_ID_TAKEN` when the ring ID is assigned to another
 * address, and `RING_ID_UNASSIGNED` when the address has another ring ID.
 *
 * The entry of the address is put again, with the same value: `HashKeeper.release` tells why.
 */
export async function commitOfMembership(store: Store, peer: PeerRef): Promise<StoreCommit> {
  const { ringId, address } = peer;
  const own = await store.get(addressKey(address));
  if (own !== undefined && ringIdOf(own.value) === ringId) {
    const { key, value, revision } = own;
    return {
      conditions: [{ kind: 'unchanged', key, revision }],
      writes: [{ kind: 'put', key, value }, putOf(peer)],
    };
  }
  const holder = await store.get(ringIdKey(ringId));
  if (holder !== undefined) throw ringIdTaken(ringId, addressOf(holder.value));
  if (own !== undefined) throw otherRingIdAssigned(peer, ringIdOf(own.value));
  const { conditions, writes } = commitOfAssignment({ address, ringId });
  return { conditions, writes: [...writes, putOf(peer)] };
}

/** Returns the commit that forgets a membership; the assignment stays. */
export function commitOfEnd(ringId: RingId): StoreCommit {
  return { conditions: [], writes: [{ kind: 'delete', key: memberKey(ringId) }] };
}

function putOf({ ringId, address, incarnation }: PeerRef): StoreWrite {
  const value = Buffer.from(`${incarnation} ${address}`, 'utf8');
  return { kind: 'put', key: memberKey(ringId), value };
}

function peerOf(key: string, value: Uint8Array): PeerRef {
  const text = Buffer.from(value).toString('utf8');
  const space = text.indexOf(' ');
  return {
    ringId: Number(key.slice(MEMBER_PREFIX.length)),
    address: text.slice(space + 1),
    incarnation: Number(text.slice(0, space)),
  };
}

function memberKey(ringId: RingId): string {
  return MEMBER_PREFIX + ringId.toString().padStart(RING_ID_DIGITS, '0');
}
