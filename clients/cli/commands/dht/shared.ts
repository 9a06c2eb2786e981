/** What the commands on the table have in common. */
import { Option } from 'commander';
import type { DhtReceipt } from '../../../sdk/index.js';
import { duration, wholeNumber } from '../../numbers.js';
import { say } from '../../output.js';

const QUORUM_MAX = 16;
const TTL_MS_MAX = 100 * 365.25 * 86_400_000;

export type WriteFlags = { readonly writeQuorum?: number };
export type TtlFlags = WriteFlags & { readonly ttl?: number };
export type ReadFlags = { readonly readQuorum?: number };

export const ttlOption = (): Option =>
  new Option('--ttl <duration>', 'how long it lives: 250ms, 30s, 5m, 2h, 7d').argParser(
    duration(TTL_MS_MAX),
  );

export const writeQuorumOption = (): Option =>
  new Option('--write-quorum <count>', 'peers that must have it on disk').argParser(
    wholeNumber(1, QUORUM_MAX),
  );

export const readQuorumOption = (): Option =>
  new Option('--read-quorum <count>', 'peers that must answer').argParser(
    wholeNumber(1, QUORUM_MAX),
  );

/** Says what an OK rests on: how many of the asked peers did `what`. */
export function sayReceipt(receipt: DhtReceipt, what: readonly [one: string, more: string]): void {
  for (const line of receiptLines(receipt, what)) say(line);
}

export function receiptLines(
  { asked, answered, required, repaired, capped }: DhtReceipt,
  [one, more]: readonly [one: string, more: string],
): readonly string[] {
  const keepers =
    required === 1 ? 'only 1 peer keeps a copy' : `only ${required} peers keep a copy`;
  return [
    asked === 1 ? `${answered} of 1 peer ${one}` : `${answered} of ${asked} peers ${more}`,
    ...(repaired === 0 ? [] : [`repaired: ${repaired} had an older version or none`]),
    ...(capped ? [`capped: ${keepers}`] : []),
  ];
}

/** Says when something expires, if it does. */
export function sayExpiry(expireTime: Date | undefined): void {
  if (expireTime !== undefined) say(`expires ${expireTime.toISOString()}`);
}

/** What follows a line of a list. */
export function expiryNote(expireTime: Date | undefined): string {
  return expireTime === undefined ? '' : `  expires ${expireTime.toISOString()}`;
}

/** The JSON contract: bytes as base64, as in proto3 JSON. */
export function base64(value: Uint8Array): string {
  return Buffer.from(value).toString('base64');
}
