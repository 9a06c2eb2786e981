import type { Command } from 'commander';
import { wholeNumber } from '../numbers.js';
import { EXIT, printRecord, say } from '../output.js';
import { withNode } from '../session.js';

export function addLookupCommand(program: Command): void {
  program
    .command('lookup')
    .description('find the owner of a key or of a position, and the way to it')
    .argument('[key]', 'the key')
    .option('--ring-id <number>', 'a position instead of a key', wholeNumber(0))
    .action(async (key: string | undefined, { ringId }: { ringId?: number }, command: Command) => {
      if ((key === undefined) === (ringId === undefined)) {
        command.error('error: give either a key or --ring-id', { exitCode: EXIT.misuse });
      }
      await withNode(command, async ({ node, json, signal }) => {
        const found =
          ringId === undefined
            ? await node.peer.lookupKey(key ?? '', { signal })
            : await node.peer.lookupRingId(ringId, { signal });
        printRecord(found, `${found.owner.ringId}  ${found.owner.address}`, json);
        if (json) return;
        say(`position ${found.ringId}, ${found.hops.length} hops`);
        for (const { peer, latencyMs } of found.hops) {
          say(`  ${peer.ringId}  ${peer.address}  ${latencyMs.toFixed(1)} ms`);
        }
      });
    });
}
