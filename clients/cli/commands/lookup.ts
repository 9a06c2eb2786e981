import type { Command } from 'commander';
import { wholeNumber } from '../numbers.js';
import { EXIT, printRecord, say } from '../output.js';
import { withNode } from '../session.js';

type LookupFlags = {
  readonly ringId?: number;
  readonly recursive: boolean;
  readonly parallel: number;
  readonly cache: boolean;
};

export function addLookupCommand(program: Command): void {
  program
    .command('lookup')
    .description('find the owner of a key or of a position, and the way to it')
    .argument('[key]', 'the key')
    .option('--ring-id <number>', 'a position instead of a key', wholeNumber(0))
    .option('--recursive', 'let each peer on the way pass the lookup on', false)
    .option('--parallel <count>', 'questions under way at once, 1 to 3', wholeNumber(1, 3), 1)
    .option('--no-cache', 'go the whole way, and not first to the owner that is remembered')
    .action(async (key: string | undefined, flags: LookupFlags, command: Command) => {
      const { ringId } = flags;
      if ((key === undefined) === (ringId === undefined)) {
        command.error('error: give either a key or --ring-id', { exitCode: EXIT.misuse });
      }
      await withNode(command, async ({ node, json, signal }) => {
        const options = {
          signal,
          mode: flags.recursive ? 'recursive' : 'iterative',
          parallelism: flags.parallel,
          skipRouteCache: !flags.cache,
        } as const;
        const found =
          ringId === undefined
            ? await node.peer.lookupKey(key ?? '', options)
            : await node.peer.lookupRingId(ringId, options);
        printRecord(found, `${found.owner.ringId}  ${found.owner.address}`, json);
        if (json) return;
        say(`position ${found.ringId}, ${found.hops.length} hops`);
        for (const { peer, latencyMs } of found.hops) {
          say(`  ${peer.ringId}  ${peer.address}  ${latencyMs.toFixed(1)} ms`);
        }
      });
    });
}
