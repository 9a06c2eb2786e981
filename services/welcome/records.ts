/**
 * Memberships as they stand in the store, and the commits that begin and end them.
 *
 * | key                               | value                                               |
 * | --------------------------------- | --------------------------------------------------- |
 * | `welcome/member/<16 digits>`      | incarnation, decimal; for a guest `@` and its host; |
 * |                                   | a space; address, in UTF-8                          |
 * | `welcome/admitted`                | the newest peer let into a small ring: its ring ID, |
 * |                                   | decimal; a space; then as above                     |
 *
 * Both have leases. Every member has its ring ID assigned to it (`hash/records.ts`).
 */
import { addressKey, ringIdKey } from '../hash/core/assignment.js';
import { addressOf, commitOfAssignment, ringIdOf } from '../hash/records.js';
import type { PeerRef, RingId } from '../peer/core/ring-space.js';
import { LIST_LIMIT_MAX } from '../storage/bounds.js';
import type { Store, StoreCommit, StoreCondition, StoreEntry } from '../storage/store.js';
import { otherRingIdAssigned, ringIdTaken } from './refusals.js';

export const MEMBER_PREFIX = 'welcome/member/';
const ADMITTED_KEY = 'welcome/admitted';
/** Digits of 2^53 - 1, the largest ring ID: with leading zeros the keys sort like the numbers. */
const RING_ID_DIGITS = 16;

/** A peer as the store has it. */
export type StoredPeer = { readonly peer: PeerRef; readonly revision: number };

/** Reads every membership, in ring order. */
export async function readMembers(store: Store): Promise<readonly PeerRef[]> {
  const peers: PeerRef[] = [];
  let after: string | undefined;
  for (;;) {
    const entries = await store.list({ prefix: MEMBER_PREFIX, after, limit: LIST_LIMIT_MAX });
    for (const entry of entries) peers.push(memberOf(entry).peer);
    if (entries.length < LIST_LIMIT_MAX) return peers;
    after = entries.at(-1)?.key;
  }
}

/** Reads the membership of a ring ID. */
export async function readMember(store: Store, ringId: RingId): Promise<StoredPeer | undefined> {
  const entry = await store.get(memberKey(ringId));
  return entry && memberOf(entry);
}

/** Reads which peer was let into a small ring last, if that was a moment ago. */
export async function readAdmitted(store: Store): Promise<StoredPeer | undefined> {
  const entry = await store.get(ADMITTED_KEY);
  if (entry === undefined) return undefined;
  const [ringId, rest] = cut(textOf(entry.value));
  return { peer: peerOf(Number(ringId), rest), revision: entry.revision };
}

export type NewMembership = {
  readonly peer: PeerRef;
  /** The membership that the ring ID has now. */
  readonly held: StoredPeer | undefined;
  readonly ttlMs: number;
};

/**
 * Reads the assignments, and returns the commit that makes a peer a member as long as they stay, and
 * as long as nobody else has become a member with its ring ID.
 *
 * A ring ID that nobody has goes to an address that has none, as if it had been assigned: so
 * who types a join by hand may choose. Throws `RING_ID_TAKEN` when the ring ID is assigned to another
 * address, and `RING_ID_UNASSIGNED` when the address has another ring ID.
 *
 * The entry of the address is put again, with the same value: `HashKeeper.release` tells why.
 */
export async function commitOfMembership(
  store: Store,
  { peer, held, ttlMs }: NewMembership,
): Promise<StoreCommit> {
  const { ringId, address } = peer;
  const key = memberKey(ringId);
  const value = Buffer.from(textOfPeer(peer), 'utf8');
  const membership = { kind: 'put', key, value, ttlMs } as const;
  const same = conditionOn(key, held);
  const own = await store.get(addressKey(address));
  if (own !== undefined && ringIdOf(own.value) === ringId) {
    return {
      conditions: [{ kind: 'unchanged', key: own.key, revision: own.revision }, same],
      writes: [{ kind: 'put', key: own.key, value: own.value }, membership],
    };
  }
  const holder = await store.get(ringIdKey(ringId));
  if (holder !== undefined) throw ringIdTaken(ringId, addressOf(holder.value));
  if (own !== undefined) throw otherRingIdAssigned(peer, ringIdOf(own.value));
  const { conditions, writes } = commitOfAssignment({ address, ringId });
  return { conditions: [...conditions, same], writes: [...writes, membership] };
}

/**
 * Returns the commit that also notes the peer as the one let in last, for so long, and that fails
 * when another has been let in since `latest` was read: on this node or on another.
 */
export function notingAdmission(
  { conditions, writes }: StoreCommit,
  { peer, latest, ttlMs }: { peer: PeerRef; latest: StoredPeer | undefined; ttlMs: number },
): StoreCommit {
  const value = Buffer.from(`${peer.ringId} ${textOfPeer(peer)}`, 'utf8');
  return {
    conditions: [...conditions, conditionOn(ADMITTED_KEY, latest)],
    writes: [...writes, { kind: 'put', key: ADMITTED_KEY, value, ttlMs }],
  };
}

/** Returns the commit that ends this membership and no later one; the assignment stays. */
export function commitOfEnd(held: StoredPeer): StoreCommit {
  const key = memberKey(held.peer.ringId);
  return { conditions: [conditionOn(key, held)], writes: [{ kind: 'delete', key }] };
}

export function memberKey(ringId: RingId): string {
  return MEMBER_PREFIX + ringId.toString().padStart(RING_ID_DIGITS, '0');
}

/** The member in an entry below `MEMBER_PREFIX`. */
export function memberOf({ key, value, revision }: StoreEntry): StoredPeer {
  return { peer: peerOf(Number(key.slice(MEMBER_PREFIX.length)), textOf(value)), revision };
}

function conditionOn(key: string, stored: StoredPeer | undefined): StoreCondition {
  if (stored === undefined) return { kind: 'absent', key };
  return { kind: 'unchanged', key, revision: stored.revision };
}

function textOfPeer({ incarnation, address, host }: PeerRef): string {
  return host === undefined ? `${incarnation} ${address}` : `${incarnation}@${host} ${address}`;
}

function peerOf(ringId: RingId, text: string): PeerRef {
  const [life, address] = cut(text);
  const [incarnation, host] = life.split('@', 2);
  const peer = { ringId, address, incarnation: Number(incarnation) };
  return host === undefined ? peer : { ...peer, host };
}

function cut(text: string): readonly [string, string] {
  const space = text.indexOf(' ');
  return [text.slice(0, space), text.slice(space + 1)];
}

function textOf(value: Uint8Array): string {
  return Buffer.from(value).toString('utf8');
}
