import type { Command } from 'commander';
import type { Message } from '../../sdk/index.js';
import { wholeNumber } from '../numbers.js';
import { printRecord, say } from '../output.js';
import { withNode } from '../session.js';

export function addInboxCommand(program: Command): void {
  program
    .command('inbox')
    .description('print the messages that reach the node, as they come')
    .option('--count <number>', 'end after so many messages', wholeNumber(1))
    .action(async ({ count }: { count?: number }, command: Command) =>
      withNode(command, async ({ node, json, signal }) => {
        if (!json) say(`waiting for messages to ${node.address}; Ctrl-C ends`);
        let left = count ?? Number.POSITIVE_INFINITY;
        for await (const message of node.peer.messages({ signal })) {
          const { fromRingId, payload } = message;
          printRecord(recordOf(message), `${fromRingId}  ${textOf(payload)}`, json);
          left -= 1;
          if (left <= 0) return;
        }
      }),
    );
}

/** The JSON contract: the payload as base64, as in proto3 JSON. */
function recordOf({ payload, ...rest }: Message): object {
  return { ...rest, payload: Buffer.from(payload).toString('base64') };
}

function textOf(payload: Uint8Array): string {
  return Buffer.from(payload).toString('utf8');
}
