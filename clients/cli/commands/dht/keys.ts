import type { Command } from 'commander';
import { printable, printRecord, say } from '../../output.js';
import { withNode } from '../../session.js';
import { expiryNote } from './shared.js';

export function addKeysCommand(dht: Command): void {
  dht
    .command('keys')
    .description('list the keys that the node itself has a value of')
    .option('--prefix <text>', 'only keys that begin with this', '')
    .action(async ({ prefix }: { prefix: string }, command: Command) =>
      withNode(command, async ({ node, json, signal }) => {
        let count = 0;
        for await (const stored of node.dht.keys({ prefix, signal })) {
          const size = String(stored.sizeBytes).padStart(8);
          const line = `${size}  ${printable(stored.key)}${expiryNote(stored.expireTime)}`;
          printRecord(stored, line, json);
          count += 1;
        }
        if (count === 0 && !json) say('no keys');
      }),
    );
}
