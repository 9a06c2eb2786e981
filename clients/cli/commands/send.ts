import type { Command } from 'commander';
import { wholeNumber } from '../numbers.js';
import { printRecord, say } from '../output.js';
import { payloadOf } from '../payload.js';
import { withNode } from '../session.js';

type SendOptions = { readonly file?: string; readonly messageId?: string };

export function addSendCommand(program: Command): void {
  program
    .command('send')
    .description('send a message to the peer with exactly this ring ID')
    .argument('<ring-id>', 'ring ID of the receiver', wholeNumber(0))
    .argument('[text]', 'the message; - or nothing reads stdin')
    .option('--file <path>', 'send the bytes of a file')
    .option('--message-id <id>', 'a name for the message; a repeat with it arrives once')
    .action(
      async (ringId: number, text: string | undefined, options: SendOptions, command: Command) => {
        const payload = await payloadOf(command, text, options.file);
        await withNode(command, async ({ node, json, signal }) => {
          const { messageId } = options;
          const named = messageId === undefined ? {} : { messageId };
          const receipt = await node.peer.send(ringId, payload, { signal, ...named });
          printRecord(receipt, receipt.messageId, json);
          if (!json) say(`path ${receipt.path.map((peer) => peer.ringId).join(' > ')}`);
        });
      },
    );
}
