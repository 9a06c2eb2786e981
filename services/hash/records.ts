/**
 * An assignment as it stands in the store: two entries, written and deleted together.
 *
 * | key                        | value                                          |
 * | -------------------------- | ---------------------------------------------- |
 * | `hash/address/<address>`   | the ring ID, decimal                           |
 * | `hash/ring-id/<16 digits>` | the address, UTF-8                             |
 * | `hash/last-release`        | the ring ID of the newest release, decimal     |
 */
import type { StoreCommit, StoreEntry } from '../storage/store.js';
import { addressKey, LAST_RELEASE_KEY, ringIdKey } from './core/assignment.js';

export type Assignment = { readonly address: string; readonly ringId: number };

/** Returns the commit that assigns; it fails when the address or the ring ID is assigned by then. */
export function commitOfAssignment({ address, ringId }: Assignment): StoreCommit {
  return {
    conditions: [
      { kind: 'absent', key: addressKey(address) },
      { kind: 'absent', key: ringIdKey(ringId) },
    ],
    writes: [
      { kind: 'put', key: addressKey(address), value: bytesOf(ringId.toString()) },
      { kind: 'put', key: ringIdKey(ringId), value: bytesOf(address) },
    ],
  };
}

/** Returns the commit that releases; it fails when the address's entry was written since. */
export function commitOfRelease({ key, value, revision }: StoreEntry): StoreCommit {
  return {
    conditions: [{ kind: 'unchanged', key, revision }],
    writes: [
      { kind: 'delete', key },
      { kind: 'delete', key: ringIdKey(ringIdOf(value)) },
      { kind: 'put', key: LAST_RELEASE_KEY, value },
    ],
  };
}

/** Returns the ring ID in the value of an address's entry. */
export function ringIdOf(value: Uint8Array): number {
  return Number(textOf(value));
}

/** Returns the address in the value of a ring ID's entry. */
export function addressOf(value: Uint8Array): string {
  return textOf(value);
}

function bytesOf(text: string): Buffer {
  return Buffer.from(text, 'utf8');
}

function textOf(value: Uint8Array): string {
  return Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('utf8');
}
