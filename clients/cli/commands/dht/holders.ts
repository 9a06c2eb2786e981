import type { Command } from 'commander';
import { printable, printRecord, say } from '../../output.js';
import { withNode } from '../../session.js';
import {
  expiryNote,
  readQuorumOption,
  sayReceipt,
  ttlOption,
  writeQuorumOption,
  type ReadFlags,
  type TtlFlags,
  type WriteFlags,
} from './shared.js';

export function addHolderCommands(dht: Command): void {
  dht
    .command('announce')
    .description('say that an address has a key; a repeat renews that')
    .argument('<key>', 'the key')
    .argument('<address>', 'who has it, such as 10.0.0.1:9000')
    .addOption(ttlOption())
    .addOption(writeQuorumOption())
    .action(announce);
  dht
    .command('withdraw')
    .description('say that an address no longer has a key')
    .argument('<key>', 'the key')
    .argument('<address>', 'the address, written as it was announced')
    .addOption(writeQuorumOption())
    .action(withdraw);
  dht
    .command('holders')
    .description('list who has a key, in order of arrival')
    .argument('<key>', 'the key')
    .addOption(readQuorumOption())
    .action(list);
}

async function announce(
  key: string,
  address: string,
  { ttl, writeQuorum }: TtlFlags,
  command: Command,
): Promise<void> {
  await withNode(command, async ({ node, json, signal }) => {
    const announced = await node.dht.announceHolder(key, address, {
      signal,
      ...(ttl !== undefined && { ttlMs: ttl }),
      ...(writeQuorum !== undefined && { writeQuorum }),
    });
    const { expireTime, receipt } = announced;
    printRecord(announced, `${printable(address)}${expiryNote(expireTime)}`, json);
    if (!json) sayReceipt(receipt, ['has it', 'have it']);
  });
}

async function withdraw(
  key: string,
  address: string,
  { writeQuorum }: WriteFlags,
  command: Command,
): Promise<void> {
  await withNode(command, async ({ node, json, signal }) => {
    const options = { signal, ...(writeQuorum !== undefined && { writeQuorum }) };
    const withdrawn = await node.dht.withdrawHolder(key, address, options);
    printRecord(withdrawn, withdrawn.existed ? 'withdrawn' : 'was no holder', json);
    if (!json) sayReceipt(withdrawn.receipt, ['knows it', 'know it']);
  });
}

async function list(key: string, { readQuorum }: ReadFlags, command: Command): Promise<void> {
  await withNode(command, async ({ node, json, signal }) => {
    const options = { signal, ...(readQuorum !== undefined && { readQuorum }) };
    let count = 0;
    for await (const holder of node.dht.holders(key, options)) {
      printRecord(holder, `${printable(holder.address)}${expiryNote(holder.expireTime)}`, json);
      count += 1;
    }
    if (count === 0 && !json) say('no holders');
  });
}
