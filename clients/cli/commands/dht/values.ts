import type { Command } from 'commander';
import { CommandFailure, EXIT, printable, printBytes, printRecord, say } from '../../output.js';
import { payloadOf } from '../../payload.js';
import { withNode } from '../../session.js';
import {
  base64,
  readQuorumOption,
  sayExpiry,
  sayReceipt,
  ttlOption,
  writeQuorumOption,
  type ReadFlags,
  type TtlFlags,
  type WriteFlags,
} from './shared.js';

const NOT_FOUND = 5;

type PutFlags = TtlFlags & { readonly file?: string };
type GetFlags = ReadFlags & { readonly raw: boolean };

export function addValueCommands(dht: Command): void {
  dht
    .command('put')
    .description('store a value under a key, in place of the one before')
    .argument('<key>', 'the key')
    .argument('[value]', 'the value; - or nothing reads stdin')
    .option('--file <path>', 'store the bytes of a file')
    .addOption(ttlOption())
    .addOption(writeQuorumOption())
    .action(put);
  dht
    .command('get')
    .description('write the value of a key to stdout')
    .argument('<key>', 'the key')
    .addOption(readQuorumOption())
    .option('--raw', 'nothing but the value, also on a terminal', false)
    .action(get);
  dht
    .command('delete')
    .description('delete the value of a key')
    .argument('<key>', 'the key')
    .addOption(writeQuorumOption())
    .action(remove);
}

async function put(
  key: string,
  text: string | undefined,
  { file, ttl, writeQuorum }: PutFlags,
  command: Command,
): Promise<void> {
  const value = await payloadOf(command, text, file);
  await withNode(command, async ({ node, json, signal }) => {
    const stored = await node.dht.put(key, value, {
      signal,
      ...(ttl !== undefined && { ttlMs: ttl }),
      ...(writeQuorum !== undefined && { writeQuorum }),
    });
    printRecord(stored, stored.version, json);
    if (json) return;
    sayReceipt(stored.receipt, ['has it', 'have it']);
    sayExpiry(stored.expireTime);
  });
}

async function get(key: string, { readQuorum, raw }: GetFlags, command: Command): Promise<void> {
  await withNode(command, async ({ node, json, signal }) => {
    const options = { signal, ...(readQuorum !== undefined && { readQuorum }) };
    const found = await node.dht.get(key, options);
    if (found === undefined) {
      throw new CommandFailure(`no value under ${printable(key)}`, EXIT.refused(NOT_FOUND));
    }
    if (json) {
      printRecord({ ...found, value: base64(found.value) }, '', json);
      return;
    }
    printBytes(found.value, raw);
    sayReceipt(found.receipt, ['answered', 'answered']);
    sayExpiry(found.expireTime);
  });
}

async function remove(key: string, { writeQuorum }: WriteFlags, command: Command): Promise<void> {
  await withNode(command, async ({ node, json, signal }) => {
    const options = { signal, ...(writeQuorum !== undefined && { writeQuorum }) };
    const removed = await node.dht.delete(key, options);
    printRecord(removed, removed.version, json);
    if (json) return;
    say(removed.existed ? 'deleted' : 'there was no value');
    sayReceipt(removed.receipt, ['has the deletion', 'have the deletion']);
  });
}
